//! Where a shard's journal keeps its batches: nowhere, in a model that forgets what was not
//! synced, or as bytes in the log that real runs use, on a simulated disk.

use std::ops::ControlFlow;

use bary_journal::config::LogConfig;
use bary_journal::log::{Log, WriteError};
use bary_journal::recovery::Entry;
use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn, ShardId};
use bary_model::time::Wall;
use bary_ports::journal::Room;
use bary_wire::{batch, snapshot};

use crate::disk::SimDisk;
use crate::lot::Lot;
use crate::plan::Keeping;

/// What an engine appended at a time.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) epoch: Epoch,
    pub(crate) lsn: Lsn,
    pub(crate) at: Wall,
    pub(crate) records: Vec<Record>,
}

/// Batches, kept in one way or another.
#[derive(Debug)]
pub(crate) enum Store {
    Nothing,
    Model(Model),
    Bytes(Box<Bytes>),
}

/// Batches as they are, of which the first so many are synced.
#[derive(Debug, Default)]
pub(crate) struct Model {
    written: Vec<Batch>,
    synced: usize,
    rotten: bool,
}

/// A log on a disk; no log after it failed and before it is opened again.
#[derive(Debug)]
pub(crate) struct Bytes {
    disk: SimDisk,
    config: LogConfig,
    log: Option<Log>,
}

/// The store has failed, or what it holds is damaged: what to tell, in one line.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

impl Store {
    pub(crate) fn new(keeping: Keeping) -> Self {
        match keeping {
            Keeping::Nothing => Self::Nothing,
            Keeping::Model => Self::Model(Model::default()),
            Keeping::Bytes { segment, snapshot } => {
                let config = LogConfig {
                    segment_bytes: segment,
                    reserve_bytes: segment,
                    // A write goes to the disk at once, so that a crash finds it unsynced there.
                    buffer_bytes_max: 0,
                    snapshot_after_bytes: snapshot,
                    ..LogConfig::default()
                };
                Self::Bytes(Box::new(Bytes { disk: SimDisk::default(), config, log: None }))
            }
        }
    }

    /// Writes as many of the batches as there is space for, and takes those away; the last of
    /// them, if there is any.
    pub(crate) fn write(&mut self, waiting: &mut Vec<Batch>) -> Result<Option<Lsn>, Broken> {
        let last = waiting.last().map(|batch| batch.lsn);
        match self {
            Self::Nothing => waiting.clear(),
            Self::Model(model) => model.written.append(waiting),
            Self::Bytes(bytes) => return bytes.write(waiting),
        }
        Ok(last)
    }

    /// Makes durable what was written; `fails` has the disk fail in this.
    pub(crate) fn sync(&mut self, fails: bool) -> Result<(), Broken> {
        match self {
            Self::Nothing => Ok(()),
            Self::Model(_) if fails => Err(Broken("the sync failed".to_owned())),
            Self::Model(model) => {
                model.synced = model.written.len();
                Ok(())
            }
            Self::Bytes(bytes) => {
                if fails {
                    bytes.disk.fail_next_sync();
                }
                bytes.log()?.sync().map(drop).map_err(broken)
            }
        }
    }

    /// Its writer is gone. With the power, what was not synced may be too.
    pub(crate) fn cut_off(&mut self, power: bool, lot: &mut Lot) {
        match self {
            Self::Nothing => {}
            Self::Model(model) if power => {
                let unsynced = (model.written.len() - model.synced) as u64;
                model.written.truncate(model.synced + lot.below(unsynced + 1) as usize);
            }
            Self::Model(_) => {}
            Self::Bytes(bytes) => {
                bytes.log = None;
                if power {
                    bytes.disk.crash(lot.dice());
                }
            }
        }
    }

    /// What it holds, and the number of the next batch; all of it is durable from here on.
    pub(crate) fn recover(&mut self, shard: ShardId) -> Result<(Ledger, Lsn), Broken> {
        let mut replay = Replay::new(shard);
        match self {
            Self::Nothing => {}
            Self::Model(model) => {
                if model.rotten {
                    return Err(Broken("a checksum does not match".to_owned()));
                }
                model.synced = model.written.len();
                for batch in &model.written {
                    replay.fold(batch.epoch, batch.at, &batch.records);
                    replay.next = Lsn(batch.lsn.0 + 1);
                }
            }
            Self::Bytes(bytes) => bytes.open(&mut replay)?,
        }
        Ok((replay.ledger, replay.next))
    }

