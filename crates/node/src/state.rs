//! A directory that a shard lives in: what its journal says is recalled, and what runs on it goes
//! on where the last run ended, however that ended.
//!
//! In the directory are `journal/`, which is locked while the state is open, `blobs/` with large
//! results, and the file `state`, which names the shard and says when its clock was zero. A node
//! that stays has its result cache there too, in `cache/`.

use std::io;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bary_disk::file::{FileDisk, OpenError as DiskOpenError};
use bary_engine::recall::Recall;
use bary_executor::leftover::{self, Family, LeftoverError};
use bary_journal::config::LogConfig;
use bary_journal::log::Log;
use bary_journal::recovery::{Entry, OpenError as LogOpenError};
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::event::Event;
use bary_model::id::{Epoch, JobNo, Lsn, ShardId};
use bary_model::job::{About, JobSpec};
use bary_model::time::Moment;
use bary_ports::disk::{Disk, DiskError};
use bary_store::durable::DurableStore;
use bary_wire::batch::{self, Batch};
use bary_wire::codec::{DecodeError, EncodeError};
use bary_wire::past;

use crate::backup::manifest;
use crate::birth::{Birth, BirthError};
use crate::board::clock;
use crate::journal::releases::Releases;

mod copies;

/// The directory of the journal in a state.
pub(crate) const JOURNAL: &str = "journal";
/// The directory of large results in a state.
pub(crate) const BLOBS: &str = "blobs";
/// The directory of results that may stand for equal work in a state; nothing is lost with it.
pub(crate) const CACHE: &str = "cache";
/// The file that says who lives in a state.
pub(crate) const STATE: &str = crate::birth::NAME;

/// Hears what happened on a state.
pub type Tell<'a> = &'a mut (dyn FnMut(Event) + Send);

/// An open state: nobody else has it, and nothing runs on it yet.
#[derive(Debug)]
pub struct State {
    pub(crate) log: Log,
    pub(crate) ledger: Ledger,
    pub(crate) store: Arc<DurableStore>,
    /// What other members are to give back that made results for it.
    pub(crate) releases: Arc<Releases>,
    pub(crate) birth: Birth,
    pub(crate) dir: PathBuf,
    /// Held while files of it are copied, and while files of it go.
    pub(crate) still: Arc<Mutex<()>>,
    /// The latest moment at which a task of it is known to have ended.
    pub(crate) latest: Moment,
    /// Whose its commands are.
    pub(crate) family: Family,
    /// How many processes an earlier run had left behind, which have been killed.
    pub(crate) leftovers: u32,
}

/// Why a state was not opened. Nothing was run, and nothing that it holds was changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is something else of that name.
    #[error("`{}` is not a directory; name one for the state, or a free name", .0.display())]
    NotADirectory(PathBuf),
    /// It is a backup, which whoever runs on it would spoil.
    #[error("`{}` is a backup; make a state of it first", .0.display())]
    Backup(PathBuf),
    /// Another process runs on it.
    #[error("the state is in use: `{}` is locked by {holder}", lock.display())]
    InUse {
        /// The file that is locked.
        lock: PathBuf,
        /// Who has it, as far as it said.
        holder: String,
    },
    /// The system refused.
    #[error("the state `{}` cannot be opened: {cause}", dir.display())]
    Refused {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The journal cannot be read, or written.
    #[error("the state `{}` cannot be opened: {cause}", dir.display())]
    Journal {
        /// The directory.
        dir: PathBuf,
        /// Why.
        #[source]
        cause: LogOpenError,
    },
    /// A newer program wrote it.
    #[error("the state `{}` is of a newer version of bary: {what}", dir.display())]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// Which part of it.
        what: String,
    },
    /// A program from before the first release wrote it.
    #[error("the state `{}` is of an older version of bary: {what}", dir.display())]
    Older {
        /// The directory.
        dir: PathBuf,
        /// Which part of it.
        what: String,
    },
    /// What it holds is not what was written.
    #[error("the state `{}` is damaged: {what}", dir.display())]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// What an earlier run has left behind may still run. It is safe to try again.
    #[error(transparent)]
    Leftover(#[from] LeftoverError),
}

impl StateError {
    /// Whether there was no space, so that it may be tried again when there is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Refused { cause, .. } => {
                matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Journal { cause: LogOpenError::Disk(cause), .. } => {
                matches!(cause, DiskError::Full { .. })
            }
            _ => false,
        }
    }
}

impl State {
    /// Opens the state of a directory, or makes one, and tells `tell` what happened on it so far.
    ///
    /// # Errors
    /// Where there is none and none can be made; see [`StateError`].
    pub fn open(dir: &Path, tell: Tell<'_>) -> Result<Self, StateError> {
        Self::open_on(dir, |disk| Box::new(disk), tell)
    }

