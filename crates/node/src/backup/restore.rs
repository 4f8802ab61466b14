//! Makes a state of a backup, as it was at an instant that its log names. The backup is not
//! changed, and is held against its manifest before anything is believed.
//!
//! The new state is another shard: what nodes still hold of the old one, and outcomes that are on
//! their way, are under a fence that the new one does not know.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bary_disk::file::{FileDisk, OpenError as DiskOpenError};
use bary_journal::config::LogConfig;
use bary_journal::log::{Log, WriteError};
use bary_journal::reading;
use bary_journal::recovery::{Entry, OpenError as LogOpenError};
use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_model::id::ShardId;
use bary_model::payload::{BlobRef, Payload};
use bary_model::time::Wall;
use bary_ports::store::StoreError;
use bary_store::durable::DurableStore;
use bary_wire::batch::{self, Batch};
use bary_wire::codec::DecodeError;

use super::copy::{Part, copy_file};
use super::manifest::{Manifest, ManifestError};
use super::place::{self, Draft};
use crate::access::{KEYRING, TOKEN};
use crate::audit::AUDIT;
use crate::birth::{Birth, BirthError};
use crate::state::{BLOBS, JOURNAL, batches};

/// A state that was made of a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many jobs it has that are not forgotten.
    pub jobs: u64,
    /// How many tasks these have.
    pub tasks: u64,
    /// How many of them have ended.
    pub ended: u64,
    /// When its last batch was written; `None` where no batch of it says so.
    pub at: Option<Wall>,
    /// The instants from and up to which the backup can be restored; `None` where its log names
    /// none.
    pub range: Option<(Wall, Wall)>,
}

/// Why nothing was restored. There is no new state, and the backup is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is no such directory.
    #[error("there is no backup `{}`", .0.display())]
    NotThere(PathBuf),
    /// It is no backup, or not what was copied.
    #[error("the backup `{}` is not sound: {cause}", dir.display())]
    Unsound {
        /// The backup.
        dir: PathBuf,
        /// What is wrong.
        #[source]
        cause: ManifestError,
    },
    /// What was copied was not sound, or is of a newer program.
    #[error("the backup `{}` cannot be read: {what}", dir.display())]
    Unreadable {
        /// The backup.
        dir: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The place is not free.
    #[error("`{}` is there and is not empty; name a new directory", .0.display())]
    Taken(PathBuf),
    /// The instant is before those that can be named.
    #[error("the backup begins later")]
    TooEarly {
        /// The first instant that can be named.
        first: Wall,
        /// The last.
        last: Wall,
    },
    /// No batch says when it was written, so that no instant can be named.
    #[error("the journal of the backup does not say when its batches were written")]
    Timeless,
    /// A result that is referred to cannot be copied.
    #[error("a result of the backup cannot be copied: {0}")]
    Result(#[from] StoreError),
    /// The system refused.
    #[error("`{}`: {cause}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Makes the state `to` of the backup `from`: as it was after the last batch that was written at
/// this instant or before it, or all of it.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(from: &Path, at: Option<Wall>, to: &Path) -> Result<Restored, RestoreError> {
    if !from.is_dir() {
        return Err(RestoreError::NotThere(from.to_owned()));
    }
    let is_free = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(cause) => cause.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(RestoreError::Taken(to.to_owned()));
    }
    let unsound = |cause| RestoreError::Unsound { dir: from.to_owned(), cause };
    let manifest = Manifest::of(from).map_err(unsound)?;
    manifest.verify(from).map_err(unsound)?;
    let refused = |cause| RestoreError::Refused { path: to.to_owned(), cause };
    if let Some(above) = to.parent() {
        fs::create_dir_all(above).map_err(refused)?;
    }
    let draft = Draft::begin(to).map_err(refused)?;
    let restored = write(from, at, &draft.dir, &manifest)?;
    draft.finish().map_err(refused)?;
    Ok(restored)
}

/// Writes the new state to a directory of its own.
fn write(
    from: &Path,
    at: Option<Wall>,
    into: &Path,
    manifest: &Manifest,
) -> Result<Restored, RestoreError> {
    let refused = |cause| RestoreError::Refused { path: into.to_owned(), cause };
    let old = match Birth::of(from) {
        Ok(Some(birth)) => birth,
        Ok(None) | Err(BirthError::Damaged) => {
            return Err(unreadable(from, "its file `state` is not one"));
        }
        Err(BirthError::Newer(version)) => {
            return Err(unreadable(from, &format!("it is of a newer version: {version}")));
        }
        Err(BirthError::Refused(cause)) => return Err(refused(cause)),
    };
    let new = old.again();
    let mut rewrite = Rewrite::begin(from, into, (old.shard, new.shard), at)?;
    rewrite.all(from)?;
    let restored = rewrite.finish(at)?;
    for name in manifest.files.keys() {
        let own = [KEYRING, TOKEN].contains(&name.as_str());
        if own || name.strip_prefix(AUDIT).is_some_and(|rest| rest.starts_with('/')) {
            let to = into.join(name);
            to.parent().map_or(Ok(()), place::make).map_err(refused)?;
            copy_file(&from.join(name), &to, Part::All).map_err(refused)?;
        }
    }
    new.write(into).map_err(refused)?;
    for part in [JOURNAL, BLOBS, AUDIT] {
        let dir = into.join(part);
        if dir.exists() {
            place::sync(&dir).map_err(refused)?;
        }
    }
    Ok(restored)
}

fn unreadable(from: &Path, what: &str) -> RestoreError {
    RestoreError::Unreadable { dir: from.to_owned(), what: what.to_owned() }
}

