//! Fuzzes `bary_fuzz::trace::file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::trace::file(bytes));
