//! What is true: a shard's jobs as a state machine folded from records. Nothing here decides;
//! the same records in the same order always give the same state.

pub mod array;
pub mod checkpoint;
pub mod consequences;
pub mod graph;
pub mod job;
pub mod jobs;
pub mod kept;
pub mod keys;
pub mod ledger;
pub mod record;
pub mod reduce;
mod retry;
pub mod snapshot;
mod spec;
pub mod survey;
mod upstream;
mod visit;
mod whole;
