//! Fuzzes `bary_fuzz::journal::recovery`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::journal::recovery(bytes));
