//! Moves messages between nodes; here, between nodes of one process.

pub mod count;
pub mod memory;

mod delay;
