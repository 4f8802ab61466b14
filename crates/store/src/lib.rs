//! Keeps the results that are too large to ride along: as long as the process lives, or durably in
//! a directory; and results that may stand for equal work.

pub mod cache;
pub mod durable;
pub mod spill;

mod segment;
