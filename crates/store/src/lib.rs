//! Keeps the results that are too large to ride along, until their readers are done.
//!
//! What is deliberately absent: durability. What is kept here lives as long as the process.

pub mod spill;

mod segment;
