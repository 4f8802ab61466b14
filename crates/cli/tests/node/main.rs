//! A node that stays, as its process and through its doors: who gets in, what is refused, and what
//! is left when it ends.
#![cfg(unix)]

#[path = "../command/bench.rs"]
#[expect(dead_code, reason = "tests of commands use more of it")]
mod bench;
mod doors;
mod hostile;
mod http;
mod process;
mod roles;
mod session;
mod standing;
mod verbs;
