//! Runs tasks: functions on threads and as futures, commands as process groups of their own.
//!
//! What is deliberately absent: any decision. What to start, when to stop it and whether to try
//! again is the engine's; this crate does it and says what came of it.

pub mod arguments;
pub mod beside;
pub mod cached;
pub mod config;
pub mod leftover;
pub mod local;
pub mod report;

mod blocking;
mod call;
mod future;
mod process;
mod run;
mod shared;
mod slot;
