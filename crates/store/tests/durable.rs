//! The durable store does what every store does, and a later process reads what an earlier kept.

use std::fs;

use bary_ports::conformance::store::a_store_keeps_what_it_is_given;
use bary_ports::store::{Store, StoreError};
use bary_store::durable::DurableStore;

#[test]
fn it_is_a_store() {
    let dir = tempfile::tempdir().expect("there is room");
    a_store_keeps_what_it_is_given(&DurableStore::open(dir.path()).expect("it can be made"));
}

#[test]
fn a_later_life_reads_what_an_earlier_kept_and_adds_its_own() {
    let dir = tempfile::tempdir().expect("there is room");
    let path = dir.path().join("blobs");
    let long = vec![7; 1_000_000];
    let kept = {
        let store = DurableStore::open(&path).expect("it can be made");
        let first = store.put(b"first").expect("there is room");
        let second = store.put_from(&mut long.as_slice(), 1_000_000).expect("there is room");
        store.sync().expect("the disk takes it");
        store.release(first);
        [first, second]
    };
    let store = DurableStore::open(&path).expect("it can be read");
    let third = store.put(b"third").expect("there is room");
    assert_eq!(&store.get(kept[0]).expect("nothing is released")[..], b"first");
    assert_eq!(&store.get(third).expect("it was kept")[..], b"third");
    let mut read = Vec::new();
    store.read_to(kept[1], &mut read).expect("it is as it was");
    assert!(read == long);
}

#[test]
fn what_was_changed_is_told_and_not_handed_on() {
    let dir = tempfile::tempdir().expect("there is room");
    let store = DurableStore::open(dir.path()).expect("it can be made");
    let blob = store.put(&[7; 1_000]).expect("there is room");
    let file = dir.path().join("000001.blobs");
    let mut bytes = fs::read(&file).expect("the store writes there");
    bytes[500] ^= 1;
    fs::write(&file, &bytes).expect("it can be changed");
    let later = DurableStore::open(dir.path()).expect("it can be read");
    assert!(matches!(later.get(blob), Err(StoreError::Spoilt { .. })));
    let mut read = Vec::new();
    assert!(matches!(later.read_to(blob, &mut read), Err(StoreError::Spoilt { .. })));
    assert!(read.is_empty());
    fs::write(&file, &bytes[..100]).expect("it can be cut");
    assert!(matches!(later.get(blob), Err(StoreError::Spoilt { .. })));
    fs::remove_file(&file).expect("it can be removed");
    let later = DurableStore::open(dir.path()).expect("it can be read");
    assert!(matches!(later.get(blob), Err(StoreError::Spoilt { .. })));
}
