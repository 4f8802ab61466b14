//! Turns a job file into a job, or says where in the file it is wrong, why, and what to write
//! instead. Every fault is found before anything runs. The table in `keys` drives the checks,
//! the reference page and the JSON schema alike.

mod action;
mod after;
mod array;
mod check;
mod context;
pub mod document;
pub mod duration;
pub mod fault;
pub mod files;
pub mod glob;
mod graph;
pub mod keys;
pub mod limits;
mod number;
pub mod operator;
mod params;
pub mod range;
pub mod read;
mod reduce;
mod request;
pub mod schema;
pub mod size;
pub mod suggest;
mod surroundings;
mod task;
