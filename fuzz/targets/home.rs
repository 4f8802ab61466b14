//! Fuzzes `bary_fuzz::home::submission`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::home::submission(bytes));
