//! Opens a log of which the fuzzer has overwritten parts: it is refused, or it can be opened again
//! and tells the same. `cargo +nightly fuzz run recovery`.

#![no_main]

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use bary_journal::config::LogConfig;
use bary_journal::inspect::inspect;
use bary_journal::log::Log;
use bary_journal::recovery::Entry;
use bary_model::id::Lsn;
use bary_ports::disk::memory::MemoryDisk;
use bary_ports::disk::{Disk, DiskError, Listed};
use libfuzzer_sys::fuzz_target;

const CONFIG: LogConfig = LogConfig {
    segment_bytes: 4 << 10,
    reserve_bytes: 4 << 10,
    batch_bytes_max: 1 << 10,
    buffer_bytes_max: 1 << 10,
    snapshot_after_bytes: 1 << 20,
};

/// Files that outlive the log over them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<MemoryDisk>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut MemoryDisk) -> T) -> T {
        act(&mut self.0.lock().expect("one thread does not poison"))
    }
}

impl Disk for Shared {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        self.with(|disk| disk.names())
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.with(|disk| disk.read_at(name, offset, into))
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.with(|disk| disk.create(name, len))
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(|disk| disk.write_at(name, offset, bytes))
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.sync(name))
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        self.with(Disk::sync_names)
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.with(|disk| disk.truncate(name, len))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.rename(from, to))
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.remove(name))
    }
}

type Told = Vec<(Lsn, Vec<u8>)>;

fn open(disk: &Shared) -> Option<(Log, Told)> {
    let mut told = Told::new();
    let opened = Log::open(Box::new(disk.clone()), CONFIG, 7, &mut |entry| {
        told.push(match entry {
            Entry::Snapshot { lsn, state } => (lsn, state.to_vec()),
            Entry::Batch { lsn, batch } => (lsn, batch.to_vec()),
        });
        ControlFlow::Continue(())
    });
    opened.ok().map(|(log, _)| (log, told))
}

fuzz_target!(|data: &[u8]| {
    let disk = Shared::default();
    let (mut log, _) = open(&disk).expect("an empty disk takes a log");
    for lsn in 1..=60 {
        log.write(Lsn(lsn), &[lsn as u8; 80]).expect("memory has space");
    }
    log.sync().expect("memory does not fail");
    drop(log);
    // Each piece of the input says which file, from where on, and what.
    for piece in data.chunks(16).filter(|piece| piece.len() > 3) {
        let names = disk.names().expect("memory does not fail");
        let name = &names[usize::from(piece[0]) % names.len()].name;
        let offset = u64::from(u16::from_le_bytes([piece[1], piece[2]]) % 4096);
        disk.clone().write_at(name, offset, &piece[3..]).expect("memory has space");
    }
    inspect(&disk, &mut |_| {}).map(drop).unwrap_or_default();
    if let Some((mut log, told)) = open(&disk) {
        let next = log.next();
        log.write(next, b"goes on").expect("memory has space");
        log.sync().expect("memory does not fail");
        drop(log);
        let (_, again) = open(&disk).expect("what was opened can be opened again");
        assert_eq!(again[..told.len()], told);
        assert_eq!(again.last(), Some(&(next, b"goes on".to_vec())));
    }
});
