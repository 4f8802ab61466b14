//! The spilling store does what every store does, and keeps to its limits.

use bary_ports::conformance::store::a_store_keeps_what_it_is_given;
use bary_ports::store::{Store, StoreError};
use bary_store::spill::{SpillStore, StoreConfig};

fn store(memory: u64, all: u64) -> SpillStore {
    SpillStore::new(StoreConfig {
        memory_bytes_max: memory,
        store_bytes_max: all,
        segment_bytes_max: 10_000,
        ..StoreConfig::default()
    })
}

#[test]
fn it_is_a_store_in_memory_and_on_disk() {
    a_store_keeps_what_it_is_given(&SpillStore::new(StoreConfig::default()));
    a_store_keeps_what_it_is_given(&store(0, 1 << 20));
}

#[test]
fn blobs_keep_their_bytes_wherever_they_are() {
    let store = store(20_000, 1 << 20);
    let bytes = |n: usize| vec![n as u8; 1_000 + n];
    let mut blobs: Vec<_> =
        (0..100).map(|n| (n, store.put(&bytes(n)).expect("there is room"))).collect();
    let (memory, total) = store.kept();
    assert!(memory <= 20_000 && total > 100_000, "{memory} of {total}");
    let odd = blobs.extract_if(.., |(n, _)| *n % 2 == 1).collect::<Vec<_>>();
    odd.iter().for_each(|(_, blob)| store.release(*blob));
    for (n, blob) in &blobs {
        assert_eq!(store.get(*blob).expect("it is kept"), bytes(*n));
    }
    blobs.iter().for_each(|(_, blob)| store.release(*blob));
    assert_eq!(store.kept(), (0, 0));
}

#[test]
fn a_full_store_has_room_again_after_a_release() {
    let store = store(100, 1_000);
    let blob = store.put(&[1; 900]).expect("there is room");
    assert!(matches!(store.put(&[2; 101]), Err(StoreError::Full { limit: 1_000 })));
    store.release(blob);
    store.put(&[2; 101]).expect("there is room again");
}

#[test]
fn a_source_that_ends_early_leaves_nothing() {
    for memory in [0, 100_000] {
        let store = store(memory, 1 << 20);
        assert!(matches!(store.put_from(&mut [1; 10].as_slice(), 11), Err(StoreError::Disk(_))));
        assert_eq!(store.kept(), (0, 0));
        let blob = store.put_from(&mut [1; 12].as_slice(), 11).expect("there is room");
        assert_eq!(store.get(blob).expect("it is kept"), [1; 11].as_slice());
    }
}
