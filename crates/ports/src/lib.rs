//! The traits that the hands implement, as operations and completions. A hand decides nothing.

pub mod cache;
pub mod conformance;
pub mod disk;
pub mod executor;
pub mod function;
pub mod journal;
pub mod store;
pub mod transport;
