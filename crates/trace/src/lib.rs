//! Traces of work: what arrived when, how long it ran, what it waited for, and how much it moved.
//! Reads the public formats and its own, each whole or not at all, and writes those that can hold
//! a trace; and folds what ran into one. It gets bytes and gives text: no files, no clock.

mod draft;
pub mod fault;
pub mod figures;
pub mod format;
pub mod limits;
mod number;
mod place;
pub mod ran;
pub mod read;
pub mod trace;
mod unpack;
pub mod write;
