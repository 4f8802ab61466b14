//! The copy of a shard that a member keeps: its journal takes what the group has agreed on, whether
//! the shard's home is here or not.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bary_journal::log::Log;
use bary_ledger::record::Record;
use bary_model::id::Lsn;
use bary_model::payload::BlobRef;
use bary_ports::journal::{Completion, Journal as _};
use bary_ports::store::Store as _;
use bary_replica::copy::Copy;
use bary_store::durable::DurableStore;
use bary_wire::batch;
use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use super::archive;
use crate::journal::FileJournal;
use crate::journal::compacting::Compactable;
use crate::journal::releases::Releases;
use crate::state::{BLOBS, JOURNAL, State};

/// How long to wait before looking again whether a journal that failed has said so.
const LOOK: Duration = Duration::from_millis(200);
/// How long a journal may rest while what was agreed on waits for it: as long as a large one takes
/// to be read, and more.
const REST_MAX: Duration = Duration::from_secs(120);

/// A copy.
pub(crate) struct ShardCopy {
    dir: PathBuf,
    after_bytes: u64,
    holding: Mutex<Holding>,
    /// The journal rests no more.
    woken: Condvar,
    progress: Arc<Progress>,
}

/// Who writes the journal.
enum Pen {
    /// There is none: it has not come yet.
    Nobody,
    /// It is handed from one to the other: what was agreed on waits.
    Rests,
    Writes(FileJournal),
}

/// What is open of it.
struct Holding {
    pen: Pen,
    next: Lsn,
    /// Held while its files are copied.
    still: Arc<Mutex<()>>,
    /// How many jobs were forgotten, which nobody counts but the home where it is here.
    forgotten: Option<Arc<AtomicU64>>,
    /// What counts how much of the home's results was given back, and what is to be told of them.
    results: Option<Results>,
}

/// See [`Holding::results`].
type Results = (Arc<DurableStore>, Arc<Releases>);

/// How far its journal is.
#[derive(Default)]
struct Progress {
    state: Mutex<Far>,
    moved: Condvar,
}

#[derive(Default)]
struct Far {
    durable: Lsn,
    failed: Option<String>,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, Far> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, completion: &Completion) {
        let mut far = self.state();
        match completion {
            Completion::Durable(lsn) => far.durable = far.durable.max(*lsn),
            Completion::Failed { why } => far.failed = Some(why.clone()),
            Completion::Room(_) => return,
        }
        drop(far);
        self.moved.notify_all();
    }

    /// Waits until it is so, or the journal has failed.
    fn until(&self, is_so: impl Fn(&Far) -> bool) -> io::Result<()> {
        let mut far = self.state();
        loop {
            if let Some(why) = &far.failed {
                return Err(io::Error::other(why.clone()));
            }
            if is_so(&far) {
                return Ok(());
            }
            let waited = self.moved.wait_timeout(far, LOOK);
            far = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(far, _)| far);
        }
    }
}

