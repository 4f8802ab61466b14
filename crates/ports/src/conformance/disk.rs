//! What every disk does while nothing fails, and how it says that something does not exist.

use crate::disk::{Disk, DiskError, Listed};

/// Checks a disk that has no files and has room for a mebibyte. It has no files afterwards.
///
/// # Panics
/// Where the disk does not do what a disk does.
pub fn a_disk_keeps_files(disk: &mut dyn Disk) {
    assert_eq!(names(disk), [], "the suite needs an empty disk");
    files_are_made_of_zeros(disk);
    bytes_are_where_they_were_written(disk);
    lengths_follow_writes_and_cuts(disk);
    names_move_and_replace(disk);
    what_is_not_there_is_said_to_be_missing(disk);
}

fn files_are_made_of_zeros(disk: &mut dyn Disk) {
    disk.create("a", 5_000).expect("a disk with room makes a file");
    assert_eq!(names(disk), [("a".to_owned(), 5_000)]);
    assert_eq!(read(disk, "a", 0, 6_000), vec![0; 5_000], "a new file is all zeros");
    let again = disk.create("a", 1);
    assert!(matches!(again, Err(DiskError::Exists { .. })), "a name is made once: {again:?}");
    assert_eq!(names(disk), [("a".to_owned(), 5_000)], "and stays as it was");
}

fn bytes_are_where_they_were_written(disk: &mut dyn Disk) {
    disk.write_at("a", 4_090, b"across a page").expect("a write into the file");
    disk.write_at("a", 0, b"start").expect("a second write");
    disk.write_at("a", 4_090, b"ACROSS").expect("a write over an older one");
    disk.sync("a").expect("a file that is there can be synced");
    disk.sync_names().expect("names can be synced");
    assert_eq!(read(disk, "a", 4_090, 13), b"ACROSS a page");
    assert_eq!(read(disk, "a", 0, 6), b"start\0");
    assert_eq!(read(disk, "a", 4_998, 10), b"\0\0", "a read ends where the file does");
    assert_eq!(read(disk, "a", 5_000, 10), b"");
    assert_eq!(read(disk, "a", 9_000, 10), b"", "there is nothing past the end");
}

fn lengths_follow_writes_and_cuts(disk: &mut dyn Disk) {
    disk.write_at("a", 5_002, b"end").expect("a write past the end");
    assert_eq!(names(disk), [("a".to_owned(), 5_005)]);
    assert_eq!(read(disk, "a", 4_999, 10), b"\0\0\0end", "the gap is zeros");
    disk.truncate("a", 3).expect("a file can be cut");
    assert_eq!(read(disk, "a", 0, 10), b"sta");
    disk.truncate("a", 5).expect("a file can be filled up");
    assert_eq!(read(disk, "a", 0, 10), b"sta\0\0", "what was cut does not come back");
}

fn names_move_and_replace(disk: &mut dyn Disk) {
    disk.create("b", 0).expect("an empty file");
    disk.write_at("b", 0, b"other").expect("a write into an empty file");
    disk.rename("b", "c").expect("a file gets a new name");
    assert_eq!(names(disk), [("a".to_owned(), 5), ("c".to_owned(), 5)]);
    disk.rename("c", "a").expect("a file takes another's place");
    assert_eq!(names(disk), [("a".to_owned(), 5)]);
    assert_eq!(read(disk, "a", 0, 10), b"other");
    disk.write_at("a", 0, b"OTHER").expect("the renamed file is written");
    assert_eq!(read(disk, "a", 0, 10), b"OTHER");
    disk.remove("a").expect("a file is removed");
    disk.sync_names().expect("names can be synced");
    assert_eq!(names(disk), []);
    disk.create("a", 2).expect("a name is free again");
    assert_eq!(read(disk, "a", 0, 10), b"\0\0", "and what was under it is gone");
    disk.remove("a").expect("a file is removed");
}

fn what_is_not_there_is_said_to_be_missing(disk: &mut dyn Disk) {
    let results = [
        disk.read_at("none", 0, &mut [0]).map(drop),
        disk.write_at("none", 0, b"x"),
        disk.sync("none"),
        disk.truncate("none", 0),
        disk.rename("none", "other"),
        disk.remove("none"),
    ];
    for result in results {
        assert!(matches!(result, Err(DiskError::Missing { .. })), "{result:?}");
    }
    assert_eq!(names(disk), [], "and nothing was made by asking");
}

fn names(disk: &dyn Disk) -> Vec<(String, u64)> {
    let listed = disk.names().expect("names can be listed");
    listed.into_iter().map(|Listed { name, len }| (name, len)).collect()
}

fn read(disk: &dyn Disk, name: &str, offset: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; len];
    let read = disk.read_at(name, offset, &mut bytes).expect("a file that is there can be read");
    bytes.truncate(read);
    bytes
}
