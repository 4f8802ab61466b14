//! Fuzzes `bary_fuzz::job::spec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::job::spec(bytes));
