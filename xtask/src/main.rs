//! The checks, generators and benchmarks of Barycenter, started as `cargo xtask VERB`.
//!
//! `verify` only reads, `fix` writes what `verify` would ask for, `setup` installs what the tests
//! need, `bench` measures, `chaos` kills runs and nodes at random instants, and `soak` keeps a node
//! at work for long, and `fuzz` hands the decoders what nobody meant.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks by printing")]

mod arguments;
mod bench;
mod cargo;
mod chaos;
mod check;
mod door;
mod drift;
mod examples;
mod fix;
mod fuzz;
mod licences;
mod markdown;
mod metadata;
mod node;
mod openapi;
mod placement;
mod process;
mod python;
mod ratchet;
mod repo;
mod setup;
mod soak;
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
       cargo xtask bench [NAME|all] [--bary PATH] [-o table|json]  measure; alone, list the names
       cargo xtask placement [--bary PATH] [NAME..]   write the tables of docs/placement.md
       cargo xtask chaos [--kills N] [--seed S] [-o table|json]  kill runs on a state, and look
       cargo xtask chaos node [--minutes M] [--tasks N] [--every 2s] [--seed S] [--bary PATH]
                              [-o table|json]         kill a node that stays, and look
       cargo xtask chaos members [--minutes M] [--tasks N] [--seed S] [--replicas N]
                              [--bary PATH] [-o table|json]  torment members and their network
       cargo xtask chaos rolling --old PATH [--minutes M] [--seed S] [--bary PATH]
                              [-o table|json]         restart members one by one, old and new
       cargo xtask chaos leader [--minutes M] [--seed S] [--bary PATH] [-o table|json]
                                                      kill who leads, again and again
       cargo xtask chaos flood|pause|million [--bary PATH]  one scene with a node
       cargo xtask soak [--minutes M] [--seed S] [--bary PATH] [-o table|json]  does a node grow?
       cargo xtask fuzz [NAME|all] [--minutes M]      fuzz the decoders; alone, list them";

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
    let mut repo = match Repo::open() {
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
        Verb::Setup => setup::setup(),
        Verb::Bench { name, json, bary } => match bench::chosen(name.as_deref()) {
            Ok(benches) => {
                repo.bary = bary;
                bench::bench(&repo, &benches, json)
            }
            Err(complaint) => return refuse(&complaint),
        },
        Verb::Benches => bench::list(),
        Verb::Placement { tables, bary } => placement::write(&repo, bary, &tables),
        Verb::Fuzz(options) => fuzz::fuzz(&repo, &options),
        Verb::Chaos { kills, seed, json } => chaos::chaos(&repo, kills, seed, json),
        Verb::ChaosNode(options) => chaos::node::chaos(&repo, &options),
        Verb::ChaosMembers(options) => chaos::members::chaos(&repo, &options),
        Verb::MembersInside { folder, play, json } => chaos::members::inside(&folder, play, json),
        Verb::ChaosScene { scene, bary } => chaos::node::play(&repo, scene, bary.as_deref()),
        Verb::Soak(options) => soak::soak(&repo, &options),
        Verb::ChaosInside { bary, folder } => chaos::inside(&bary, &folder),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn refuse(complaint: &str) -> ExitCode {
    eprintln!("xtask: {complaint}\n{USAGE}");
    ExitCode::from(2)
}