/// A log that is written again, batch for batch, up to an instant.
struct Rewrite {
    into: PathBuf,
    log: Log,
    ledger: Ledger,
    /// The shard that it was of, and the one that it is of from here on.
    shards: (ShardId, ShardId),
    results: Results,
    until: Option<Wall>,
    /// The latest instant that was read, and whether it is beyond what is wanted.
    now: Wall,
    beyond: bool,
    /// The first instant that was read.
    first: Option<Wall>,
    batch: Vec<u8>,
}

/// Results on their way from a store to another.
struct Results {
    from: DurableStore,
    to: DurableStore,
    /// By their names in the first.
    moved: BTreeMap<u64, BlobRef>,
}

impl Rewrite {
    fn begin(
        from: &Path,
        into: &Path,
        shards: (ShardId, ShardId),
        until: Option<Wall>,
    ) -> Result<Self, RestoreError> {
        let refused = |cause| RestoreError::Refused { path: into.to_owned(), cause };
        let disk = FileDisk::open(&into.join(JOURNAL)).map_err(|error| match error {
            DiskOpenError::Failed { cause, .. } => refused(cause),
            // Nobody else knows the draft.
            DiskOpenError::InUse { .. } => refused(io::ErrorKind::ResourceBusy.into()),
        })?;
        let (id, mut visit) = (shards.1.0, |_: Entry<'_>| ControlFlow::Continue(()));
        let opened = Log::open(Box::new(disk), LogConfig::default(), id, &mut visit);
        let (log, _) = opened.map_err(|error| refused(io::Error::other(error.to_string())))?;
        let source = DurableStore::open(&from.join(BLOBS)).map_err(refused)?;
        let to = DurableStore::open(&into.join(BLOBS)).map_err(refused)?;
        // A full disk is told at once.
        to.give_up();
        Ok(Self {
            into: into.to_owned(),
            log,
            ledger: Ledger::new(shards.1),
            shards,
            results: Results { from: source, to, moved: BTreeMap::new() },
            until,
            now: Wall(0),
            beyond: false,
            first: None,
            batch: Vec::new(),
        })
    }

    /// Reads the log of a backup to its end.
    fn all(&mut self, from: &Path) -> Result<(), RestoreError> {
        let disk = FileDisk::peek(&from.join(JOURNAL));
        let disk = disk.map_err(|error| unreadable(from, &error.to_string()))?;
        let mut wrong = None;
        let read = reading::read(&disk, &mut |entry| {
            let mut take = |batch: Result<Batch, DecodeError>| {
                let batch = batch.map_err(|error| unreadable(from, &error.to_string()))?;
                self.take(batch)
            };
            match batches(&entry).try_for_each(&mut take) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    wrong = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        match (read, wrong) {
            (_, Some(error)) => Err(error),
            (Err(LogOpenError::Disk(error)), None) => {
                let cause = io::Error::other(error.to_string());
                Err(RestoreError::Refused { path: from.join(JOURNAL), cause })
            }
            (Err(error), None) => Err(unreadable(from, &error.to_string())),
            (Ok(_), None) => Ok(()),
        }
    }

    /// Writes one more batch, where it is still wanted.
    fn take(&mut self, batch: Batch) -> Result<(), RestoreError> {
        self.now = self.now.max(batch.at.unwrap_or_default());
        self.first = self.first.or(batch.at);
        self.beyond |= self.until.is_some_and(|until| self.now > until);
        if self.beyond || batch.epoch < self.ledger.epoch() {
            return Ok(());
        }
        let Batch { epoch, at, mut records } = batch;
        self.ledger.pass(at.unwrap_or_default());
        for record in &mut records {
            record.move_shard(self.shards.0, self.shards.1);
            record.payloads(|payload| self.results.carry(payload))?;
            self.ledger.apply(record, &mut Consequences::default());
        }
        let refused = |cause| RestoreError::Refused { path: self.into.clone(), cause };
        let other = |error: String| refused(io::Error::other(error));
        self.batch.clear();
        let encoded = batch::encode(epoch, at, &records, &mut self.batch);
        encoded.map_err(|error| other(error.to_string()))?;
        let lsn = self.log.next();
        self.log.write(lsn, &self.batch).map_err(|error| match error {
            WriteError::Full => refused(io::ErrorKind::StorageFull.into()),
            error => other(error.to_string()),
        })
    }

    /// Makes all of it durable, and says what it is.
    fn finish(mut self, at: Option<Wall>) -> Result<Restored, RestoreError> {
        let range = self.first.map(|first| (first, self.now));
        match (at, range) {
            (Some(_), None) => return Err(RestoreError::Timeless),
            (Some(at), Some((first, last))) if at < first => {
                return Err(RestoreError::TooEarly { first, last });
            }
            _ => {}
        }
        let refused = |cause| RestoreError::Refused { path: self.into.clone(), cause };
        self.results.to.sync().map_err(refused)?;
        self.log.settle().map_err(|error| refused(io::Error::other(error.to_string())))?;
        let ledger = &self.ledger;
        let mut restored = Restored { range, ..Restored::default() };
        restored.at = Some(ledger.at()).filter(|at| *at > Wall(0));
        for job in ledger.numbers().filter_map(|no| ledger.job(no)) {
            restored.jobs += 1;
            restored.tasks += job.tasks;
            restored.ended += job.tasks - job.left;
        }
        Ok(restored)
    }
}

impl Results {
    /// Copies what a payload refers to, and has it refer to the copy.
    fn carry(&mut self, payload: &mut Payload) -> Result<(), StoreError> {
        let Payload::Stored(blob) = payload else { return Ok(()) };
        if let Some(moved) = self.moved.get(&blob.id) {
            *blob = *moved;
            return Ok(());
        }
        let moved = self.from.copy(*blob, &self.to)?;
        self.moved.insert(blob.id, moved);
        *blob = moved;
        Ok(())
    }
}
