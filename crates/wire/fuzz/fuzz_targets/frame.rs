//! Any bytes are refused, or a frame that is written and read back the same.
#![no_main]

use bary_wire::frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = frame::decode(bytes) else { return };
    let mut again = Vec::new();
    frame::encode(&read, &mut again).expect("what was read can be written");
    assert_eq!(frame::decode(&again), Ok(read));
});
