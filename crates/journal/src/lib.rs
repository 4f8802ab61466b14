//! The append-only segmented log over a disk: framing, group commit, snapshots, recovery.
//!
//! What is deliberately absent: file calls of its own, threads, clocks, and any knowledge of what
//! a batch holds. Numbers are little-endian.

pub mod config;
pub mod copying;
pub mod group;
pub mod inspect;
pub mod log;
pub mod prepared;
pub mod reading;
pub mod recovery;

mod frame;
mod header;
mod name;
mod replay;
mod segment;
mod snapshot;
mod space;
