//! Fuzzes `bary_fuzz::door::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::door::message(bytes));
