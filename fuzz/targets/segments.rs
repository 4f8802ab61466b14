//! Fuzzes `bary_fuzz::journal::segments`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::journal::segments(bytes));
