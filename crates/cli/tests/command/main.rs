//! The program as a person runs it: what it prints, what it leaves, what it ends with.

mod bench;
mod map;
mod run;
#[cfg(unix)]
mod trouble;
