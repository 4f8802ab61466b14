//! Runs engines with real time: the loop, and clusters of nodes inside one process.

pub mod cluster;
pub mod limits;
pub mod listener;
pub mod options;

mod host;
mod inbox;
