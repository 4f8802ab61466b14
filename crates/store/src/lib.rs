//! Keeps the results that are too large to ride along: as long as the process lives, or durably in
//! a directory; those of other members of a cluster; and results that may stand for equal work.

pub mod cache;
pub mod durable;
pub mod shelf;
pub mod spill;

mod segment;
