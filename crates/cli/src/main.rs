//! The command `bary`: reads the command line and hands it to a verb.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ErrorKind};

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
mod glance;
mod harvest;
mod hint;
mod joblog;
mod keep;
mod limits;
mod outlet;
mod printer;
mod progress;
mod recipe;
mod record;
mod report;
mod results;
mod resume;
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
        Err(error) => return show(&without_advice(error)),
    };
    match run(args) {
        Ok(exit) => exit.into(),
        Err(complaint) => complain(&complaint),
    }
}

/// An unknown flag is seldom meant as a value, which is what would be advised.
fn without_advice(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// Shows what the reader of the command line has to say: a complaint, or the help that was asked
/// for.
fn show(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // Where the terminal has gone there is nobody to tell.
        drop(error.print());
        return Exit::USAGE.into();
    }
    match print(error) {
        Ok(()) => Exit::OK.into(),
        Err(error) => complain(&verb::printing(error)),
    }
}

fn print(error: &clap::Error) -> Result<(), screen::PrintError> {
    error.print()?;
    Ok(std::io::stdout().flush()?)
}

fn complain(complaint: &Complaint) -> ExitCode {
    if complaint.exit != Exit::PIPE_CLOSED {
        drop(writeln!(std::io::stderr(), "{complaint}"));
    }
    complaint.exit.into()
}

fn run(args: Args) -> Result<Exit, Complaint> {
    let face = args.face;
    match args.verb {
        Verb::Run(run) => verb::run::run(&run, face),
        Verb::Map(map) => verb::map::run(&map, face),
        Verb::Why(why) => verb::why::run(&why, face),
        Verb::Policy { verb: PolicyVerb::Ls } => verb::policy::list(face),
        Verb::Journal { verb } => verb::journal::run(&verb, face),
        Verb::Sim(sim) => verb::sim::run(&sim, face),
        Verb::Completions { shell } => verb::docs::completions(shell),
        Verb::Docs { page } => verb::docs::run(page.as_deref()),
    }
}
