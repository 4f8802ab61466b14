//! `bary console`: servers and tasks by hand, in virtual time.

use std::io::{BufRead, stdin};

use bary_policy::preset;
use bary_sim::plan::Plan;
use bary_sim::session::Session;
use bary_sim::table::Table;

use crate::args::console::ConsoleArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::console::cluster::Cluster;
use crate::console::language::Language;
use crate::console::log::Log;
use crate::console::phrases::Phrases;
use crate::console::plain::{Talk, Way};
use crate::console::wrong::CONSOLE_SERVERS_MAX;
use crate::exit::Exit;
use crate::screen::Screen;

/// Talks until somebody has had enough.
pub(crate) fn run(args: &ConsoleArgs, face: Face) -> Result<Exit, Complaint> {
    let policy = preset::parse(&args.policy)
        .map_err(|fault| Complaint::usage(format!("--policy: {fault}")))?;
    let log = match &args.log {
        None => Log::default(),
        Some(path) => Log::create(path).map_err(|cause| {
            Complaint::failed(format!("cannot write `{}`: {cause}", path.display()))
                .help("name a file in a directory that is there")
        })?,
    };
    let phrases = Phrases::of(args.lang.unwrap_or_else(Language::of_environment));
    let plan = Plan::stepped(args.seed, CONSOLE_SERVERS_MAX, &policy.name);
    lines(args, (face, phrases, log), &plan)
}

fn lines(
    args: &ConsoleArgs,
    (face, phrases, log): (Face, &'static Phrases, Log),
    plan: &Plan,
) -> Result<Exit, Complaint> {
    let way = match face.output {
        Form::Json => Way::Document,
        Form::Jsonl => Way::Records,
        _ if face.is_quiet() => Way::Quiet,
        _ => Way::Words,
    };
    let screen = Screen::new(face);
    let mut talk = Talk::new(stdin().lock(), screen, (phrases, log.clone(), way));
    let servers = servers(args, &mut talk)?;
    let mut table = log;
    let table = table.is_there().then_some(&mut table as &mut dyn Table);
    let session = Session::begin(plan, table).map_err(Complaint::failed)?;
    let mut cluster = Cluster::new(session, servers).map_err(Complaint::failed)?;
    talk.talk(&mut cluster)
}

fn servers<R: BufRead>(args: &ConsoleArgs, talk: &mut Talk<R>) -> Result<usize, Complaint> {
    match args.servers {
        Some(servers) => Ok(servers as usize),
        None => talk.servers(),
    }
}
