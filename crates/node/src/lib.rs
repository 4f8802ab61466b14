//! Runs engines with real time: the loop, and clusters of nodes inside one process.

pub mod access;
pub mod audit;
pub mod backup;
pub mod board;
pub mod cluster;
pub mod crew;
pub mod doors;
pub mod journal;
pub mod limits;
pub mod listener;
pub mod meter;
pub mod options;
pub mod peers;
pub mod replicas;
pub mod scaler;
pub mod serve;
pub mod service;
pub mod state;

mod atlas;
mod birth;
mod ground;
mod host;
mod inbox;
mod maker;
mod probes;
mod running;
mod surveyor;
mod telling;
mod worker;
