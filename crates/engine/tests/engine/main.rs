//! The engine in virtual time.

mod balance;
mod chart;
mod checkpoint;
mod decree;
mod found;
mod hands;
mod life;
mod line;
mod open;
mod permits;
mod recall;
mod shards;
mod steer;
mod world;
