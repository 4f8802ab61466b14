//! Any bytes are refused, or a batch that is written and read back the same.
#![no_main]

use bary_wire::batch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = batch::decode(bytes) else { return };
    let mut again = Vec::new();
    batch::encode(read.epoch, &read.records, &mut again).expect("what was read can be written");
    assert_eq!(batch::decode(&again), Ok(read));
});
