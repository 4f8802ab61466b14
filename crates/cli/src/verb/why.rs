//! `bary why`: reads a kept run and tells the life of one task.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::args::Face;
use crate::args::why::WhyArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::keep;
use crate::screen::Screen;
use crate::selector::Target;
use crate::verb::{self, remote};
use crate::why::array::Summary;
use crate::why::task::{self, Found, Place, TaskError};
use crate::why::{Life, show};

/// Tells why a task waited, went where it went, and how it ended.
pub(crate) fn run(args: &WhyArgs, face: Face) -> Result<Exit, Complaint> {
    let kept = args.run.is_some() || args.state.is_some();
    let target = args.task.parse::<Target>().ok().filter(|_| !kept);
    match target {
        None => of_kept(args, face),
        Some(target) if !target.tasks.is_empty() && target.jobs.home.is_none() => {
            remote::why::run(&target, &args.reach, face)
        }
        // A number alone, or what may be a name with a slash, is a task of the last kept run, or
        // else a job of a node.
        Some(target) => of_kept(args, face).or_else(|complaint| {
            let asked = (complaint.exit == Exit::NOT_FOUND)
                .then(|| remote::why::run(&target, &args.reach, face));
            let no_node = |complaint: &Complaint| is_away(complaint) && !complaint.is_answer;
            let there = asked.filter(|asked| !asked.as_ref().is_err_and(no_node));
            there.unwrap_or(Err(complaint))
        }),
    }
}

fn is_away(complaint: &Complaint) -> bool {
    complaint.exit == Exit::UNAVAILABLE
}

/// Tells it of a task of a kept run.
fn of_kept(args: &WhyArgs, face: Face) -> Result<Exit, Complaint> {
    let face = face.without_rows()?;
    let runs = keep::runs(args.state.as_deref());
    let name = chosen(&runs, args.run.as_deref())?;
    let path = runs.join(&name).join(keep::EVENTS);
    let specs = specs(&path)?;
    let all: Vec<Value> = specs.iter().map(|(_, spec)| spec.clone()).collect();
    let shown = match task::find(&args.task, &all).map_err(unknown)? {
        Found::Task(place) => {
            let life = life(&path, &specs, place)?;
            let nodes = nodes(&runs.join(&name).join(keep::RUN));
            if face.is_data() {
                format!("{:#}\n", show::document(&args.task, &name, &life))
            } else {
                show::text(&args.task, &name, &life, &nodes)
            }
        }
        Found::Array(no) => array(&path, &specs, no, &name, face)?,
    };
    verb::print(&mut Screen::new(face), &shown)?;
    Ok(Exit::OK)
}

/// The run that is meant: the last one where none is named.
fn chosen(runs: &Path, name: Option<&str>) -> Result<String, Complaint> {
    let kept = keep::list(runs).unwrap_or_default();
    let Some(last) = kept.last() else {
        let complaint = Complaint::not_found(format!("no run is kept in {}", runs.display()));
        return Err(complaint.help(
            "a task of a node is JOB/TASK, as in bary why last/1; a run is kept by bary run --keep",
        ));
    };
    match name {
        None => Ok(last.clone()),
        Some(name) if kept.iter().any(|kept| kept == name) => Ok(name.to_owned()),
        Some(name) => {
            let complaint = Complaint::not_found(format!("no kept run is called `{name}`"));
            Err(complaint.help(format!("there are {}", kept.join(", "))))
        }
    }
}

/// A spec as it was kept, and when it was submitted.
type Submitted = (f64, Value);

/// All specs of the run: names come first, since a task may be named before others are known.
fn specs(path: &Path) -> Result<Vec<Submitted>, Complaint> {
    let mut specs = Vec::new();
    each(path, &mut |event| {
        if event["event"] == "submitted" {
            let at = event["t"].as_f64().unwrap_or(0.0);
            let of = event["specs"].as_array().into_iter().flatten().cloned();
            specs.extend(of.map(|spec| (at, spec)));
        }
    })?;
    Ok(specs)
}

fn spec(specs: &[Submitted], no: u64) -> Submitted {
    let at = usize::try_from(no).ok().and_then(|no| specs.get(no));
    at.cloned().unwrap_or_default()
}

fn life(path: &Path, specs: &[Submitted], place: Place) -> Result<Life, Complaint> {
    let (at, of) = spec(specs, place.spec);
    let mut life = Life::begin(&of, at);
    for after in &mut life.after {
        let (_, before) = spec(specs, after.spec);
        after.name = before["name"].as_str().unwrap_or_default().to_owned();
    }
    each(path, &mut |event| life.on_event(&event, place))?;
    Ok(life)
}

fn array(
    path: &Path,
    specs: &[Submitted],
    no: u64,
    run: &str,
    face: Face,
) -> Result<String, Complaint> {
    let mut summary = Summary::begin(&spec(specs, no).1);
    each(path, &mut |event| summary.on_event(&event))?;
    let last = match summary.last() {
        Some(place) => Some(life(path, specs, place)?),
        None => None,
    };
    Ok(if face.is_data() {
        format!("{:#}\n", summary.document(run, last.as_ref()))
    } else {
        summary.text(run, last.as_ref())
    })
}

fn each(path: &Path, visit: &mut dyn FnMut(Value)) -> Result<(), Complaint> {
    let failed = |cause| Complaint::failed(format!("{}: {cause}", path.display()));
    let file = File::open(path).map_err(failed)?;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(failed)?;
        // The last line of a run that was killed may be cut short.
        if let Ok(event) = serde_json::from_slice(&line) {
            visit(event);
        }
    }
    Ok(())
}

fn unknown(error: TaskError) -> Complaint {
    let complaint = Complaint::not_found(&error);
    match error {
        TaskError::Unknown { near: Some(near), .. } => {
            complaint.help(format!("did you mean `{near}`?"))
        }
        _ => complaint,
    }
}

/// The names of the nodes; none where the run was killed before it could write them.
fn nodes(path: &Path) -> Vec<String> {
    let run: Value =
        std::fs::read(path).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default();
    let names = run["nodes"].as_array().into_iter().flatten();
    names.map(|node| node["name"].as_str().unwrap_or_default().to_owned()).collect()
}