impl std::fmt::Debug for ShardCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardCopy").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl ShardCopy {
    /// The copy of a directory, which may have none yet.
    pub(crate) fn open(dir: &Path, after_bytes: u64) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        archive::mend(dir)?;
        let copy = Self {
            dir: dir.to_owned(),
            after_bytes,
            holding: Mutex::new(Holding {
                pen: Pen::Nobody,
                next: Lsn(1),
                still: Arc::default(),
                forgotten: None,
                results: None,
            }),
            woken: Condvar::new(),
            progress: Arc::default(),
        };
        copy.keep()?;
        Ok(copy)
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is open of it, once that does not rest.
    fn awake(&self) -> io::Result<MutexGuard<'_, Holding>> {
        let rests = |holding: &mut Holding| matches!(holding.pen, Pen::Rests);
        let woken = self.woken.wait_timeout_while(self.holding(), REST_MAX, rests);
        let (holding, waited) = woken.unwrap_or_else(PoisonError::into_inner);
        match waited.timed_out() {
            true => Err(io::Error::other(format!("the journal rested for {REST_MAX:?}"))),
            false => Ok(holding),
        }
    }

    /// Writes the journal of its directory from now on, for no home that is here; as before where
    /// it is written. Where it cannot be, nobody writes it.
    pub(crate) fn keep(&self) -> io::Result<()> {
        if let Pen::Writes(_) = self.holding().pen {
            return Ok(());
        }
        let kept = self.try_to_keep();
        let mut holding = self.holding();
        if let Pen::Rests = holding.pen {
            holding.pen = Pen::Nobody;
            drop(holding);
            self.woken.notify_all();
        }
        kept
    }

    fn try_to_keep(&self) -> io::Result<()> {
        if !self.dir.join(JOURNAL).exists() {
            return Ok(());
        }
        let log = State::log(&self.dir).map_err(io::Error::other)?;
        let store = Arc::new(DurableStore::open(&self.dir.join(BLOBS))?);
        let adopted = log.last_snapshot().map_or(Lsn(0), |(lsn, _)| lsn);
        let releases = Arc::new(Releases::open(&self.dir, adopted)?);
        let (still, forgotten) = (Arc::default(), Arc::<AtomicU64>::default());
        let what = Compactable {
            dir: self.dir.join(JOURNAL),
            store,
            releases,
            still: Arc::clone(&still),
            after_bytes: self.after_bytes,
            forgotten: Arc::clone(&forgotten),
        };
        self.begin(log, what, None, (still, Some(forgotten)))
    }

    /// Writes a journal from now on whose home is here, which hears how much room there is.
    pub(crate) fn serve(
        &self,
        log: Log,
        what: Compactable,
        say: UnboundedSender<Completion>,
    ) -> io::Result<()> {
        let still = Arc::clone(&what.still);
        self.begin(log, what, Some(say), (still, None))
    }

    fn begin(
        &self,
        log: Log,
        what: Compactable,
        say: Option<UnboundedSender<Completion>>,
        (still, forgotten): (Arc<Mutex<()>>, Option<Arc<AtomicU64>>),
    ) -> io::Result<()> {
        let (next, durable) = (log.next(), log.durable());
        let results = Some((Arc::clone(&what.store), Arc::clone(&what.releases)));
        let progress = Arc::clone(&self.progress);
        *progress.state() = Far { durable, failed: None };
        let told = Box::new(move |completion| {
            progress.note(&completion);
            if let (Some(say), Completion::Room(_) | Completion::Failed { .. }) =
                (&say, &completion)
            {
                // A home that has ended wants to know nothing.
                drop(say.send(completion));
            }
        });
        let journal = FileJournal::start(log, Box::new(|| Ok(())), told, Some(what))?;
        let pen = Pen::Writes(journal);
        *self.holding() = Holding { pen, next, still, forgotten, results };
        self.woken.notify_all();
        Ok(())
    }

    /// What members are to give back that the journal refers to no more, while it is written.
    pub(crate) fn releases(&self) -> Option<Arc<Releases>> {
        self.holding().results.as_ref().map(|(_, releases)| Arc::clone(releases))
    }

    /// Nobody reads a result of the home any more that is here, so that the journal may be worth to
    /// be compacted.
    pub(crate) fn release(&self, blob: BlobRef) {
        if let Some((store, _)) = &self.holding().results {
            store.release(blob);
        }
    }

    /// Closes the journal for good: nobody writes it any more, and what comes yet is refused.
    pub(crate) fn shut(&self) {
        let (pen, results) = {
            let mut holding = self.holding();
            (std::mem::replace(&mut holding.pen, Pen::Nobody), holding.results.take())
        };
        self.woken.notify_all();
        close(pen, results);
    }

    /// Closes the journal, so that it can be opened anew: all that was taken is on the disk, and
    /// what is agreed on meanwhile waits until [`ShardCopy::keep`] or [`ShardCopy::serve`].
    pub(crate) fn rest(&self) {
        // One that rests for too long is as good as closed.
        let mut holding = self.awake().unwrap_or_else(|_| self.holding());
        let pen = std::mem::replace(&mut holding.pen, Pen::Rests);
        let results = holding.results.take();
        drop(holding);
        close(pen, results);
    }
}

/// Ends what wrote a journal.
fn close(pen: Pen, results: Option<Results>) {
    // Its thread, which is waited for, writes what it has taken, and tells how far it is.
    drop(pen);
    results.into_iter().for_each(|(_, releases)| releases.close());
}

impl Copy for ShardCopy {
    fn next(&self) -> Lsn {
        self.holding().next
    }

    fn append(&self, lsn: Lsn, bytes: &Bytes) -> io::Result<()> {
        loop {
            let mut holding = self.awake()?;
            let Holding { pen, next, forgotten, .. } = &mut *holding;
            let Pen::Writes(journal) = pen else {
                return Err(io::Error::other("the journal of this shard has not come yet"));
            };
            if journal.is_full() {
                let before = self.progress.state().durable;
                drop(holding);
                self.progress.until(|far| far.durable > before)?;
                continue;
            }
            if let Some(count) = forgotten {
                count.fetch_add(forgets(bytes), Ordering::Relaxed);
            }
            journal.append(lsn, &mut |into| into.extend_from_slice(bytes));
            *next = Lsn(lsn.0 + 1);
            return Ok(());
        }
    }

    fn sync(&self) -> io::Result<()> {
        let holding = self.awake()?;
        let last = Lsn(holding.next.0 - 1);
        if let Pen::Nobody = holding.pen {
            return Ok(());
        }
        drop(holding);
        self.progress.until(|far| far.durable >= last)
    }

    fn pack(&self, into: &Path) -> io::Result<()> {
        let still = Arc::clone(&self.awake()?.still);
        let _still = still.lock().unwrap_or_else(PoisonError::into_inner);
        archive::pack(&self.dir, into)
    }

    fn unpack(&self, from: &Path) -> io::Result<()> {
        self.rest();
        let unpacked = archive::unpack(from, &self.dir);
        // What could not be read has changed nothing.
        self.keep()?;
        unpacked
    }
}

/// How many jobs a batch forgets.
fn forgets(bytes: &[u8]) -> u64 {
    // One that this version cannot read counts when it is opened.
    let records = batch::decode(bytes).map(|batch| batch.records).unwrap_or_default();
    let forgets = |record: &&Record| matches!(record, Record::Forgotten { .. });
    records.iter().filter(forgets).count() as u64
}
