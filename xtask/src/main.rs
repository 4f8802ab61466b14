//! The checks, generators and benchmarks of Barycenter, started as `cargo xtask VERB`.
//!
//! `verify` only reads, `fix` writes what `verify` would ask for, `setup` installs what the tests
//! need, `bench` measures, and `chaos` kills runs at random instants.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks by printing")]

mod arguments;
mod bench;
mod cargo;
mod chaos;
mod check;
mod drift;
mod examples;
mod fix;
mod licences;
mod markdown;
mod metadata;
mod process;
mod python;
mod ratchet;
mod repo;
mod setup;
mod source;
mod spdx;
mod suite;
mod tidy;
mod verify;

use std::process::ExitCode;

use crate::arguments::{Verb, parse};
use crate::repo::Repo;

const USAGE: &str = "\
usage: cargo xtask verify [--only NAME[,NAME]] [--skip NAME[,NAME]]  check, write nothing
       cargo xtask fix [--clippy]                     format, generate, lower ratchets
       cargo xtask setup                              install what the tests need
       cargo xtask bench [NAME|all] [-o table|json]   measure; alone, list the names
       cargo xtask chaos [--kills N] [--seed S] [-o table|json]  kill runs on a state, and look";

/// 0: all is well; 1: something failed; 2: the command line is wrong.
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let verb = match parse(&words) {
        Ok(verb) => verb,
        Err(complaint) => return refuse(&complaint),
    };
    if verb == Verb::Help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let repo = match Repo::open() {
        Ok(repo) => repo,
        Err(complaint) => {
            eprintln!("xtask: {complaint}");
            return ExitCode::FAILURE;
        }
    };
    let well = match verb {
        Verb::Help => true,
        Verb::Verify { only, skip } => match verify::chosen(&only, &skip) {
            Ok(checks) => verify::verify(&repo, &checks),
            Err(complaint) => return refuse(&complaint),
        },
        Verb::Fix { clippy } => fix::fix(&repo, clippy),
        Verb::Setup => setup::setup(&repo),
        Verb::Bench { name, json } => match bench::chosen(name.as_deref()) {
            Ok(benches) => bench::bench(&repo, &benches, json),
            Err(complaint) => return refuse(&complaint),
        },
        Verb::Benches => bench::list(),
        Verb::Chaos { kills, seed, json } => chaos::chaos(&repo, kills, seed, json),
        Verb::ChaosInside { bary, folder } => chaos::inside(&bary, &folder),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(complaint: &str) -> ExitCode {
    eprintln!("xtask: {complaint}\n{USAGE}");
    ExitCode::from(2)
}
