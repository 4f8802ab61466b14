//! What is restored is what was true, whatever happened and at whichever instant; and nothing is
//! restored of a backup that is not what was copied.

mod world;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bary_disk::file::FileDisk;
use bary_engine::input::{Reply, Request};
use bary_journal::reading;
use bary_ledger::record::Record;
use bary_ledger::snapshot::Snapshot;
use bary_model::id::{JobNo, ShardId};
use bary_model::payload::Payload;
use bary_model::time::Wall;
use bary_policy::dice::Dice;
use bary_ports::store::Store;
use bary_store::durable::DurableStore;

use super::copy::{CopyError, copy};
use super::restore::{RestoreError, restore};
use crate::journal::compact::{Source, prepare};
use crate::state::{BLOBS, JOURNAL, State, StateError, batches};
use world::{World, said_by};

/// A snapshot as that of another shard would be.
fn moved(mut snapshot: Snapshot, to: ShardId) -> Snapshot {
    let from = std::mem::replace(&mut snapshot.shard, to);
    let upstream = snapshot.jobs.iter_mut().flat_map(|job| &mut job.upstream);
    upstream.filter(|(job, _)| job.shard == from).for_each(|(job, _)| job.shard = to);
    snapshot
}

/// What is true in the state of a directory.
fn true_in(dir: &Path) -> Snapshot {
    let state = State::open(dir, &mut |_| {}).expect("it is sound");
    state.ledger().check();
    state.ledger().snapshot()
}

/// Reads every large result that the journal of a state refers to; how many there are.
fn read_results(dir: &Path) -> usize {
    let disk = FileDisk::peek(&dir.join(JOURNAL)).expect("it is there");
    let store = DurableStore::open(&dir.join(BLOBS)).expect("it is there");
    let mut seen = 0;
    let read = reading::read(&disk, &mut |entry| {
        for batch in batches(&entry) {
            for record in batch.expect("it is sound").records {
                let Record::Ended { items } = record else { continue };
                for item in items {
                    let Payload::Stored(blob) = item.results.at(0) else { continue };
                    let (job, spec) = (item.range.job.0, item.range.spec.0);
                    let said = said_by(job, spec, item.range.first);
                    assert_eq!(store.get(blob).expect("it is kept"), said.as_bytes());
                    seen += 1;
                }
            }
        }
        ControlFlow::Continue(())
    });
    read.expect("it is sound");
    seen
}

#[test]
fn a_state_is_restored_to_a_hundred_instants() {
    let mut world = World::new(7);
    for round in 0..1_200 {
        world.act();
        if round % 400 == 399 {
            world.crash();
        }
    }
    let backup = world.path("backup");
    copy(&world.path("state"), &backup).expect("there is room");
    let (first, last) = (world.truth[0].0, world.truth[world.truth.len() - 1].0);
    let mut dice = Dice::new(3, "instants");
    let mut results = 0;
    for number in 0..100 {
        let at = Wall(first.0 + dice.below(last.0 - first.0 + 1));
        let to = world.path(&format!("restored-{number}"));
        let restored = restore(&backup, Some(at), &to).expect("the backup is sound");
        let after = world.truth.partition_point(|(then, _)| *then <= at);
        let (then, truth) = &world.truth[after - 1];
        assert_eq!((restored.at, restored.range), (Some(*then), Some((first, last))));
        let found = true_in(&to);
        assert_ne!(found.shard, truth.shard, "it is another shard");
        assert!(moved(truth.clone(), found.shard) == found, "at {at:?}");
        results += read_results(&to);
        fs::remove_dir_all(to).expect("it is there");
    }
    assert!(results > 1_000, "{results} large results were read");
    let latest = world.path("latest");
    let restored = restore(&backup, None, &latest).expect("the backup is sound");
    let (_, truth) = &world.truth[world.truth.len() - 1];
    assert_eq!(restored.jobs, truth.jobs.len() as u64);
    let found = true_in(&latest);
    assert!(moved(truth.clone(), found.shard) == found);
    let early = restore(&backup, Some(Wall(first.0 - 1)), &world.path("early"));
    assert!(matches!(early, Err(RestoreError::TooEarly { .. })), "{early:?}");
    assert!(!world.path("early").exists() && !world.path("early.draft").exists());
    let taken = restore(&backup, None, &latest);
    assert!(matches!(taken, Err(RestoreError::Taken(_))), "{taken:?}");
}

/// The files of a directory and of those in it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn no_bit_of_a_backup_may_change() {
    let mut world = World::new(11);
    (0..150).for_each(|_| world.act());
    let state = world.path("state");
    fs::create_dir(state.join("audit")).expect("there is room");
    fs::write(state.join("audit/1.jsonl"), "{}\nhalf a li").expect("there is room");
    fs::write(state.join("token"), "secret\n").expect("there is room");
    let backup = world.path("backup");
    copy(&state, &backup).expect("there is room");
    assert_eq!(fs::read(backup.join("audit/1.jsonl")).expect("it is there"), b"{}\n");
    let mut dice = Dice::new(5, "bits");
    let all = files(&backup);
    assert!(all.len() >= 6, "{all:?}");
    for path in &all {
        let sound = fs::read(path).expect("it is there");
        for round in 0..6 {
            let last = sound.len() as u64 - 1;
            let place = [0, last][..].get(round).copied().unwrap_or_else(|| dice.below(last + 1));
            let mut spoilt = sound.clone();
            spoilt[place as usize] ^= 1 << dice.below(8);
            fs::write(path, spoilt).expect("there is room");
            let restored = restore(&backup, None, &world.path("new"));
            let refused = matches!(restored, Err(RestoreError::Unsound { .. }));
            assert!(refused, "{} at {place}: {restored:?}", path.display());
        }
        fs::write(path, sound).expect("there is room");
    }
    assert!(!world.path("new").exists() && !world.path("new.draft").exists());
    fs::remove_file(backup.join("token")).expect("it is there");
    let restored = restore(&backup, None, &world.path("new"));
    assert!(matches!(restored, Err(RestoreError::Unsound { .. })), "{restored:?}");
}

