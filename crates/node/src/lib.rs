//! Runs engines with real time: the loop, and clusters of nodes inside one process.

pub mod cluster;
pub mod journal;
pub mod limits;
pub mod listener;
pub mod options;
pub mod state;

mod birth;
mod host;
mod inbox;
mod maker;
mod running;
