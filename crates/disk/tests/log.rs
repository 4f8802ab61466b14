//! A log over real files: what was synced is there when it is opened again.

use std::ops::ControlFlow;
use std::path::Path;

use bary_disk::file::FileDisk;
use bary_journal::config::LogConfig;
use bary_journal::inspect::inspect;
use bary_journal::log::Log;
use bary_journal::recovery::Entry;
use bary_model::id::Lsn;

const CONFIG: LogConfig = LogConfig {
    segment_bytes: 16 << 10,
    reserve_bytes: 16 << 10,
    batch_bytes_max: 1 << 20,
    buffer_bytes_max: 4 << 10,
    snapshot_after_bytes: 1 << 20,
};

fn open(dir: &Path) -> (Log, Vec<u64>) {
    let disk = FileDisk::open(dir).expect("nobody else has the directory");
    let mut told = Vec::new();
    let opened = Log::open(Box::new(disk), CONFIG, 9, &mut |entry| {
        match entry {
            Entry::Snapshot { lsn, state } => {
                assert_eq!(state, b"state");
                told.push(lsn.0);
            }
            Entry::Batch { lsn, batch } => {
                assert_eq!(batch, lsn.0.to_le_bytes().repeat(20));
                told.push(lsn.0);
            }
        }
        ControlFlow::Continue(())
    });
    (opened.expect("a sound log").0, told)
}

fn write(log: &mut Log, batches: u64) {
    for _ in 0..batches {
        let lsn = log.next();
        log.write(lsn, &lsn.0.to_le_bytes().repeat(20)).expect("the disk has space");
    }
    log.sync().expect("the disk is well");
}

#[test]
fn batches_and_snapshots_are_there_when_a_log_is_opened_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut log, told) = open(dir.path());
    assert_eq!(told, []);
    write(&mut log, 300);
    drop(log);
    let (mut log, told) = open(dir.path());
    assert_eq!(told, (1..=300).collect::<Vec<_>>());
    log.snapshot(Lsn(300), b"state").expect("the disk has space");
    write(&mut log, 300);
    drop(log);
    let (_log, told) = open(dir.path());
    assert_eq!(told, (300..=600).collect::<Vec<_>>());
    let peek = FileDisk::peek(dir.path()).expect("the directory is there");
    let summary = inspect(&peek, &mut |_| {}).expect("a log in use can be looked at");
    assert_eq!((summary.last, summary.refusal.is_none()), (Lsn(600), true));
}