    /// As [`State::open`], with what `on` makes of the disk under the journal: one that counts, or
    /// fails.
    ///
    /// # Errors
    /// As [`State::open`].
    pub fn open_on(
        dir: &Path,
        on: impl FnOnce(FileDisk) -> Box<dyn Disk>,
        tell: Tell<'_>,
    ) -> Result<Self, StateError> {
        Self::open_whose(dir, on, None, tell)
    }

    fn open_whose(
        dir: &Path,
        on: impl FnOnce(FileDisk) -> Box<dyn Disk>,
        home: Option<u64>,
        tell: Tell<'_>,
    ) -> Result<Self, StateError> {
        if dir.exists() && !dir.is_dir() {
            return Err(StateError::NotADirectory(dir.to_owned()));
        }
        if dir.join(manifest::NAME).exists() {
            return Err(StateError::Backup(dir.to_owned()));
        }
        let disk = FileDisk::open(&dir.join(JOURNAL)).map_err(|error| not_opened(dir, error))?;
        let refused = |cause| StateError::Refused { dir: dir.to_owned(), cause };
        let birth = birth(dir, &disk)?;
        let (log, found, recall) = recover(dir, on(disk), (birth, home), tell)?;
        if found != birth.shard {
            let what = format!("its journal and its file `state` are of two states; {RESTORE}");
            return Err(damaged(dir, &what));
        }
        let store = Arc::new(DurableStore::open(&dir.join(BLOBS)).map_err(refused)?);
        let adopted = log.last_snapshot().map_or(Lsn(0), |(lsn, _)| lsn);
        let releases = Arc::new(Releases::open(dir, adopted).map_err(refused)?);
        let (latest, ledger) = (recall.latest(), recall.finish());
        let family = Family::of_state(birth.shard.0, dir);
        let leftovers = leftover::end(family)?;
        let (dir, still) = (dir.to_owned(), Arc::default());
        Ok(Self { log, ledger, store, releases, birth, dir, still, latest, family, leftovers })
    }

    /// What is true in it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The shard that lives in it.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.birth.shard
    }

    /// How many processes an earlier run had left behind; opening has killed them.
    #[must_use]
    pub fn leftovers(&self) -> u32 {
        self.leftovers
    }

    /// The moment of the calendar at which its clock was zero: all runs on it share that clock.
    #[must_use]
    pub fn origin(&self) -> SystemTime {
        self.birth.at
    }

    /// The number of the next batch.
    pub(crate) fn next(&self) -> Lsn {
        self.log.next()
    }
}

/// Who lives in a directory; somebody new where nobody ever did.
fn birth(dir: &Path, disk: &FileDisk) -> Result<Birth, StateError> {
    let told = |error| match error {
        BirthError::Newer(version) => {
            StateError::Newer { dir: dir.to_owned(), what: format!("version {version}") }
        }
        BirthError::Damaged => damaged(dir, &format!("its file `state` is not one; {RESTORE}")),
        BirthError::Refused(cause) => StateError::Refused { dir: dir.to_owned(), cause },
    };
    let names = disk.names().map_err(|error| {
        let cause = LogOpenError::Disk(error);
        StateError::Journal { dir: dir.to_owned(), cause }
    })?;
    let has_journal = names.iter().any(|file| file.name.ends_with(".log"));
    match (Birth::of(dir).map_err(told)?, has_journal) {
        (Some(_), false) if has_blobs(dir) => {
            Err(damaged(dir, &format!("its results are there, but not its journal; {RESTORE}")))
        }
        (Some(birth), _) => Ok(birth),
        (None, false) => Birth::make(dir).map_err(told),
        // The file is there before the journal is.
        (None, true) => Err(damaged(dir, &format!("its file `state` is missing; {RESTORE}"))),
    }
}

/// What is to be done about a state of which a part is lost.
const RESTORE: &str = "restore it from a copy, or remove the directory to run all of it again";

/// Whether results were kept, which happens only after a job is in the journal.
fn has_blobs(dir: &Path) -> bool {
    std::fs::read_dir(dir.join(BLOBS)).is_ok_and(|mut entries| entries.next().is_some())
}

