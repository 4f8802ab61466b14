//! Commands: each a process group of its own, ended with everything it started.
//!
//! They run on Linux so far. Elsewhere each is reported as not started, with the reason.

#[cfg(target_os = "linux")]
pub(crate) mod beside;
#[cfg(target_os = "linux")]
mod brand;
#[cfg(target_os = "linux")]
mod capture;
#[cfg(target_os = "linux")]
mod census;
#[cfg(target_os = "linux")]
mod command;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod environment;
#[cfg(target_os = "linux")]
mod hunt;
#[cfg(target_os = "linux")]
mod keep;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod lookup;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod patience;
#[cfg(target_os = "linux")]
mod pty;
#[cfg(target_os = "linux")]
mod pump;
#[cfg(target_os = "linux")]
mod scratch;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod tree;
#[cfg(target_os = "linux")]
mod unstarted;

#[cfg(target_os = "linux")]
pub(crate) use command::{CommandRunner, Commands};
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{CommandRunner, Commands, beside, hunt};
#[cfg(target_os = "linux")]
pub(crate) use hunt::hunt;
