//! The simulated disk does what a disk does until it crashes, and then what the dice say.

use bary_policy::dice::Dice;
use bary_ports::conformance::disk::a_disk_keeps_files;
use bary_ports::disk::{Disk, DiskError};
use bary_sim::disk::{SECTOR, SimDisk};

fn read(disk: &SimDisk, name: &str) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let len = disk.read_at(name, 0, &mut bytes).expect("the file is there");
    bytes.truncate(len);
    bytes
}

/// A disk with a durable file of ten sectors of `a`.
fn with_a_durable_file() -> SimDisk {
    let mut disk = SimDisk::default();
    disk.create("file", 10 * SECTOR as u64).expect("there is space");
    disk.write_at("file", 0, &[b'a'; 10 * SECTOR]).expect("a write");
    disk.sync("file").expect("a sync");
    disk.sync_names().expect("a sync");
    disk
}

#[test]
fn it_does_what_a_disk_does() {
    a_disk_keeps_files(&mut SimDisk::default());
}

#[test]
fn a_crash_keeps_what_was_synced_and_draws_the_rest() {
    let (mut kept, mut lost, mut torn, mut reordered) = (0, 0, 0, 0);
    for seed in 0..300 {
        let mut disk = with_a_durable_file();
        disk.write_at("file", 2 * SECTOR as u64, &[b'b'; 4 * SECTOR]).expect("a write");
        disk.crash(&mut Dice::new(seed, "crash"));
        let bytes = read(&disk, "file");
        assert_eq!(bytes.len(), 10 * SECTOR);
        assert!(bytes[..2 * SECTOR].iter().all(|byte| *byte == b'a'), "seed {seed}");
        assert!(bytes[6 * SECTOR..].iter().all(|byte| *byte == b'a'), "seed {seed}");
        let written = &bytes[2 * SECTOR..6 * SECTOR];
        let sectors = written.chunks(SECTOR).map(|s| s.iter().filter(|b| **b == b'b').count());
        let sectors: Vec<usize> = sectors.collect();
        kept += u32::from(sectors.iter().all(|bytes| *bytes == SECTOR));
        lost += u32::from(sectors.iter().all(|bytes| *bytes == 0));
        torn += u32::from(sectors.iter().any(|bytes| !matches!(*bytes, 0 | SECTOR)));
        reordered += u32::from(sectors.windows(2).any(|pair| pair[0] < pair[1]));
    }
    let all = [kept, lost, torn, reordered];
    assert!(all.iter().all(|cases| *cases > 20), "{all:?}");
}

#[test]
fn a_sector_that_was_written_twice_may_keep_the_first_write() {
    let mut seen = [0; 3];
    for seed in 0..200 {
        let mut disk = with_a_durable_file();
        disk.write_at("file", 0, b"b").expect("a write");
        disk.write_at("file", 0, b"c").expect("a write");
        disk.crash(&mut Dice::new(seed, "crash"));
        seen[usize::from(read(&disk, "file")[0] - b'a')] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > 5), "{seen:?}");
}

#[test]
fn names_and_lengths_that_were_not_synced_may_be_lost() {
    let mut seen = [0; 4];
    for seed in 0..300 {
        let mut disk = with_a_durable_file();
        disk.create("new", 100).expect("there is space");
        disk.rename("file", "moved").expect("it is there");
        disk.remove("moved").expect("it is there");
        disk.crash(&mut Dice::new(seed, "crash"));
        let names: Vec<String> =
            disk.names().expect("names").into_iter().map(|listed| listed.name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let at = match names.as_slice() {
            ["file"] => 0,
            ["file", "new"] => 1,
            ["moved", "new"] => 2,
            ["new"] => 3,
            other => panic!("seed {seed}: {other:?}"),
        };
        seen[at] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > 5), "{seen:?}");
}

#[test]
fn what_a_failed_sync_did_not_write_can_be_read_until_a_crash_even_after_a_later_sync() {
    let mut lost = 0;
    for seed in 0..100 {
        let mut disk = with_a_durable_file();
        disk.write_at("file", 0, b"new").expect("a write");
        disk.fail_next_sync();
        assert!(matches!(disk.sync("file"), Err(DiskError::Failed { .. })));
        disk.sync("file").expect("the failure is told once");
        assert_eq!(&read(&disk, "file")[..3], b"new");
        let mut rewritten = with_a_durable_file();
        rewritten.write_at("file", 0, b"new").expect("a write");
        rewritten.fail_next_sync();
        rewritten.sync("file").expect_err("the drawn fault");
        rewritten.write_at("file", 0, b"new").expect("a write");
        rewritten.sync("file").expect("a sync");
        disk.crash(&mut Dice::new(seed, "crash"));
        rewritten.crash(&mut Dice::new(seed, "crash"));
        lost += u32::from(&read(&disk, "file")[..3] == b"aaa");
        assert_eq!(&read(&rewritten, "file")[..3], b"new", "what was written again is durable");
    }
    assert!((20..80).contains(&lost), "{lost}");
}

#[test]
fn a_full_disk_refuses_what_needs_space_and_takes_what_does_not() {
    let mut disk = with_a_durable_file();
    disk.set_capacity(Some(disk.used() + 100));
    assert!(matches!(disk.create("more", 101), Err(DiskError::Full { .. })));
    disk.create("more", 100).expect("it just fits");
    let end = 10 * SECTOR as u64;
    assert!(matches!(disk.write_at("file", end, b"x"), Err(DiskError::Full { .. })));
    assert!(matches!(disk.truncate("file", end + 1), Err(DiskError::Full { .. })));
    disk.write_at("file", end - 1, b"x").expect("it has that space");
    disk.remove("more").expect("it is there");
    disk.sync_names().expect("a sync");
    disk.write_at("file", end, b"x").expect("there is space again");
}

#[test]
fn rot_changes_one_bit_of_what_was_durable_before_the_last_sync() {
    let mut disk = with_a_durable_file();
    let mut dice = Dice::new(1, "rot");
    assert_eq!(disk.rot(&mut dice), None, "only the last sync made anything durable");
    disk.write_at("file", 0, &[b'a'; SECTOR]).expect("a write");
    disk.sync("file").expect("a sync");
    let before = read(&disk, "file");
    let rot = disk.rot(&mut dice).expect("nine sectors can rot");
    let after = read(&disk, "file");
    let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    assert_eq!(changed, [rot.offset as usize]);
    assert!(changed[0] >= SECTOR);
    assert_eq!((before[changed[0]] ^ after[changed[0]]).count_ones(), 1);
}

#[test]
fn who_has_been_succeeded_changes_nothing_any_more() {
    let mut zombie = with_a_durable_file();
    let mut owner = zombie.take_over();
    assert!(matches!(zombie.write_at("file", 0, b"z"), Err(DiskError::Failed { .. })));
    assert!(matches!(zombie.sync("file"), Err(DiskError::Failed { .. })));
    owner.write_at("file", 0, b"o").expect("the owner writes");
    assert_eq!(read(&zombie, "file")[0], b'o');
}
