//! `bary console`: servers and tasks by hand, in virtual time.

use std::io::{IsTerminal, stdin, stdout};

use bary_policy::preset;
use bary_sim::plan::Plan;
use bary_sim::session::Session;
use bary_sim::table::Table;
use serde_json::json;

use crate::args::console::ConsoleArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::console::board::Board;
use crate::console::cluster::{Cluster, Trouble};
use crate::console::fleet::Fleet;
use crate::console::language::Language;
use crate::console::live::{Live, LiveError};
use crate::console::log::Log;
use crate::console::phrases::Phrases;
use crate::console::plain::{Talk, Way};
use crate::console::worker as process;
use crate::console::wrong::CONSOLE_SERVERS_MAX;
use crate::exit::Exit;
use crate::screen::{self, Screen};
use crate::verb;

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
    let mut plan = Plan::stepped(args.seed, CONSOLE_SERVERS_MAX, &policy.name);
    plan.crew.outside = args.processes;
    let way = match face.output {
        Form::Json => Way::Document,
        Form::Jsonl => Way::Records,
        _ if face.is_quiet() => Way::Quiet,
        _ => Way::Words,
    };
    let mut talk = Talk::new(stdin().lock(), Screen::new(face), (phrases, log.clone(), way));
    let servers = match args.servers {
        Some(servers) => servers as usize,
        None => talk.servers()?,
    };
    let mut rows = log.clone();
    let table = rows.is_there().then_some(&mut rows as &mut dyn Table);
    let session = Session::begin(&plan, table).map_err(Complaint::failed)?;
    let fleet = args.processes.then(Fleet::new);
    let mut cluster = Cluster::new(session, servers, fleet).map_err(|trouble| match trouble {
        Trouble::Wrong(wrong) => Complaint::failed(wrong.said(phrases)),
        Trouble::Still(still) => Complaint::failed(still),
    })?;
    let on_terminal = stdin().is_terminal() && stdout().is_terminal();
    if args.plain || way != Way::Words || !on_terminal {
        return talk.talk(&mut cluster);
    }
    drop(talk);
    let live = Live {
        phrases,
        log,
        policy: policy.name,
        speed: args.speed,
        board: Board::new(screen::has_color(face.color)),
        times_next: false,
    };
    draw(live, &mut cluster, face)
}

/// Draws pictures instead, and leaves the summary behind on the terminal.
fn draw(mut live: Live, cluster: &mut Cluster<'_>, face: Face) -> Result<Exit, Complaint> {
    let mut terminal = ratatui::try_init()
        .map_err(|cause| Complaint::failed(format!("the terminal: {cause}")).help("try --plain"))?;
    let ran = live.run(&mut terminal, cluster);
    ratatui::try_restore().map_err(|cause| Complaint::failed(format!("the terminal: {cause}")))?;
    ran.map_err(|error: LiveError| Complaint::failed(error))?;
    let summary = cluster.summary();
    live.log.write(&json!({ "event": "summary", "summary": summary.document() }));
    let lines = summary.lines(live.phrases).join("\n");
    verb::print(&mut Screen::new(face), &format!("{lines}\n"))?;
    live.log.finish().map_err(Complaint::failed)?;
    Ok(Exit::OK)
}

/// Stands for a server until the console that began it is done with it.
pub(crate) fn worker() -> Result<Exit, Complaint> {
    process::work().map_err(|cause| Complaint::failed(format!("a console's server: {cause}")))?;
    Ok(Exit::OK)
}
