//! Fuzzes `bary_fuzz::door::request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::door::request(bytes));
