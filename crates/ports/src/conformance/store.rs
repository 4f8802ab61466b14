//! What every store does.

use bary_model::payload::Payload;
use bytes::Bytes;

use crate::store::{Store, StoreError};

/// Checks a store that is empty and has room for a mebibyte.
///
/// # Panics
/// Where the store does not do what a store does.
pub fn a_store_keeps_what_it_is_given(store: &dyn Store) {
    let large = Bytes::from(vec![7_u8; 100_000]);
    let payload = store.payload(large.clone()).expect("a store with room keeps a blob");
    let Payload::Stored(blob) = payload else { panic!("100,000 bytes must not ride along") };
    assert_eq!(blob.len, 100_000);
    assert_eq!(store.get(blob).expect("a kept blob can be read"), large);
    let other = store.put(b"other").expect("a store with room keeps a second blob");
    assert_ne!(other.id, blob.id, "each blob has its own name");
    store.release(blob);
    store.release(blob);
    assert_eq!(store.get(other).expect("the other blob stays"), Bytes::from_static(b"other"));
    assert!(store.payload(Bytes::new()).expect("nothing needs no room").is_empty());
}

/// Checks that a store forgets what is released, as those do that keep nothing for a later process.
///
/// # Panics
/// Where it does not.
pub fn a_store_forgets_what_is_released(store: &dyn Store) {
    let blob = store.put(b"once").expect("a store with room keeps a blob");
    store.release(blob);
    assert!(matches!(store.get(blob), Err(StoreError::Missing(_))), "released is gone");
}
