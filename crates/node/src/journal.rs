//! A journal on a disk: a thread takes all batches that have come in, makes durable what they refer
//! to, writes them, syncs once, and says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bary_journal::group::GroupCommit;
use bary_journal::log::Log;
use bary_model::id::Lsn;
use bary_ports::journal::{Completion, Journal, Room};
use bytes::Bytes;

use compacting::{Compactable, Compacting};

pub(crate) mod compact;
pub(crate) mod compacting;
pub(crate) mod releases;

/// How many bytes of batches may wait to be durable. The node decides nothing more until some are.
pub const JOURNAL_QUEUE_BYTES_MAX: usize = 64 << 20;

/// The journal's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("journal_queue_bytes_max", "64 MiB", "bytes that wait to be durable under --state"),
    (
        "compact_after_bytes",
        "16 MiB",
        "bytes of the journal, or of results that nobody reads, before forgotten jobs are left out",
    ),
    ("segment_bytes", "8 MiB", "bytes of one file of the journal under --state"),
    ("reserve_bytes", "4 MiB", "bytes set aside for outcomes when the disk is full"),
    ("batch_bytes_max", "256 MiB", "bytes of one batch of the journal, such as a submission"),
];

/// How long the journal waits before it looks again whether a full disk has space.
const FULL_WAIT: Duration = Duration::from_millis(200);

/// What must be durable before the batches that were appended after it are written.
pub(crate) type Before = Box<dyn FnMut() -> std::io::Result<()> + Send>;
/// Where the journal says what it has done.
pub(crate) type Told = Box<dyn FnMut(Completion) + Send>;

/// The writing end of a log.
pub(crate) struct FileJournal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    durable: AtomicU64,
    /// How often a write began or ended: odd while one is under way.
    turns: AtomicU64,
}

/// Tells whether a journal's thread goes on.
#[derive(Clone)]
pub(crate) struct JournalPulse(Arc<Shared>);

impl JournalPulse {
    /// A number that changes when a write begins and when it ends; odd while one is under way.
    pub(crate) fn turn(&self) -> u64 {
        self.0.turns.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for JournalPulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JournalPulse").field(&self.turn()).finish()
    }
}

