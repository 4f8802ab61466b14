//! When a log is compacted, and by whom: the journal's thread looks how much it holds, has another
//! thread prepare what is left, and takes that over between two groups of batches.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use bary_journal::log::{Log, Poisoned};
use bary_model::id::{Lsn, ShardId};
use bary_store::durable::DurableStore;

use super::compact::{Prepared, Source, prepare};
use super::releases::Releases;

/// How long to wait before looking again whether a copy is made.
const COPY_WAIT: Duration = Duration::from_millis(100);

/// What is compacted, and from which size on.
pub(crate) struct Compactable {
    /// The directory of the log.
    pub(crate) dir: PathBuf,
    /// Where results are.
    pub(crate) store: Arc<DurableStore>,
    /// What other members are to give back.
    pub(crate) releases: Arc<Releases>,
    /// Held while files of the state are copied, which must not change meanwhile.
    pub(crate) still: Arc<Mutex<()>>,
    /// How many bytes the log has before it is looked at; or how many bytes of results have been
    /// given back since.
    pub(crate) after_bytes: u64,
    /// How many jobs were forgotten so far.
    pub(crate) forgotten: Arc<AtomicU64>,
}

/// Compacts a log again and again.
pub(super) struct Compacting {
    what: Option<Compactable>,
    /// From which size on the log is looked at next.
    look_at: u64,
    /// How many jobs had been forgotten when it was looked at last.
    looked: u64,
    /// How many bytes of results had been given back by then.
    released: u64,
    run: Option<Run>,
}

/// A thread that prepares.
struct Run {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    prepared: Receiver<Prepared>,
    /// Told when what was prepared has been taken over.
    adopted: Sender<()>,
    /// How many bytes the batches take that it looks at and that are in no snapshot.
    covered: u64,
}

impl Compacting {
    pub(super) fn new(what: Option<Compactable>) -> Self {
        let look_at = what.as_ref().map_or(0, |what| what.after_bytes);
        Self { what, look_at, looked: 0, released: 0, run: None }
    }

    /// Does what is to be done between two groups. `wake` has this called again.
    pub(super) fn go_on(
        &mut self,
        log: &mut Log,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), Poisoned> {
        let Some(run) = &mut self.run else {
            self.begin(log, wake);
            return Ok(());
        };
        match run.prepared.try_recv() {
            Ok(Prepared { lsn, bytes, .. }) => {
                log.adopt(lsn, bytes, run.covered)?;
                // Where the thread has gone, nobody wants to know.
                let _: Result<(), _> = run.adopted.send(());
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                self.run = None;
                let least = self.what.as_ref().map_or(0, |what| what.after_bytes);
                self.look_at = held(log) + (held(log) / 2).max(least);
            }
        }
        Ok(())
    }

    fn begin(&mut self, log: &Log, wake: impl Fn() + Send + 'static) {
        let Some(what) = &self.what else { return };
        let results = what.store.released() - self.released;
        if held(log) < self.look_at && results < what.after_bytes {
            return;
        }
        let (until, forgotten) = (log.durable(), what.forgotten.load(Ordering::Relaxed));
        let known = log.last_snapshot().map_or(Lsn(0), |(lsn, _)| lsn);
        if until <= known || forgotten <= self.looked {
            return;
        }
        (self.looked, self.released) = (forgotten, self.released + results);
        let (say, prepared) = channel();
        let (adopted, taken_over) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let part = Part {
            dir: what.dir.clone(),
            store: Arc::clone(&what.store),
            releases: Arc::clone(&what.releases),
            still: Arc::clone(&what.still),
            stop: Arc::clone(&stop),
        };
        let (shard, bytes) = (ShardId(log.id()), held(log));
        let named = std::thread::Builder::new().name("bary-compact".into());
        let thread = named.spawn(move || {
            part.run((shard, until, bytes, results), say, &taken_over, &wake);
            wake();
        });
        match thread {
            Ok(thread) => {
                let (thread, covered) = (Some(thread), log.unsnapped_bytes());
                self.run = Some(Run { thread, stop, prepared, adopted, covered });
            }
            // The machine gives no thread now: it is tried again when the log has grown.
            Err(_) => self.look_at = bytes + what.after_bytes,
        }
    }
}

/// How many bytes a log holds.
fn held(log: &Log) -> u64 {
    log.unsnapped_bytes() + log.last_snapshot().map_or(0, |(_, bytes)| bytes)
}

impl Drop for Run {
    /// The files are not this process's any more after that.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It may wait to hear that something was taken over.
        self.adopted = channel().0;
        if let Some(thread) = self.thread.take() {
            // A panic there was printed when it happened.
            drop(thread.join());
        }
    }
}

/// The thread's part.
struct Part {
    dir: PathBuf,
    store: Arc<DurableStore>,
    releases: Arc<Releases>,
    still: Arc<Mutex<()>>,
    stop: Arc<AtomicBool>,
}

