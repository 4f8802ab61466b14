//! Fuzzes `bary_fuzz::gossip::datagram`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bary_fuzz::gossip::datagram(bytes));
