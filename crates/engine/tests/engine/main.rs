//! The engine in virtual time.

mod balance;
mod chart;
mod checkpoint;
mod decree;
mod expect;
mod field;
mod found;
mod gang;
mod gauge;
mod hands;
mod life;
mod line;
mod machine;
mod open;
mod orders;
mod permits;
mod protocols;
mod recall;
mod shards;
mod steer;
mod straggler;
mod world;
