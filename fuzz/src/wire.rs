//! Batches, snapshots and frames: what nodes keep of each other and say to each other.

use bary_ledger::ledger::Ledger;
use bary_wire::{batch as batches, frame as frames, snapshot as snapshots};

use crate::world::World;

/// Any bytes are refused, or a batch that is written and read back the same.
///
/// # Panics
/// Where it is not.
pub fn batch(bytes: &[u8]) {
    let Ok(read) = batches::decode(bytes) else { return };
    let mut again = Vec::new();
    batches::encode(read.epoch, read.at, &read.records, &mut again)
        .expect("what was read can be written");
    assert_eq!(batches::decode(&again), Ok(read));
}

/// Any bytes are refused, or a snapshot; a ledger that it makes holds together, and makes the same
/// snapshot again.
///
/// # Panics
/// Where it does not.
pub fn snapshot(bytes: &[u8]) {
    let Ok(read) = snapshots::decode(bytes) else { return };
    let Ok(ledger) = Ledger::restore(read) else { return };
    ledger.check();
    assert_eq!(Ledger::restore(ledger.snapshot()), Ok(ledger));
}

/// Any bytes are refused, or a frame that is written and read back the same.
///
/// # Panics
/// Where it is not.
pub fn frame(bytes: &[u8]) {
    let Ok(read) = frames::decode(bytes) else { return };
    let mut again = Vec::new();
    frames::encode(&read, &mut again).expect("what was read can be written");
    assert_eq!(frames::decode(&again), Ok(read));
}

/// What the home of a few jobs wrote.
#[must_use]
pub fn batch_seeds() -> Vec<Vec<u8>> {
    let world = World::that_lived();
    let write = |batch: &batches::Batch| {
        let mut bytes = Vec::new();
        let batches::Batch { epoch, at, records } = batch;
        batches::encode(*epoch, *at, records, &mut bytes).expect("an engine made it");
        bytes
    };
    world.batches.iter().map(write).collect()
}

/// The ledger of a few jobs, in the middle and at the end.
#[must_use]
pub fn snapshot_seeds() -> Vec<Vec<u8>> {
    let write = |world: &World| {
        let mut bytes = Vec::new();
        let snapshot = world.ledger().map(Ledger::snapshot).expect("it has a home");
        snapshots::encode(&snapshot, &mut bytes).expect("an engine made it");
        bytes
    };
    vec![write(&World::that_began()), write(&World::that_lived())]
}

/// What two nodes said to each other over a few jobs.
#[must_use]
pub fn frame_seeds() -> Vec<Vec<u8>> {
    let world = World::that_lived();
    let write = |frame: &_| {
        let mut bytes = Vec::new();
        frames::encode(frame, &mut bytes).expect("an engine made it");
        bytes
    };
    world.frames.iter().map(write).collect()
}
