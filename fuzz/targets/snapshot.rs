//! Fuzzes `bary_fuzz::wire::snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::wire::snapshot(bytes));
