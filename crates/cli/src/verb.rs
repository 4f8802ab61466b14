//! What each verb does, and the last steps that all runs share.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bary_model::job::{Enough, Halt, HaltOn};
use bary_model::task::TaskSpec;
use bary_node::options::NodeOptions;
use serde_json::{Value, json};

use crate::args::cluster::KeepArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::keep::{self, Keeper, utc};
use crate::outlet::ShowError;
use crate::report;
use crate::screen::{PrintError, Screen};
use crate::session::{Ending, Session};
use crate::tally::Tally;
use crate::trail::{Left, Trail};

pub(crate) mod auth;
#[cfg(unix)]
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod console;
pub(crate) mod dev;
pub(crate) mod docs;
pub(crate) mod journal;
pub(crate) mod man;
pub(crate) mod map;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod remote;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod sim;
pub(crate) mod tls;
pub(crate) mod trace;
pub(crate) mod up;
pub(crate) mod why;

/// Refuses gangs that cannot be, and those that the nodes of a run never have room for: no others
/// come.
pub(crate) fn gangs_fit(specs: &[Arc<TaskSpec>], nodes: &[NodeOptions]) -> Result<(), Complaint> {
    for spec in specs.iter().filter(|spec| spec.gang > 0) {
        if let Some((text, help)) = spec.misformed() {
            return Err(Complaint::usage(text).help(help));
        }
        let (need, size) = (&spec.body.request.resources, u64::from(spec.gang));
        let each = nodes.iter().map(|node| node.resources.times(need));
        let room = each.fold(0, u64::saturating_add);
        if room < size {
            let text =
                format!("a gang of {size} never starts here: there is room for {room} of it");
            let help = format!("make room with -j {size}, or have each ask for less: --cpus 0.25");
            return Err(Complaint::new(Exit::UNPLACEABLE, text).help(help));
        }
    }
    Ok(())
}

/// What a run is called and what is shown of it at its end.
pub(crate) struct Closing<'a> {
    /// The schema of its document.
    pub(crate) schema: &'static str,
    pub(crate) name: &'a str,
    /// Whether the report is printed.
    pub(crate) report: bool,
    /// When it was to end early.
    pub(crate) halt: Option<Halt>,
    /// Whether it is one command that speaks for itself, with its own exit code.
    pub(crate) alone: bool,
    pub(crate) face: Face,
    pub(crate) began: SystemTime,
    /// Where its state is kept, if it is.
    pub(crate) state: Option<&'a Path>,
}

/// A keeper for a run where it is to be kept.
pub(crate) fn keeper(args: &KeepArgs, name: &str) -> Result<Option<Keeper>, Complaint> {
    if !args.keep {
        return Ok(None);
    }
    let runs = keep::runs(args.state.as_deref());
    let made = Keeper::create(&runs, name, SystemTime::now());
    made.map(Some).map_err(|cause| Complaint::failed(format!("{}: {cause}", runs.display())))
}

/// The trace that a run is to leave, where it is.
pub(crate) fn trail(args: &KeepArgs) -> Result<Option<Trail>, Complaint> {
    args.trace.as_deref().map(Trail::begin).transpose()
}

/// Prints what is left to print, keeps the run, ends all threads; the exit code.
pub(crate) fn close(
    session: Session,
    mut desk: Desk,
    ending: Ending,
    closing: &Closing<'_>,
) -> Result<Exit, Complaint> {
    let messages = session.messages();
    let durability = session.cluster.durability();
    session.close(&mut desk);
    let closed = desk.close();
    let exit = match &ending {
        Ending::Finished | Ending::Nothing => exit(&desk.tally, closing.halt),
        Ending::Stopped(exit) => *exit,
        Ending::Broken(complaint) => complaint.exit,
    };
    let mut document = report::document(&desk.tally, &messages);
    document["schema"] = json!(closing.schema);
    document["job"] = json!(closing.name);
    document["exit"] = json!(exit.0);
    document["durability"] = json!(durability.name());
    if let Some(took) = desk.recovery {
        document["recovery_seconds"] = json!(took.as_secs_f64());
    }
    document["interrupted"] = json!(matches!(ending, Ending::Stopped(_)));
    keep_run(&mut desk, &document, closing)?;
    let left = leave_trace(&mut desk, closing.face);
    if !desk.muted {
        print_end(&mut desk, &mut document, &messages, closing)?;
    }
    let goes_on = !desk.finished && !matches!(ending, Ending::Broken(_));
    if let (Some(state), true) = (closing.state, goes_on && !closing.face.is_quiet()) {
        let (done, all) = (desk.tally.done(), desk.tally.tasks);
        let state = state.display();
        desk.screen.note(&format!(
            "bary: {done} of {all} tasks have ended; the same command goes on in {state}"
        ));
    }
    if let Ending::Broken(complaint) = ending {
        return Err(complaint);
    }
    closed.map_err(Complaint::failed)?;
    left?;
    match desk.tally.cut {
        0 => Ok(exit),
        tasks => Err(cut(tasks, exit)),
    }
}

