//! Fuzzes `bary_fuzz::identity::audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::identity::audit(bytes));
