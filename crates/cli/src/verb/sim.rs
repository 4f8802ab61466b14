//! `bary sim`: a scenario whose policies are compared, or one drawn world, judged as it goes on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bary_sim::hunt::{self, Finding};
use bary_sim::oracle::Oracle;
use bary_sim::plan::Plan;
use bary_sim::report::{Report, Verdict};
use bary_sim::table::{HEAD, Row, Table};
use bary_sim::watch::{Seen, Watch};
use serde_json::{Value, json};

use crate::args::sim::{self, OneArgs, SimArgs, SimVerb};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::{PrintError, Screen};
use crate::verb;

mod hunting;
mod judge;
pub(crate) mod lab;
mod tally;
mod tuning;

/// Compares policies, runs one drawn world, hunts, or judges a history.
pub(crate) fn run(args: &SimArgs, face: Face) -> Result<Exit, Complaint> {
    match &args.verb {
        Some(SimVerb::Hunt(hunt)) => hunting::run(hunt, face.without_rows()?),
        Some(SimVerb::Judge(judged)) => judge::run(judged, face.without_rows()?),
        Some(SimVerb::Tune(tune)) => tuning::run(tune, face),
        None if lab::is_meant(args) => lab::run(args, face),
        None => one(&args.one, face.without_rows()?),
    }
}

fn one(args: &OneArgs, face: Face) -> Result<Exit, Complaint> {
    let mut case = args.world.case(args.seed.unwrap_or(0))?;
    case.without.clone_from(&args.without);
    let plan = sim::bounded(if args.plain { plain(args) } else { case.plan() })?;
    let mut rows = Rows::new(face);
    let table: Option<&mut dyn Table> =
        (args.table || face.output == Form::Jsonl).then_some(&mut rows as &mut dyn Table);
    let judged = if args.no_check {
        let mut plan = plan;
        plan.check_every = 0;
        hunt::watched(&plan, &mut Blind, table)
    } else if let Some(path) = &args.history {
        let (oracle, file) = recorded(&plan, path)?;
        let judged = hunt::judged(&plan, oracle, table);
        finish(&file).map_err(|cause| file_fault(path, &cause))?;
        judged
    } else {
        hunt::judged(&plan, Oracle::new(&plan), table)
    };
    let Rows { mut screen, failed, .. } = rows;
    failed.map_or(Ok(()), |error| Err(verb::printing(error)))?;
    let command = if args.plain { String::new() } else { case.command() };
    let report = judged.report.as_ref();
    verb::print(&mut screen, &shown(report, judged.finding.as_ref(), &command, face))?;
    Ok(if judged.finding.is_some() { Exit::FAILED } else { Exit::OK })
}

/// Equal tasks without faults.
fn plain(args: &OneArgs) -> Plan {
    let nodes = args.world.nodes.unwrap_or(100) as usize;
    let homes = (args.world.homes.unwrap_or(1) as usize).min(nodes);
    let tasks = args.world.tasks.unwrap_or(100_000);
    let policy = args.world.policy.first().map_or("gravity", String::as_str);
    Plan { seed: args.seed.unwrap_or(0), ..Plan::plain(nodes, homes, tasks, policy) }
}

/// Sees nothing.
struct Blind;

impl Watch for Blind {
    fn see(&mut self, _: bary_model::time::Moment, _: usize, _: Seen<'_>) {}
}

/// A history as it is written, and the first fault of its file.
type Log = Arc<Mutex<(BufWriter<File>, Option<std::io::Error>)>>;

fn recorded(plan: &Plan, path: &Path) -> Result<(Oracle, Log), Complaint> {
    let file = File::create(path).map_err(|cause| file_fault(path, &cause))?;
    let log: Log = Arc::new(Mutex::new((BufWriter::new(file), None)));
    let lines = Arc::clone(&log);
    let oracle = Oracle::telling(plan, move |line| {
        let mut log = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Err(cause), None) = (writeln!(log.0, "{line}"), &log.1) {
            log.1 = Some(cause);
        }
    });
    Ok((oracle, log))
}

fn finish(log: &Log) -> std::io::Result<()> {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.1.take().map_or(Ok(()), Err)?;
    log.0.flush()
}