#[test]
fn a_copy_takes_over_what_has_not_changed() {
    let mut world = World::new(13);
    let (state, backup) = (world.path("state"), world.path("backup"));
    let first = copy(&state, &backup).expect("there is room");
    assert_eq!((first.bytes, first.anew), (first.bytes, first.bytes - manifest_bytes(&backup)));
    fs::create_dir(state.join("audit")).expect("there is room");
    for number in 1..5 {
        fs::write(state.join(format!("audit/{number}.jsonl")), "{}\n").expect("there is room");
    }
    let second = copy(&state, &backup).expect("there is room");
    (0..20).for_each(|_| world.act());
    let third = copy(&state, &backup).expect("there is room");
    assert_eq!(second.anew - third.anew, 9, "three lines are not copied again");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!((mode(&backup) & 0o777, mode(&backup.join("state")) & 0o777), (0o700, 0o600));
    }
    let to = world.path("restored");
    restore(&backup, None, &to).expect("it is sound");
    let within = copy(&state, &state.join("copy"));
    assert!(matches!(within, Err(CopyError::Within(_))), "{within:?}");
    let other = World::new(17);
    let taken = copy(&other.path("state"), &backup);
    assert!(matches!(taken, Err(CopyError::Taken(_))), "{taken:?}");
    let opened = State::open(&backup, &mut |_| {});
    assert!(matches!(opened, Err(StateError::Backup(_))), "a backup is no state");
}

fn manifest_bytes(backup: &Path) -> u64 {
    fs::metadata(backup.join("manifest")).expect("it is there").len()
}

/// Compacts the log of a world as the journal's thread would; whether that was worth it.
fn compact(world: &mut World) -> bool {
    let dir = world.path("state").join(JOURNAL);
    let log = &mut world.state.log;
    let bytes = log.unsnapped_bytes() + log.last_snapshot().map_or(0, |(_, bytes)| bytes);
    let (shard, until) = (ShardId(log.id()), log.durable());
    let source = Source { dir: &dir, shard, until, bytes, results: 0 };
    let prepared = prepare(&source, &AtomicBool::new(false)).expect("it can be read");
    let Some(prepared) = prepared else { return false };
    let covered = log.unsnapped_bytes();
    log.adopt(prepared.lsn, prepared.bytes, covered).expect("the disk works");
    world.state.store.discard(&prepared.unread);
    true
}

#[test]
fn what_was_forgotten_leaves_the_log_and_nothing_else_does() {
    let mut world = World::new(19);
    let mut compacted = 0;
    for round in 0..1_500 {
        world.act();
        if round % 100 == 99 {
            (0..60).for_each(|_| world.end_a_run());
            let (_, truth) = &world.truth[world.truth.len() - 1];
            let end = truth.jobs.len() + truth.gone.iter().map(|g| g.count as usize).sum::<usize>();
            (0..end as u32).filter(|no| no % 8 > 0).for_each(|no| {
                world.ask(Request::Forget(JobNo(no)));
            });
            compacted += u32::from(compact(&mut world));
            let before = world.truth.len();
            world.crash();
            let (_, truth) = &world.truth[before - 1];
            let (_, found) = &world.truth[before];
            let bare = |snapshot: &Snapshot| Snapshot { at: Wall(0), ..snapshot.clone() };
            let (mut truth, found) = (bare(truth), bare(found));
            truth.epoch = found.epoch;
            truth.keys.retain(|used| found.keys.contains(used));
            assert!(truth == found, "round {round}");
            read_results(&world.path("state"));
        }
    }
    assert!(compacted > 3, "it was compacted {compacted} times");
    let backup = world.path("backup");
    copy(&world.path("state"), &backup).expect("there is room");
    let to = world.path("restored");
    let restored = restore(&backup, None, &to).expect("the backup is sound");
    let (_, truth) = &world.truth[world.truth.len() - 1];
    let found = true_in(&to);
    assert!(moved(truth.clone(), found.shard) == found);
    let (first, _) = restored.range.expect("it has instants");
    assert!(first > world.truth[0].0, "it reaches back to where it was compacted");
    assert!(world.state.log.last_snapshot().is_some());
}

#[test]
fn a_key_is_known_for_a_day_before_and_after_a_crash() {
    let mut world = World::new(23);
    let mut accepted: BTreeMap<bool, usize> = BTreeMap::new();
    for round in 0..600 {
        world.act();
        if round % 50 == 49 {
            let before = world.truth[world.truth.len() - 1].1.keys.clone();
            world.crash();
            let (at, after) = &world.truth[world.truth.len() - 1];
            // The restart itself takes time.
            let day = bary_ledger::keys::KEY_KEPT;
            let known: Vec<_> = before.into_iter().filter(|used| at.since(used.at) < day).collect();
            assert_eq!(known, after.keys);
        }
    }
    for reply in &world.replies {
        *accepted.entry(matches!(reply, Reply::Accepted(_))).or_default() += 1;
    }
    assert!(accepted[&true] > 50, "{accepted:?}");
}
