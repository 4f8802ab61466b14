//! A log over files in memory: what it keeps, what it says of damaged files, what it leaves alone.

mod damage;
mod group;
mod inspect;
mod snapshots;
mod world;