impl Part {
    /// Waits until nobody copies the files, or somebody wants the end.
    fn still(&self) -> Option<MutexGuard<'_, ()>> {
        while !self.stop.load(Ordering::Relaxed) {
            match self.still.try_lock() {
                Ok(still) => return Some(still),
                // What the lock guards is on the disk.
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(COPY_WAIT),
            }
        }
        None
    }

    fn run(
        &self,
        (shard, until, bytes, results): (ShardId, Lsn, u64, u64),
        say: Sender<Prepared>,
        taken_over: &Receiver<()>,
        wake: &dyn Fn(),
    ) {
        let source = Source { dir: &self.dir, shard, until, bytes, results };
        // What cannot be read or written now is looked at again when the log has grown.
        let Ok(Some(mut prepared)) = prepare(&source, &self.stop) else { return };
        let Some(_still) = self.still() else { return };
        let unread = std::mem::take(&mut prepared.unread);
        // Once the log says nothing of them, nobody else would.
        if self.releases.prepare(until, std::mem::take(&mut prepared.unread_elsewhere)).is_err() {
            return;
        }
        if say.send(prepared).is_ok() {
            wake();
            if taken_over.recv().is_ok() {
                self.store.discard(&unread);
                // Where it cannot be written now it is when the state is opened again.
                drop(self.releases.adopt());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::Path;

    use bary_disk::file::FileDisk;
    use bary_journal::config::LogConfig;
    use bary_journal::recovery::Entry;
    use bary_ledger::consequences::Consequences;
    use bary_ledger::ledger::Ledger;
    use bary_ledger::record::Record;
    use bary_model::id::{Epoch, JobNo};
    use bary_model::job::About;
    use bary_model::payload::BlobRef;
    use bary_model::time::Wall;
    use bary_ports::journal::{Completion, Journal};
    use bary_ports::store::Store;
    use bary_wire::batch;

    use super::*;
    use crate::journal::FileJournal;
    use crate::state::batches;

    const SHARD: ShardId = ShardId(7);

    /// The log of a directory, and the ledger that it makes.
    fn open(dir: &Path) -> (Log, Ledger) {
        let mut ledger = Ledger::new(SHARD);
        let disk = Box::new(FileDisk::open(dir).expect("it is free"));
        let opened = Log::open(disk, LogConfig::default(), SHARD.0, &mut |entry: Entry<'_>| {
            for batch in batches(&entry) {
                let batch = batch.expect("it is sound");
                ledger.pass(batch.at.unwrap_or_default());
                for record in &batch.records {
                    ledger.apply(record, &mut Consequences::default());
                }
            }
            ControlFlow::Continue(())
        });
        (opened.expect("it is sound").0, ledger)
    }

    /// A job without tasks comes and is forgotten.
    fn passing(job: JobNo) -> [Record; 2] {
        let (name, specs, about) = ("a".into(), Vec::new().into(), About::default().shared());
        let (open, halt, key) = (false, None, None);
        let came = Record::Submitted { job, name, specs, open, halt, key, about };
        [came, Record::Forgotten { job }]
    }

    /// A log that goes on beside a store.
    struct Going {
        dir: tempfile::TempDir,
        journal: FileJournal,
        said: Receiver<Completion>,
        store: Arc<DurableStore>,
        forgotten: Arc<AtomicU64>,
        lsn: Lsn,
        jobs: u32,
    }

    impl Going {
        fn new(after_bytes: u64) -> Self {
            let dir = tempfile::tempdir().expect("there is room");
            let (log, _) = open(&dir.path().join("journal"));
            let store = DurableStore::open(&dir.path().join("blobs")).expect("there is room");
            let (store, forgotten) = (Arc::new(store), Arc::new(AtomicU64::new(0)));
            let what = Compactable {
                dir: dir.path().join("journal"),
                store: Arc::clone(&store),
                releases: Arc::new(Releases::open(dir.path(), Lsn(0)).expect("there is room")),
                still: Arc::default(),
                after_bytes,
                forgotten: Arc::clone(&forgotten),
            };
            let (say, said) = channel();
            let told = Box::new(move |completion| drop(say.send(completion)));
            let journal = FileJournal::start(log, Box::new(|| Ok(())), told, Some(what));
            let journal = journal.expect("the machine gives a thread");
            let mut going = Self { dir, journal, said, store, forgotten, lsn: Lsn(0), jobs: 0 };
            going.append(&[Record::Opened { epoch: Epoch(1) }]);
            going
        }

        fn append(&mut self, records: &[Record]) {
            self.lsn.0 += 1;
            let lsn = self.lsn;
            self.journal.append(lsn, &mut |bytes| {
                let encoded = batch::encode(Epoch(1), Some(Wall(lsn.0)), records, bytes);
                encoded.expect("it can be written");
            });
            assert_eq!(self.said.recv(), Ok(Completion::Durable(lsn)));
        }

        /// One more job that comes and is forgotten.
        fn pass(&mut self) {
            self.append(&passing(JobNo(self.jobs)));
            self.jobs += 1;
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }

        fn is_compacted(&self) -> bool {
            let mut files =
                std::fs::read_dir(self.dir.path().join("journal")).expect("it is there");
            files.any(|entry| {
                let name = entry.expect("it can be read").file_name();
                name.to_string_lossy().ends_with("snapshot")
            })
        }
    }

    #[test]
    fn a_log_that_goes_on_is_compacted_between_two_groups() {
        let mut going = Going::new(1);
        while !going.is_compacted() {
            going.pass();
        }
        let Going { dir, journal, jobs, lsn, .. } = going;
        drop(journal);
        let (log, ledger) = open(&dir.path().join("journal"));
        assert!(log.last_snapshot().is_some());
        assert_eq!((log.next(), ledger.at()), (Lsn(lsn.0 + 1), Wall(lsn.0)));
        assert_eq!((ledger.jobs(), ledger.numbers().count()), (jobs as usize, 0));
        ledger.check();
    }

    #[test]
    fn a_short_log_is_compacted_where_large_results_are_given_back_by_that() {
        let mut going = Going::new(64 << 20);
        (0..10).for_each(|_| going.pass());
        assert!(!going.is_compacted(), "a short one is not looked at");
        going.store.release(BlobRef { id: 0, len: 64 << 20 });
        // Far fewer than what would make it long.
        while !going.is_compacted() {
            assert!(going.jobs < 50_000, "it is compacted long before");
            going.pass();
        }
    }
}