    /// A bit of what is durable flips.
    pub(crate) fn rot(&mut self, lot: &mut Lot) {
        match self {
            Self::Nothing => {}
            Self::Model(model) => model.rotten = model.synced > 0,
            Self::Bytes(bytes) => drop(bytes.disk.rot(lot.dice())),
        }
    }

    /// Leaves only so many more bytes on the disk, or as many as are wanted.
    pub(crate) fn squeeze(&mut self, left: Option<u64>) {
        if let Self::Bytes(bytes) = self {
            let used = bytes.disk.used();
            bytes.disk.set_capacity(left.map(|left| used + left));
        }
    }

    /// Whether it has too little room for submissions.
    pub(crate) fn is_low(&mut self) -> bool {
        let Self::Bytes(bytes) = self else { return false };
        let Some(log) = &mut bytes.log else { return false };
        if log.room() != Room::Ample && log.make_room().is_err() {
            return true;
        }
        log.room() != Room::Ample
    }

    /// Whether it would rather have a snapshot than the batches before.
    pub(crate) fn wants_snapshot(&self) -> bool {
        let Self::Bytes(bytes) = self else { return false };
        bytes.log.as_ref().is_some_and(Log::wants_snapshot)
    }

    /// Takes a snapshot of all batches up to `lsn`, all of which are durable.
    pub(crate) fn snapshot(&mut self, lsn: Lsn, ledger: &Ledger) -> Result<(), Broken> {
        let Self::Bytes(bytes) = self else { return Ok(()) };
        let mut state = Vec::new();
        snapshot::encode(&ledger.snapshot(), &mut state).map_err(broken)?;
        match bytes.log()?.snapshot(lsn, &state) {
            Ok(()) | Err(bary_journal::log::SnapshotError::Full { .. }) => Ok(()),
            Err(error) => Err(broken(error)),
        }
    }
}

impl Bytes {
    fn log(&mut self) -> Result<&mut Log, Broken> {
        self.log.as_mut().ok_or_else(|| Broken("the log is closed".to_owned()))
    }

    fn write(&mut self, waiting: &mut Vec<Batch>) -> Result<Option<Lsn>, Broken> {
        let log = self.log()?;
        let (mut taken, mut bytes) = (0, Vec::new());
        for one in &*waiting {
            bytes.clear();
            batch::encode(one.epoch, Some(one.at), &one.records, &mut bytes).map_err(broken)?;
            match log.write(one.lsn, &bytes) {
                Ok(()) => taken += 1,
                Err(WriteError::Full) => break,
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(waiting.drain(..taken).next_back().map(|batch| batch.lsn))
    }

    fn open(&mut self, replay: &mut Replay) -> Result<(), Broken> {
        let disk = self.disk.take_over();
        self.disk = disk.clone();
        let shard = replay.ledger.shard();
        let mut wrong = None;
        let mut visit = |entry: Entry<'_>| match replay.take(entry) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        };
        let opened = Log::open(Box::new(disk), self.config, shard.0, &mut visit);
        match (opened, wrong) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(broken(error)),
            (Ok((log, _)), None) => {
                replay.next = log.next();
                self.log = Some(log);
                Ok(())
            }
        }
    }
}

fn broken(error: impl std::fmt::Display) -> Broken {
    Broken(error.to_string())
}

/// A ledger as it is made from batches; those of a reign that was superseded are passed over.
struct Replay {
    ledger: Ledger,
    next: Lsn,
}

impl Replay {
    fn new(shard: ShardId) -> Self {
        Self { ledger: Ledger::new(shard), next: Lsn(1) }
    }

    fn take(&mut self, entry: Entry<'_>) -> Result<(), Broken> {
        match entry {
            Entry::Snapshot { state, .. } => {
                let snapshot = snapshot::decode(state).map_err(broken)?;
                self.ledger = Ledger::restore(snapshot).map_err(broken)?;
            }
            Entry::Batch { batch: bytes, .. } => {
                let batch = batch::decode(bytes).map_err(broken)?;
                self.fold(batch.epoch, batch.at.unwrap_or_default(), &batch.records);
            }
        }
        Ok(())
    }

    fn fold(&mut self, epoch: Epoch, at: Wall, records: &[Record]) {
        if epoch < self.ledger.epoch() {
            return;
        }
        self.ledger.pass(at);
        for record in records {
            self.ledger.apply(record, &mut Consequences::default());
        }
    }
}
