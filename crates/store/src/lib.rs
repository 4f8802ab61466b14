//! Keeps the results that are too large to ride along: as long as the process lives, or durably in
//! a directory.

pub mod durable;
pub mod spill;

mod segment;
