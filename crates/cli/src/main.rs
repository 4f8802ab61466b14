//! The command `bary`: reads the command line and hands it to a verb.

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use crate::args::{Args, ConfigVerb, Face, PolicyVerb, Verb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::settings::Settings;

mod action;
mod args;
mod asking;
mod complaint;
mod console;
mod counted;
mod desk;
mod exit;
mod feeder;
mod gate;
mod glance;
mod harvest;
mod hint;
mod joblog;
mod keep;
mod kinds;
mod limits;
mod listing;
mod outlet;
mod printer;
mod progress;
mod recipe;
mod record;
mod report;
mod results;
mod resume;
mod screen;
mod selector;
mod session;
mod settings;
mod signals;
mod sources;
mod tally;
mod trail;
mod verb;
mod why;
mod words;

fn main() -> ExitCode {
    let settings = Settings::load();
    let command = match &settings {
        Ok(settings) => settings.defaults(Args::command()),
        Err(_) => Args::command(),
    };
    let args = command.try_get_matches().and_then(|matches| Args::from_arg_matches(&matches));
    let args = match args {
        Ok(args) => args,
        Err(error) => return show(&without_advice(error)),
    };
    let done = match settings {
        // What helps to mend the files works without them.
        Err(faults) if !args.verb.needs_no_settings() => Err(faults.into()),
        _ => run(args),
    };
    match done {
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
        Verb::Up(args) => verb::up::run(&args),
        Verb::Join(args) => verb::up::join(&args),
        Verb::Auth { verb } => verb::auth::run(&verb, face),
        Verb::Tls(args) => verb::tls::run(&args, face),
        Verb::Dev(args) => verb::dev::run(&args),
        Verb::Remote(verb) => verb::remote::run(&verb, face),
        Verb::Why(why) => verb::why::run(&why, face),
        Verb::Policy { verb } => policy(&verb, face),
        Verb::Config { verb: ConfigVerb::Show { origin } } => verb::config::show(origin, face),
        Verb::Completions { shell } => verb::completions::run(shell),
        Verb::Man { directory } => verb::man::run(directory.as_deref()),
        Verb::Docs { page } => verb::docs::run(page.as_deref()),
        Verb::Run(args) => verb::run::run(&args, face.without_rows()?),
        Verb::Map(args) => verb::map::run(&args, face.without_rows()?),
        Verb::Restore(args) => verb::restore::run(&args, face.without_rows()?),
        Verb::Journal { verb } => verb::journal::run(&verb, face.without_rows()?),
        Verb::Plan(args) => verb::plan::run(&args, face.without_rows()?),
        Verb::Sim(args) => verb::sim::run(&args, face),
        #[cfg(unix)]
        Verb::Bench(args) => verb::bench::run(&args, face),
        #[cfg(not(unix))]
        Verb::Bench(_) => Err(Complaint::usage("several nodes of one machine need a Unix system")),
        Verb::ConsoleWorker => verb::console::worker(),
        Verb::Console(args) => verb::console::run(&args, face.without_rows()?),
        Verb::Trace { verb } => verb::trace::run(&verb, face.without_rows()?),
    }
}

fn policy(verb: &PolicyVerb, face: Face) -> Result<Exit, Complaint> {
    match verb {
        PolicyVerb::Ls => verb::policy::list(face.without_rows()?),
        PolicyVerb::Show(args) => verb::remote::policy::show(args, face),
        PolicyVerb::Set(args) => verb::remote::policy::set(args, face),
        PolicyVerb::Learnt(args) => verb::remote::policy::learnt(args, face),
        PolicyVerb::Try(args) => verb::remote::policy::attempt(args, face),
    }
}
