//! The command `bary`: reads the command line and hands it to a verb.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, PolicyVerb, Verb};
use crate::complaint::Complaint;
use crate::exit::Exit;

mod action;
mod args;
mod complaint;
mod desk;
mod exit;
mod feeder;
mod gate;
mod harvest;
mod joblog;
mod keep;
mod limits;
mod printer;
mod progress;
mod recipe;
mod record;
mod report;
mod results;
mod roster;
mod screen;
mod session;
mod signals;
mod sources;
mod tally;
mod verb;
mod why;
mod words;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Where the terminal has gone there is nobody to tell.
            drop(error.print());
            return if error.use_stderr() { Exit::USAGE.into() } else { Exit::OK.into() };
        }
    };
    match run(args) {
        Ok(exit) => exit.into(),
        Err(complaint) => {
            if complaint.exit != Exit::PIPE_CLOSED {
                drop(writeln!(std::io::stderr(), "{complaint}"));
            }
            complaint.exit.into()
        }
    }
}

fn run(args: Args) -> Result<Exit, Complaint> {
    let face = args.face;
    match args.verb {
        Verb::Run(run) => verb::run::run(&run, face),
        Verb::Map(map) => verb::map::run(&map, face),
        Verb::Why(why) => verb::why::run(&why, face),
        Verb::Policy { verb: PolicyVerb::Ls } => verb::policy::list(face),
        Verb::Completions { shell } => verb::docs::completions(shell),
        Verb::Docs { page } => verb::docs::run(page.as_deref()),
    }
}
