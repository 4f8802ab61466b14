//! A full disk refuses new work first, takes what must end, and is ample again when there is space.

use bary_journal::log::{SnapshotError, WriteError};
use bary_ports::journal::Room;

use crate::world::{CONFIG, World};

fn room(world: &World) -> Room {
    world.log.as_ref().expect("the log is open").room()
}

/// Writes and syncs batches of 100 bytes until the room is not `room` or none is taken.
fn write_while(world: &mut World, wanted: Room) -> u32 {
    let mut batches = 0;
    while room(world) == wanted {
        match world.write(100) {
            Ok(()) => batches += 1,
            Err(WriteError::Full) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(world.sync(), "the disk is well");
    }
    batches
}

#[test]
fn room_goes_from_ample_over_low_to_none_and_back() {
    let mut world = World::new(1);
    world.disk.set_capacity(Some(world.disk.used()));
    let ample = write_while(&mut world, Room::Ample);
    assert!(ample > 5, "half the segment is for anybody: {ample}");
    assert_eq!(room(&world), Room::Low);
    let low = write_while(&mut world, Room::Low);
    let reserved = CONFIG.reserve_bytes / 128 - 10;
    assert!(u64::from(low) > reserved, "the reserve and half a segment are for ends: {low}");
    assert_eq!(room(&world), Room::None);
    assert!(matches!(world.write(100), Err(WriteError::Full)), "and it says so again");

    let log = world.log.as_mut().expect("the log is open");
    assert_eq!(log.make_room().expect("the disk is well"), Room::None, "there is still no space");
    world.disk.set_capacity(None);
    let log = world.log.as_mut().expect("the log is open");
    assert_eq!(log.make_room().expect("the disk is well"), Room::Ample);
    for _ in 0..100 {
        world.write(100).expect("there is space");
        assert!(world.sync(), "the disk is well");
    }
    assert_eq!(room(&world), Room::Ample);
}

#[test]
fn what_was_taken_on_a_full_disk_is_there_after_a_crash() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        world.disk.set_capacity(Some(world.disk.used()));
        write_while(&mut world, Room::Ample);
        write_while(&mut world, Room::Low);
        world.crash();
        world.open().expect("a full disk can be opened");
        assert_ne!(room(&world), Room::Ample, "the reserve is in use");
        assert!(matches!(world.write(3_000), Err(WriteError::Full)));
        world.disk.set_capacity(None);
        let log = world.log.as_mut().expect("the log is open");
        assert_eq!(log.make_room().expect("the disk is well"), Room::Ample);
        world.write(3_000).expect("there is space again");
        assert!(world.sync(), "the disk is well");
    }
}

#[test]
fn a_snapshot_without_space_changes_nothing_and_one_with_space_frees_some() {
    let mut world = World::new(3);
    for _ in 0..100 {
        world.write(100).expect("there is space");
        assert!(world.sync(), "the disk is well");
    }
    let used = world.disk.used();
    world.disk.set_capacity(Some(used));
    let refused = world.snapshot();
    assert!(matches!(refused, Err(SnapshotError::Full { .. })), "{refused:?}");
    assert_eq!(world.disk.used(), used);
    world.write(10).expect("the log goes on");
    assert!(world.sync(), "the disk is well");
    world.disk.set_capacity(None);
    world.snapshot().expect("there is space");
    assert!(world.disk.used() < used, "the segments before it are gone");
    world.crash();
    let recovered = world.open().expect("a crash is mended");
    assert_eq!(recovered.snapshot.map(|lsn| lsn.0), Some(101));
}