/// Output was lost, so that the run is no success whatever the tasks say.
fn cut(tasks: u64, exit: Exit) -> Complaint {
    let text = format!("the output of {tasks} tasks was cut (limit output_bytes_max)");
    Complaint::new(exit, text).help("raise it with --output-max SIZE")
}

fn print_end(
    desk: &mut Desk,
    document: &mut Value,
    messages: &report::Messages,
    closing: &Closing<'_>,
) -> Result<(), Complaint> {
    let face = closing.face;
    if !face.is_quiet() {
        if !(closing.alone && desk.has_own_exit()) {
            desk.list_failures();
        }
        if closing.report && !face.is_data() {
            let durability = document["durability"].as_str().unwrap_or_default();
            let table = report::table(&desk.tally, messages, durability);
            desk.screen.err(table.as_bytes());
        } else if !closing.alone && desk.tally.cancelled > 0 {
            let ends = report::ends(&desk.tally);
            desk.screen.note(&format!("bary: {ends}"));
        }
    }
    if face.output == Form::Json {
        let results = match (&mut desk.printer, &desk.harvest) {
            (Some(printer), _) => Value::Array(printer.records()),
            (None, Some(harvest)) => {
                let (values, cut) = harvest.values(&desk.roster).map_err(Complaint::failed)?;
                if !cut.is_empty() {
                    document["results_cut"] = json!(cut);
                }
                values
            }
            (None, None) => Value::Null,
        };
        document["results"] = results;
        document["failures"] = failures(desk);
        print(&mut desk.screen, &format!("{document:#}\n"))?;
    } else if face.output == Form::Jsonl {
        if desk.events {
            document["event"] = json!("report");
            print(&mut desk.screen, &format!("{document}\n"))?;
        }
    } else if let Some(harvest) = &desk.harvest {
        harvest.print(&desk.roster, &mut desk.screen).map_err(|error| match error {
            ShowError::Print(error) => printing(error),
            ShowError::Store(error) => Complaint::failed(error),
        })?;
    }
    Ok(())
}

/// Writes the trace of what ran, where one is wanted.
fn leave_trace(desk: &mut Desk, face: Face) -> Result<(), Complaint> {
    let Some(trail) = desk.trail.take() else { return Ok(()) };
    if trail.end()? == Left::Nothing && !face.is_quiet() {
        desk.screen.note("bary: no task ran to its end, so that there is no trace");
    }
    Ok(())
}

fn failures(desk: &Desk) -> Value {
    let each = desk.tally.failures.iter().map(|failed| {
        json!({
            "task": failed.name,
            "failure": crate::signals::named(&failed.failure),
            "exit": failed.failure.code(),
            "attempt": failed.attempt,
            "node": failed.node.0,
            "quarantined": failed.quarantined,
            "stderr": failed.last_line,
        })
    });
    Value::Array(each.collect())
}

fn keep_run(desk: &mut Desk, document: &Value, closing: &Closing<'_>) -> Result<(), Complaint> {
    let Some(keeper) = desk.keeper.take() else { return Ok(()) };
    let mut kept = document.clone();
    let began = closing.began.duration_since(UNIX_EPOCH).unwrap_or_default();
    kept["began"] = json!(utc::iso(began));
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    kept["command_line"] = json!(words.collect::<Vec<_>>());
    let directory = keeper
        .finish(&kept)
        .map_err(|cause| Complaint::failed(format!("the run could not be kept: {cause}")))?;
    if !closing.face.is_quiet() {
        let name = directory.file_name().map(Path::new).unwrap_or(&directory);
        desk.screen.note(&format!("bary: kept as {}", name.display()));
    }
    Ok(())
}

/// The exit code of a run that was not cut short: of one task its own, else 1 if any failed or
/// output was cut; 0 where it ended early since enough had succeeded.
fn exit(tally: &Tally, halt: Option<Halt>) -> Exit {
    match tally.failures.first() {
        None if tally.cut > 0 => Exit::FAILED,
        None => Exit::OK,
        Some(_) if tally.cut == 0 && has_enough(tally, halt) => Exit::OK,
        Some(failed) if tally.tasks == 1 => Exit::of_command(failed.failure.code()),
        Some(_) => Exit::FAILED,
    }
}

/// Whether so many succeeded as were wanted.
fn has_enough(tally: &Tally, halt: Option<Halt>) -> bool {
    let Some(Halt { on: HaltOn::Succeeded, enough, .. }) = halt else { return false };
    match enough {
        Enough::Tasks(tasks) => tally.succeeded >= tasks,
        Enough::Percent(percent) => tally.succeeded as f64 * 100.0 >= tally.tasks as f64 * percent,
    }
}

/// Prints to standard output at once.
pub(crate) fn print(screen: &mut Screen, text: &str) -> Result<(), Complaint> {
    screen.out(text.as_bytes()).and_then(|()| screen.flush()).map_err(printing)
}

pub(crate) fn printing(error: PrintError) -> Complaint {
    match error {
        PrintError::Closed => Complaint::new(Exit::PIPE_CLOSED, error),
        PrintError::Failed(_) => Complaint::failed(error),
    }
}