#[derive(Default)]
struct Queue {
    batches: Vec<(Lsn, Bytes)>,
    /// Bytes of these and of those that the thread has taken and not written.
    bytes: usize,
    closing: bool,
    /// Whether a compaction has come further.
    woken: bool,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileJournal {
    /// What tells whether its thread goes on.
    pub(crate) fn pulse(&self) -> JournalPulse {
        JournalPulse(Arc::clone(&self.shared))
    }

    /// Starts the thread of an open log.
    ///
    /// # Errors
    /// Where the machine gives no thread.
    pub(crate) fn start(
        log: Log,
        before: Before,
        told: Told,
        what: Option<Compactable>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.durable.store(log.durable().0, Ordering::Relaxed);
        let room = log.room();
        let group = GroupCommit::new(log);
        let compacting = Compacting::new(what);
        let writer = Writer { compacting, shared: Arc::clone(&shared), group, room, before, told };
        let named = std::thread::Builder::new().name("bary-journal".into());
        let thread = named.spawn(move || writer.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Journal for FileJournal {
    fn append(&mut self, lsn: Lsn, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Lsn {
        let mut batch = Vec::new();
        encode(&mut batch);
        let mut queue = self.shared.queue();
        queue.bytes += batch.len();
        queue.batches.push((lsn, batch.into()));
        drop(queue);
        self.shared.work.notify_one();
        Lsn(self.shared.durable.load(Ordering::Acquire))
    }

    fn is_full(&self) -> bool {
        self.shared.queue().bytes >= JOURNAL_QUEUE_BYTES_MAX
    }
}

impl Drop for FileJournal {
    /// Writes what was appended, where there is space for it.
    fn drop(&mut self) {
        self.shared.queue().closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed when it happened.
            drop(thread.join());
        }
    }
}

/// The thread's part.
struct Writer {
    /// Ends before the log does, whose files it reads.
    compacting: Compacting,
    shared: Arc<Shared>,
    group: GroupCommit,
    /// What was told last of it.
    room: Room,
    before: Before,
    told: Told,
}

impl Writer {
    fn run(mut self) {
        let mut failed = false;
        loop {
            let (batches, closing) = self.wait();
            self.shared.turns.fetch_add(1, Ordering::Relaxed);
            if failed {
                // What comes after a failure is durable for nobody.
            } else if let Err(cause) = self.commit(batches) {
                failed = true;
                (self.told)(Completion::Failed {
                    why: format!("a result cannot be kept: {cause}"),
                });
            } else if !closing {
                self.compact();
            }
            self.shared.turns.fetch_add(1, Ordering::Relaxed);
            if closing {
                // Where the log has failed, that was told.
                drop(self.group.log().settle());
                return;
            }
        }
    }

    /// Waits for batches; for a while only, where the disk has little space.
    fn wait(&self) -> (Vec<(Lsn, Bytes)>, bool) {
        let hurried = self.group.waiting_bytes() > 0;
        let mut queue = self.shared.queue();
        while queue.batches.is_empty() && !queue.closing && !queue.woken {
            if hurried || self.room != Room::Ample {
                let waited = self.shared.work.wait_timeout(queue, FULL_WAIT);
                queue = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue);
                break;
            }
            queue = self.shared.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.woken = false;
        (std::mem::take(&mut queue.batches), queue.closing)
    }

    /// Leaves out of the log what counts no more.
    fn compact(&mut self) {
        let shared = Arc::clone(&self.shared);
        let wake = move || {
            shared.queue().woken = true;
            shared.work.notify_one();
        };
        // A log that fails in this tells it when it is written next.
        drop(self.compacting.go_on(self.group.log(), wake));
    }

    /// Makes batches durable, as far as there is space.
    fn commit(&mut self, batches: Vec<(Lsn, Bytes)>) -> std::io::Result<()> {
        (self.before)()?;
        let taken: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
        let held = self.group.waiting_bytes() + taken;
        for (lsn, batch) in batches {
            self.group.push(lsn, batch);
        }
        let (shared, told) = (&self.shared, &mut self.told);
        let mut completions = Vec::new();
        self.group.commit(&mut |completion| completions.push(completion));
        shared.queue().bytes -= held - self.group.waiting_bytes();
        for completion in completions {
            match completion {
                Completion::Durable(lsn) => shared.durable.store(lsn.0, Ordering::Release),
                Completion::Room(room) => self.room = room,
                Completion::Failed { .. } => {}
            }
            told(completion);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, channel};

    use bary_journal::config::LogConfig;
    use bary_journal::recovery::Entry;
    use bary_ports::disk::memory::MemoryDisk;

    use super::*;

    fn journal(before: Before) -> (FileJournal, Receiver<Completion>) {
        let mut visit = |_: Entry<'_>| std::ops::ControlFlow::Continue(());
        let disk = Box::new(MemoryDisk::default());
        let opened = Log::open(disk, LogConfig::default(), 1, &mut visit);
        let (log, _) = opened.expect("memory has room");
        let (say, said) = channel();
        let told = Box::new(move |completion| drop(say.send(completion)));
        let journal = FileJournal::start(log, before, told, None);
        (journal.expect("the machine gives a thread"), said)
    }

    fn append(journal: &mut FileJournal, lsn: u64) -> Lsn {
        journal.append(Lsn(lsn), &mut |bytes| bytes.extend_from_slice(b"batch"))
    }

    #[test]
    fn what_was_appended_is_durable_in_order_and_at_the_end() {
        let (mut journal, said) = journal(Box::new(|| Ok(())));
        for lsn in 1..=100 {
            assert!(append(&mut journal, lsn) <= Lsn(lsn));
        }
        drop(journal);
        let told: Vec<Completion> = said.into_iter().collect();
        assert_eq!(told.last(), Some(&Completion::Durable(Lsn(100))));
        let numbers = told.iter().filter_map(|completion| match completion {
            Completion::Durable(lsn) => Some(lsn.0),
            _ => None,
        });
        assert!(numbers.is_sorted_by(|a, b| a < b), "{told:?}");
    }

    #[test]
    fn a_write_that_hangs_is_seen() {
        let (go, gone) = channel::<()>();
        let (begin, began) = channel();
        let (mut journal, said) = journal(Box::new(move || {
            begin.send(()).expect("the test waits for it");
            // The test lets it go on by going away.
            let _: Result<(), _> = gone.recv();
            Ok(())
        }));
        let pulse = journal.pulse();
        let idle = pulse.turn();
        assert_eq!(idle % 2, 0);
        append(&mut journal, 1);
        began.recv().expect("it begins");
        let hangs = pulse.turn();
        assert_eq!((hangs, pulse.turn()), (idle + 1, hangs), "it does not go on");
        drop(go);
        assert_eq!(said.recv(), Ok(Completion::Durable(Lsn(1))));
        drop((journal, began));
        assert_eq!(pulse.turn() % 2, 0);
    }

    #[test]
    fn a_batch_is_written_only_after_what_it_refers_to_is_durable() {
        let mut times = 0;
        let (mut journal, said) = journal(Box::new(move || {
            times += 1;
            if times == 1 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }));
        append(&mut journal, 1);
        assert_eq!(said.recv(), Ok(Completion::Durable(Lsn(1))));
        assert_eq!(append(&mut journal, 2), Lsn(1), "it is not durable at once");
        assert!(matches!(said.recv(), Ok(Completion::Failed { .. })));
        append(&mut journal, 3);
        drop(journal);
        assert_eq!(said.recv().ok(), None, "nothing comes after a failure");
    }
}
