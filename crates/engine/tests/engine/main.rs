//! The engine in virtual time.

mod balance;
mod chaos;
mod found;
mod hands;
mod life;
mod shards;
mod world;
