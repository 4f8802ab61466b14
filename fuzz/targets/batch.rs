//! Fuzzes `bary_fuzz::wire::batch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::wire::batch(bytes));
