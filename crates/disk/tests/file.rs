//! Real files do what a disk does, for one process at a time.

use std::path::Path;

use bary_disk::file::{FileDisk, OpenError};
use bary_ports::conformance::disk::a_disk_keeps_files;
use bary_ports::disk::{Disk, DiskError};

fn open(dir: &Path) -> FileDisk {
    FileDisk::open(dir).expect("a directory that nobody has")
}

#[test]
fn they_do_what_a_disk_does() {
    let dir = tempfile::tempdir().expect("a directory");
    a_disk_keeps_files(&mut open(dir.path()));
}

#[test]
fn what_was_written_is_there_when_the_directory_is_opened_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let inner = dir.path().join("made/when/missing");
    let mut disk = open(&inner);
    disk.create("a", 10).expect("a file");
    disk.write_at("a", 2, b"kept").expect("a write");
    disk.sync("a").expect("a sync");
    drop(disk);
    let mut bytes = [0xff; 16];
    assert_eq!(open(&inner).read_at("a", 0, &mut bytes).expect("a read"), 10);
    assert_eq!(&bytes[..10], b"\0\0kept\0\0\0\0");
}

#[test]
fn two_do_not_have_one_directory_and_the_second_learns_who_has_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(dir.path());
    let second = FileDisk::open(dir.path());
    let Err(error @ OpenError::InUse { .. }) = second else { panic!("{second:?}") };
    let text = error.to_string();
    let named = format!("is in use by process {}; wait", std::process::id());
    assert!(text.contains(&named), "{text}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_peek_reads_beside_the_owner_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut owner = open(dir.path());
    owner.create("a", 3).expect("a file");
    let mut peek = FileDisk::peek(dir.path()).expect("a directory that is there");
    assert_eq!(peek.names().expect("names"), owner.names().expect("names"));
    let refused = [
        peek.create("b", 0),
        peek.write_at("a", 0, b"x"),
        peek.sync("a"),
        peek.sync_names(),
        peek.truncate("a", 0),
        peek.rename("a", "b"),
        peek.remove("a"),
    ];
    for result in refused {
        assert!(matches!(result, Err(DiskError::Failed { .. })), "{result:?}");
    }
    assert_eq!(peek.names().expect("names").len(), 1);
    assert!(FileDisk::peek(&dir.path().join("none")).is_err());
}