/// Opens the log and folds its batches; one thread decodes ahead of the other.
fn recover(
    dir: &Path,
    disk: Box<dyn Disk>,
    (birth, home): (Birth, Option<u64>),
    tell: Tell<'_>,
) -> Result<(Log, ShardId, Recall), StateError> {
    let (ahead, batches) = sync_channel::<Batch>(BATCHES_AHEAD_MAX);
    std::thread::scope(|scope| {
        let (shard, origin) = (birth.shard, clock::wall(birth.at));
        let mut recall = Recall::new(shard).since(origin);
        let fold = move || {
            for mut batch in batches {
                if let Some(home) = home {
                    batch.records.iter_mut().for_each(|record| copies::of_member(home, record));
                }
                recall.take_in((batch.epoch, batch.at), batch.records, tell);
            }
            recall
        };
        let folding = std::thread::Builder::new().name("bary-recall".into());
        let folding = folding.spawn_scoped(scope, fold);
        let folding =
            folding.map_err(|cause| StateError::Refused { dir: dir.to_owned(), cause })?;
        let read = read(dir, disk, shard, ahead);
        let recall = folding.join().unwrap_or_else(|panic| resume_unwind(panic));
        let (log, found) = read?;
        Ok((log, found, recall))
    })
}

/// How many decoded batches may wait to be folded.
const BATCHES_AHEAD_MAX: usize = 64;

/// Opens the log and hands on its batches.
fn read(
    dir: &Path,
    disk: Box<dyn Disk>,
    shard: ShardId,
    ahead: SyncSender<Batch>,
) -> Result<(Log, ShardId), StateError> {
    let mut wrong = None;
    let mut visit = |entry: Entry<'_>| {
        for batch in batches(&entry) {
            match batch {
                Ok(batch) => {
                    if ahead.send(batch).is_err() {
                        // The other thread has panicked.
                        return ControlFlow::Break(());
                    }
                }
                Err(error) => {
                    wrong = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    };
    let opened = Log::open(disk, LogConfig::default(), shard.0, &mut visit);
    match (opened, wrong) {
        (Ok((log, recovered)), _) => Ok((log, ShardId(recovered.id))),
        (Err(_), Some(error @ DecodeError::Newer { .. })) => {
            Err(StateError::Newer { dir: dir.to_owned(), what: error.to_string() })
        }
        (Err(_), Some(error @ DecodeError::Older { .. })) => {
            Err(StateError::Older { dir: dir.to_owned(), what: error.to_string() })
        }
        (Err(_), Some(error)) => Err(damaged(dir, &error.to_string())),
        (Err(error @ LogOpenError::TooNew { .. }), None) => {
            Err(StateError::Newer { dir: dir.to_owned(), what: error.to_string() })
        }
        (Err(error @ (LogOpenError::Corrupt { .. } | LogOpenError::Missing { .. })), None) => {
            Err(damaged(dir, &error.to_string()))
        }
        (Err(cause), None) => Err(StateError::Journal { dir: dir.to_owned(), cause }),
    }
}

/// The batches that an entry of a log stands for.
pub(crate) fn batches<'a>(
    entry: &Entry<'a>,
) -> impl Iterator<Item = Result<Batch, DecodeError>> + use<'a> {
    let (one, several) = match entry {
        Entry::Batch { batch: bytes, .. } => (Some(batch::decode(bytes)), None),
        Entry::Snapshot { state, .. } => match past::read(state) {
            Ok(batches) => (None, Some(batches)),
            Err(error) => (Some(Err(error)), None),
        },
    };
    one.into_iter().chain(several.into_iter().flatten())
}

fn damaged(dir: &Path, what: &str) -> StateError {
    StateError::Damaged { dir: dir.to_owned(), what: what.to_owned() }
}

fn not_opened(dir: &Path, error: DiskOpenError) -> StateError {
    match error {
        DiskOpenError::InUse { dir, holder } => StateError::InUse {
            lock: dir.join("lock"),
            holder: holder.map_or_else(|| "another process".into(), |pid| format!("process {pid}")),
        },
        DiskOpenError::Failed { cause, .. } => StateError::Refused { dir: dir.to_owned(), cause },
    }
}

/// A hash of all that a job is, the same for the same job in any run.
///
/// # Errors
/// Where it holds a value that no journal takes.
pub fn content(job: &JobSpec) -> Result<u128, EncodeError> {
    let JobSpec { name, specs, open, halt, key: _, about } = job;
    let about = Arc::new(About { submitted: None, ..about.clone() });
    let (no, name, specs) = (JobNo(0), name.clone(), Arc::clone(specs));
    let (open, halt, key) = (*open, *halt, None);
    let record = Record::Submitted { job: no, name, specs, open, halt, key, about };
    let mut bytes = Vec::new();
    // Without a moment, which is not of the job.
    batch::encode(Epoch(0), None, &[record], &mut bytes)?;
    let hash = blake3::hash(&bytes);
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    Ok(u128::from_le_bytes(half))
}
