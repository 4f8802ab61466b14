//! A snapshot stands for the batches before it, and their files are used again.

use bary_model::id::Lsn;
use bary_ports::disk::Disk;

use crate::world::{Shared, batch, open, write_to, written};

fn names(disk: &Shared) -> Vec<String> {
    let listed = disk.names().expect("memory does not fail");
    listed.into_iter().map(|listed| listed.name).collect()
}

#[test]
fn a_log_tells_its_snapshot_and_then_what_follows() {
    let disk = written(100, Some(80));
    let (log, recovered, told) = open(&disk).expect("a sound log");
    assert_eq!(told.snapshot, Some((Lsn(80), b"the state".to_vec())));
    let wanted: Vec<_> = (81..=100).map(|lsn| (Lsn(lsn), batch(Lsn(lsn)))).collect();
    assert_eq!(told.batches, wanted);
    assert_eq!((recovered.last, recovered.batches, recovered.id), (Lsn(100), 20, 5));
    assert_eq!((log.next(), log.durable(), log.id()), (Lsn(101), Lsn(100), 5));
}

#[test]
fn what_a_snapshot_replaces_is_removed_and_one_file_is_used_again() {
    let disk = written(200, None);
    let before = names(&disk);
    let (mut log, _, _) = open(&disk).expect("a sound log");
    log.snapshot(Lsn(200), b"the state").expect("memory has space");
    let after = names(&disk);
    assert!(before.len() > 5 && after.len() < before.len(), "{before:?} {after:?}");
    assert!(after.contains(&"spare".to_owned()), "{after:?}");
    // What the recycled file held must not be told as if it had been written now.
    write_to(&mut log, 260);
    drop(log);
    let (_, _, told) = open(&disk).expect("a sound log");
    let wanted: Vec<_> = (201..=260).map(|lsn| (Lsn(lsn), batch(Lsn(lsn)))).collect();
    assert_eq!(told.batches, wanted);
}

#[test]
fn a_log_may_go_round_in_the_same_files_for_long() {
    let disk = Shared::default();
    let (mut log, _, _) = open(&disk).expect("an empty disk takes a log");
    for round in 1..=40 {
        write_to(&mut log, round * 60);
        log.snapshot(Lsn(round * 60), b"the state").expect("memory has space");
        drop(log);
        let (reopened, _, told) = open(&disk).expect("a sound log");
        assert_eq!(
            (told.snapshot.expect("there is one").0, told.batches.len()),
            (Lsn(round * 60), 0)
        );
        log = reopened;
    }
    assert!(names(&disk).len() <= 5, "{:?}", names(&disk));
}

#[test]
fn a_damaged_snapshot_is_passed_over_while_the_batches_are_there() {
    let disk = written(30, None);
    let sound = disk.files().clone();
    let (mut log, _, _) = open(&disk).expect("a sound log");
    log.snapshot(Lsn(30), b"the state").expect("memory has space");
    drop(log);
    let name = "00000000000000000030.snapshot";
    let mut snapshot = disk.files().bytes_mut(name).expect("it was made").clone();
    snapshot[70] ^= 1;
    let mut files = sound.clone();
    files.create(name, 0).expect("it is new");
    files.write_at(name, 0, &snapshot).expect("memory has space");
    let (_, recovered, told) = open(&Shared::of(files)).expect("all batches are there");
    assert_eq!((recovered.damaged_snapshots, told.batches.len()), (vec![Lsn(30)], 30));
    // A name that promises more batches than there are is not believed away.
    let mut files = sound;
    files.create("00000000000000000031.snapshot", 5).expect("it is new");
    let error = open(&Shared::of(files)).expect_err("batch 31 was durable").to_string();
    assert!(error.starts_with("batches 31 to 31 are missing"), "{error}");
}

#[test]
fn a_snapshot_is_wanted_when_enough_was_written_since_the_last() {
    let disk = Shared::default();
    let (mut log, _, _) = open(&disk).expect("an empty disk takes a log");
    assert!(!log.wants_snapshot());
    write_to(&mut log, 60);
    assert!(log.wants_snapshot(), "more than 4 KiB were written");
    drop(log);
    let (mut log, _, _) = open(&disk).expect("a sound log");
    assert!(log.wants_snapshot(), "and that is known when it is opened again");
    log.snapshot(Lsn(60), &[1; 10_000]).expect("memory has space");
    write_to(&mut log, 120);
    assert!(!log.wants_snapshot(), "the last one was large");
    write_to(&mut log, 400);
    assert!(log.wants_snapshot());
}
