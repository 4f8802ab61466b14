//! A log on a disk that the test can look at and spoil.

#![expect(clippy::disallowed_types, reason = "the test and the log share one disk")]

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};

use bary_journal::config::LogConfig;
use bary_journal::log::Log;
use bary_journal::recovery::{Entry, OpenError, Recovered};
use bary_model::id::Lsn;
use bary_ports::disk::memory::MemoryDisk;
use bary_ports::disk::{Disk, DiskError, Listed};

pub(crate) const CONFIG: LogConfig = LogConfig {
    segment_bytes: 4 << 10,
    reserve_bytes: 4 << 10,
    batch_bytes_max: 64 << 10,
    buffer_bytes_max: 2 << 10,
    snapshot_after_bytes: 4 << 10,
};

/// Files in memory that outlive the log over them.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<MemoryDisk>>);

impl Shared {
    pub(crate) fn of(disk: MemoryDisk) -> Self {
        Self(Arc::new(Mutex::new(disk)))
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, MemoryDisk> {
        self.0.lock().expect("no test panics while it has the files")
    }
}

impl Disk for Shared {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        self.files().names()
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.files().read_at(name, offset, into)
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.files().create(name, len)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.files().write_at(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.files().sync(name)
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        self.files().sync_names()
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.files().truncate(name, len)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.files().rename(from, to)
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.files().remove(name)
    }
}

/// What a log told when it was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) snapshot: Option<(Lsn, Vec<u8>)>,
    pub(crate) batches: Vec<(Lsn, Vec<u8>)>,
}

pub(crate) fn open(disk: &Shared) -> Result<(Log, Recovered, Told), OpenError> {
    let mut told = Told::default();
    let (log, recovered) = Log::open(Box::new(disk.clone()), CONFIG, 5, &mut |entry| {
        match entry {
            Entry::Snapshot { lsn, state } => told.snapshot = Some((lsn, state.to_vec())),
            Entry::Batch { lsn, batch } => told.batches.push((lsn, batch.to_vec())),
        }
        ControlFlow::Continue(())
    })?;
    Ok((log, recovered, told))
}

/// The batch that tests write under a number: its length differs from its neighbours'.
pub(crate) fn batch(lsn: Lsn) -> Vec<u8> {
    vec![lsn.0 as u8; 5 + lsn.0 as usize * 37 % 90]
}

/// Writes batches up to `last`, and syncs after every third.
pub(crate) fn write_to(log: &mut Log, last: u64) {
    while log.next().0 <= last {
        let lsn = log.next();
        log.write(lsn, &batch(lsn)).expect("memory has space");
        if lsn.0.is_multiple_of(3) {
            log.sync().expect("memory does not fail");
        }
    }
    log.sync().expect("memory does not fail");
}

/// A disk with the batches 1 to `last`, and perhaps a snapshot.
pub(crate) fn written(last: u64, snapshot: Option<u64>) -> Shared {
    let disk = Shared::default();
    let (mut log, _, _) = open(&disk).expect("an empty disk takes a log");
    if let Some(lsn) = snapshot {
        write_to(&mut log, lsn);
        log.snapshot(Lsn(lsn), b"the state").expect("memory has space");
    }
    write_to(&mut log, last);
    disk
}
