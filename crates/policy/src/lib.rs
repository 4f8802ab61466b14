//! Pure placement decisions, one a file: which task comes next, which node draws it, how much a
//! node asks for or steals, and when a failed task is tried again. Time and dice are arguments,
//! and whatever is compared is an integer, so that a seed gives the same run on every CPU.

pub mod adaptive;
pub mod carrying;
pub mod claim;
pub mod dice;
pub mod distance;
pub mod expression;
pub mod flow;
pub mod force;
pub mod guard;
pub mod latency;
pub mod layout;
pub mod learnt;
pub mod order;
pub mod parameter;
pub mod preset;
pub mod protocol;
pub mod pull;
pub mod queue;
pub mod recover;
pub mod sample;
pub mod scale;
pub mod speculate;
pub mod steal;
pub mod topology;
pub mod trip;
pub mod view;

#[cfg(test)]
mod world;
