//! The service over a real node in memory: what is submitted runs, is listed, waited for, steered
//! and read, and each role may do what the table of verbs says and no more.

mod cache;
mod chunks;
mod closing;
mod decrees;
mod exec;
mod jobs;
mod machines;
mod restart;
mod roles;
mod streams;
mod world;
