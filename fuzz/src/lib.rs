//! What every decoder must hold for any bytes at all: they are refused, or they are good and come
//! back the same. One function a decoder, with bytes to begin with that our own encoders wrote.
//!
//! `fuzz/targets` has a fuzzer call each; the tests here call each with seeds that were damaged a
//! little, so that a change which breaks one is seen without a fuzzer.

#[cfg(unix)]
pub mod door;
pub mod gossip;
pub mod home;
pub mod identity;
pub mod job;
pub mod journal;
pub mod target;
pub mod trace;
pub mod wire;

mod world;