fn file_fault(path: &Path, cause: &std::io::Error) -> Complaint {
    let text = format!("cannot write `{}`: {cause}", path.display());
    match cause.kind() {
        std::io::ErrorKind::NotFound => Complaint::not_found(text),
        _ => Complaint::failed(text),
    }
}

/// Prints rows as they come.
struct Rows {
    screen: Screen,
    data: bool,
    begun: bool,
    failed: Option<PrintError>,
}

impl Rows {
    fn new(face: Face) -> Self {
        let data = face.output == Form::Jsonl;
        Self { screen: Screen::new(face), data, begun: false, failed: None }
    }

    fn put(&mut self, text: &str) {
        if self.failed.is_none()
            && let Err(error) = self.screen.out(text.as_bytes())
        {
            self.failed = Some(error);
        }
    }
}

impl Table for Rows {
    fn row(&mut self, row: &Row) {
        if self.data {
            let Row { number, at, node, what, subject, detail } = row;
            let line = json!({
                "number": number, "at_ns": at.0, "node": node, "what": what,
                "subject": subject, "detail": detail,
            });
            return self.put(&format!("{line}\n"));
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.put(&format!("{HEAD}\n"));
        }
        self.put(&format!("{}\n", row.to_string().trim_end()));
    }
}

fn shown(report: Option<&Report>, finding: Option<&Finding>, command: &str, face: Face) -> String {
    if face.is_data() {
        let document = document(report, finding, command);
        let dense = face.output == Form::Jsonl;
        return if dense { format!("{document}\n") } else { format!("{document:#}\n") };
    }
    let mut text = String::new();
    if let Some(finding) = finding {
        text += &format!("broken: {finding}\n");
        if !command.is_empty() {
            text += &format!("replay: {command} --table\n");
        }
    }
    let Some(report) = report else { return text };
    if !face.is_quiet() {
        text += &summary(report);
    }
    text + &format!("hash {:016x}\n", report.hash)
}

fn summary(report: &Report) -> String {
    let messages: u64 = report.messages.iter().sum();
    let Report { events, tasks, executed, frames, lost, unfinished, .. } = report;
    format!(
        "{events} events in {:.3} s of virtual time: {}\n\
         {tasks} tasks, {executed} executions, {unfinished} jobs unfinished, last end at {:.3} s\n\
         {messages} messages in {frames} frames, {lost} lost; balance {:.1}\n",
        report.until.0 as f64 / 1e9,
        verdict(report.verdict),
        report.makespan.as_secs_f64(),
        report.balance,
    )
}

/// How a run ended, in words.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Rest => "nothing was left to happen",
        Verdict::Late => "something still happened after its deadline",
        Verdict::Apart => "nodes did not see each other at its deadline",
        Verdict::TooMany => "it was given up after too many events",
        Verdict::Still => "very much happened without any time going by",
    }
}

fn document(report: Option<&Report>, finding: Option<&Finding>, command: &str) -> Value {
    let mut document = json!({
        "schema": "bary.sim/1",
        "broken": finding.map(|finding| {
            json!({ "invariant": finding.name(), "what": finding.to_string() })
        }),
        "command": command,
    });
    if let Some(report) = report {
        let kinds = bary_sim::tally::MESSAGES.iter().zip(report.messages);
        document["verdict"] = json!(format!("{:?}", report.verdict).to_lowercase());
        document["events"] = json!(report.events);
        document["until_ns"] = json!(report.until.0);
        document["tasks"] = json!(report.tasks);
        document["executed"] = json!(report.executed);
        document["unfinished"] = json!(report.unfinished);
        document["orphans"] = json!(report.orphans);
        document["refused"] = json!(report.refused);
        document["frames"] = json!(report.frames);
        document["lost"] = json!(report.lost);
        document["messages"] =
            kinds.map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
        document["claims"] = json!(report.claims());
        document["balance"] = json!(report.balance);
        document["makespan_ns"] = json!(report.makespan.0);
        document["bound_ns"] = json!(report.bound.0);
        document["wait_mean_ns"] = json!(report.wait_mean.0);
        document["wait_p99_ns"] = json!(report.wait_p99.0);
        document["hash"] = json!(format!("{:016x}", report.hash));
    }
    document
}
