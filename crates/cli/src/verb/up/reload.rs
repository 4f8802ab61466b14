//! What a node takes from its settings again while it runs: the whole command line is read as at
//! its start, with the files as they are now.

use std::path::PathBuf;
use std::sync::Arc;

use bary_jobfile::fault::Fault;
use bary_node::serve::{Reload, Reloaded};
use clap::{CommandFactory, FromArgMatches};

use crate::args::up::DoorArgs;
use crate::args::{Args, Verb};
use crate::settings::Settings;
use crate::verb::up::{format, state_of};

/// What reads them, for a node that was started with these.
pub(super) fn of(began: DoorArgs, state: Option<PathBuf>) -> Reload {
    Reload(Arc::new(move || read(&began, state.as_ref())))
}

fn read(began: &DoorArgs, state: Option<&PathBuf>) -> Result<Reloaded, String> {
    let settings = Settings::load().map_err(|faults| told(&faults))?;
    let matches = settings.defaults(Args::command()).try_get_matches_from(std::env::args_os());
    let args = matches.and_then(|matches| Args::from_arg_matches(&matches));
    // A file may hold what its flag does not take.
    let args = args.map_err(|error| error.to_string().trim().to_owned())?;
    let (doors, now) = match &args.verb {
        Verb::Up(args) => (&args.doors, state_of(args.state.as_deref()).map(Some)),
        Verb::Join(args) => (&args.doors, state_of(args.state.as_deref()).map(Some)),
        Verb::Dev(args) => (&args.doors, Ok(None)),
        _ => return Err("the command line is no node's any more".to_owned()),
    };
    let now = now.map_err(|complaint| complaint.to_string())?;
    let others = [
        ("state", now.as_ref() != state),
        ("listen", doors.listen != began.listen),
        ("socket", doors.socket != began.socket),
        ("keep-jobs", doors.keep_jobs != began.keep_jobs),
        ("keep-for", doors.keep_for != began.keep_for),
        ("cache-max", doors.cache_max != began.cache_max),
        ("cache-keep-for", doors.cache_keep_for != began.cache_keep_for),
    ];
    let at_start = others.iter().filter(|(_, differs)| *differs).map(|(key, _)| (*key).to_owned());
    Ok(Reloaded {
        drain_timeout: doors.drain_timeout.to_std(),
        log: format(doors.log_format),
        audit_bytes_max: doors.audit_max,
        at_start: at_start.collect(),
    })
}

fn told(faults: &[Fault]) -> String {
    let line = |fault: &Fault| match &fault.place {
        Some(at) => format!("{}:{}:{}: {}", fault.path, at.line, at.column, fault.message),
        None => format!("{}: {}", fault.path, fault.message),
    };
    faults.iter().map(line).collect::<Vec<_>>().join("; ")
}
