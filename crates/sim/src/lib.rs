//! The same engine in virtual time, with faults from one seed.

mod client;
mod clock;
pub mod disk;
pub mod fates;
pub mod history;
pub mod hunt;
pub mod invariant;
pub mod lab;
mod lot;
pub mod network;
mod node;
pub mod oracle;
pub mod plan;
mod queue;
pub mod report;
pub mod run;
pub mod session;
mod shard;
mod store;
pub mod table;
pub mod tally;
mod trail;
pub mod watch;
pub mod world;
