//! A log over a simulated disk, and an oracle that knows what was written and acknowledged.

use std::ops::ControlFlow;

use bary_journal::config::LogConfig;
use bary_journal::log::{Log, SnapshotError, WriteError};
use bary_journal::recovery::{Entry, OpenError, Recovered};
use bary_model::id::Lsn;
use bary_policy::dice::Dice;
use bary_sim::disk::SimDisk;

use crate::fuse::{Fuse, Mortal};

/// Small segments, so that a few batches cross them.
pub(crate) const CONFIG: LogConfig = LogConfig {
    segment_bytes: 4 << 10,
    reserve_bytes: 4 << 10,
    batch_bytes_max: 64 << 10,
    buffer_bytes_max: 2 << 10,
    snapshot_after_bytes: 16 << 10,
};

pub(crate) struct World {
    pub(crate) disk: SimDisk,
    pub(crate) fuse: Fuse,
    pub(crate) log: Option<Log>,
    /// Every batch that was ever written and may still be there, by number from 1.
    written: Vec<Vec<u8>>,
    /// The last batch whose durability was told.
    acknowledged: Lsn,
    dice: Dice,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self {
            disk: SimDisk::default(),
            fuse: Fuse::endless(),
            log: None,
            written: Vec::new(),
            acknowledged: Lsn(0),
            dice: Dice::new(seed, "world"),
        };
        world.open().expect("an empty disk takes a log");
        world
    }

    /// Opens the log and holds what it tells against what was written.
    pub(crate) fn open(&mut self) -> Result<Recovered, OpenError> {
        self.log = None;
        let mortal = Mortal { disk: self.disk.take_over(), fuse: self.fuse.clone() };
        let mut last = Lsn(0);
        let written = &self.written;
        let opened = Log::open(Box::new(mortal), CONFIG, 77, &mut |entry| {
            match entry {
                Entry::Snapshot { lsn, state } => {
                    assert_eq!(state, snapshot_of(lsn), "a snapshot is what was made of it");
                    last = lsn;
                }
                Entry::Batch { lsn, batch } => {
                    assert_eq!(lsn.0, last.0 + 1, "there is no gap");
                    assert_eq!(Some(batch), written.get(lsn.0 as usize - 1).map(Vec::as_slice));
                    last = lsn;
                }
            }
            ControlFlow::Continue(())
        });
        let (log, recovered) = opened?;
        assert_eq!(recovered.last, last);
        assert_eq!(log.next().0, last.0 + 1);
        assert!(last >= self.acknowledged, "{last:?} of {:?}", self.acknowledged);
        self.written.truncate(last.0 as usize);
        self.acknowledged = last;
        self.log = Some(log);
        Ok(recovered)
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().expect("the log is open")
    }

    /// Writes a batch of drawn bytes; whether it was taken.
    pub(crate) fn write(&mut self, len: usize) -> Result<(), WriteError> {
        let batch: Vec<u8> = (0..len).map(|_| self.dice.below(256) as u8).collect();
        let lsn = self.log().next();
        // It may be found later even where writing it fails.
        self.written.truncate(lsn.0 as usize - 1);
        self.written.push(batch.clone());
        self.log().write(lsn, &batch)
    }

    /// Syncs; whether the disk did.
    pub(crate) fn sync(&mut self) -> bool {
        let next = self.log().next();
        match self.log().sync() {
            Ok(durable) => {
                assert_eq!(durable.0 + 1, next.0, "all that was written is durable");
                self.acknowledged = durable;
                true
            }
            Err(_) => false,
        }
    }

    pub(crate) fn snapshot(&mut self) -> Result<(), SnapshotError> {
        let durable = self.acknowledged;
        self.log().snapshot(durable, &snapshot_of(durable))
    }

    /// Whether a snapshot can be made: something is durable since the last.
    pub(crate) fn has_news(&self, last_snapshot: Lsn) -> bool {
        self.acknowledged > last_snapshot
    }

    pub(crate) fn acknowledged(&self) -> Lsn {
        self.acknowledged
    }

    /// The power fails.
    pub(crate) fn crash(&mut self) {
        self.log = None;
        let mut dice = self.dice.clone();
        self.disk.crash(&mut dice);
        self.dice = dice;
        self.fuse.set(u64::MAX);
    }

    pub(crate) fn rot(&mut self) -> bool {
        let mut dice = self.dice.clone();
        let rotted = self.disk.rot(&mut dice).is_some();
        self.dice = dice;
        rotted
    }
}

fn snapshot_of(lsn: Lsn) -> Vec<u8> {
    format!("all up to {} ", lsn.0).into_bytes().repeat(40)
}
