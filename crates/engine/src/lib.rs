//! The one engine: `step(now, inputs, effects)`. It decides and never does: no clock, socket,
//! file, thread or hidden dice. Every driver runs this same code.

mod chart;
pub mod counts;
pub mod effect;
pub mod election;
pub mod engine;
pub mod flaw;
mod home;
pub mod input;
mod keeper;
pub mod limits;
mod link;
mod log;
mod outbox;
pub mod recall;
mod runner;
mod sorted;
mod timers;
mod view;
mod ways;
