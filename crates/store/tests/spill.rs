//! The spilling store does what every store does, and keeps to its limits.

use std::io::{self, Write};

use bary_model::payload::Payload;
use bary_ports::conformance::store::{
    a_store_forgets_what_is_released, a_store_keeps_what_it_is_given,
};
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
    a_store_forgets_what_is_released(&store(10, 1 << 20));
    a_store_forgets_what_is_released(&store(0, 1 << 20));
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

/// Takes bytes, and remembers how many came and the most that came at once.
#[derive(Default)]
struct Sink {
    all: usize,
    once: usize,
    most: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.most > 0 && self.all >= self.most {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.all += bytes.len();
        self.once = self.once.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_blob_is_read_piece_by_piece() {
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| n as u8).collect();
    for memory in [0, 10_000_000] {
        let store = store(memory, 1 << 30);
        let blob = store.put_from(&mut bytes.as_slice(), 5_000_000).expect("there is room");
        let mut read = Vec::new();
        store.read_to(blob, &mut read).expect("it is kept");
        assert!(read == bytes, "what comes out is what went in");
        let mut sink = Sink::default();
        store.read_payload_to(&Payload::Stored(blob), &mut sink).expect("it is kept");
        assert_eq!(sink.all, 5_000_000);
        assert!(memory > 0 || sink.once <= 1 << 20, "{} bytes at once", sink.once);
        store.release(blob);
        assert!(matches!(store.read_to(blob, &mut sink), Err(StoreError::Missing(_))));
    }
}

#[test]
fn a_reader_that_has_enough_is_told_from_a_disk_that_fails() {
    let store = store(0, 1 << 30);
    let blob = store.put(&[1; 3_000_000]).expect("there is room");
    let mut sink = Sink { most: 1, ..Sink::default() };
    let error = store.read_to(blob, &mut sink).expect_err("the sink takes no more");
    assert!(matches!(&error, StoreError::Sink(e) if e.kind() == io::ErrorKind::BrokenPipe));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let store = SpillStore::new(StoreConfig {
        memory_bytes_max: 0,
        dir: "/no/such/directory".into(),
        ..StoreConfig::default()
    });
    for put in [store.put(&[1; 10]), store.put_from(&mut [1; 10].as_slice(), 10)] {
        let text = put.expect_err("nothing can be kept there").to_string();
        assert!(text.contains("/no/such/directory"), "{text}");
        assert!(text.contains("No such file"), "{text}");
    }
    assert_eq!(store.kept(), (0, 0));
}
