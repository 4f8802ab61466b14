//! The program as a person runs it: what it prints, what it leaves, what it ends with.

mod bench;
mod console;
mod fake;
mod hands;
mod journal;
mod lab;
#[cfg(target_os = "linux")]
mod leftover;
mod map;
#[cfg(unix)]
mod output;
mod remote;
mod run;
mod schemas;
mod settings;
mod sim;
mod state;
#[cfg(unix)]
mod stream;
#[cfg(unix)]
mod terminal;
mod trace;
#[cfg(unix)]
mod trouble;
