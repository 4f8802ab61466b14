//! A node that stays, as its process and through its doors: who gets in, what is refused, and what
//! is left when it ends.
#![cfg(unix)]

mod backup;
#[path = "../command/bench.rs"]
#[expect(dead_code, reason = "tests of commands use more of it")]
mod bench;
mod cache;
mod cluster;
mod config;
#[cfg(target_os = "linux")]
mod container;
mod desk;
mod doors;
mod everywhere;
mod exec;
mod finding;
mod graph;
mod homes;
mod hostile;
mod http;
mod journal;
mod kept;
mod lab;
mod local;
mod logs;
mod membership;
mod process;
mod replicas;
mod results;
mod roles;
mod scale;
mod secrets;
mod session;
mod size;
mod standing;
mod strangers;
mod swap;
mod three;
mod trace;
mod verbs;
mod words;
