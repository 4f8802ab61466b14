//! `bary trace show`: what a trace comes to.

use bary_trace::figures::{Figures, critical_path};
use bary_trace::trace::Trace;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::amount;
use crate::screen::Screen;
use crate::verb;

/// The most owners and jobs that are listed for people.
const LISTED_MAX: usize = 20;

/// Shows a trace.
pub(super) fn run(trace: &Trace, face: Face) -> Result<Exit, Complaint> {
    let figures = Figures::of(trace);
    let text = if face.is_data() {
        let document = document(trace, &figures);
        let dense = face.output == Form::Jsonl;
        if dense { format!("{document}\n") } else { format!("{document:#}\n") }
    } else if face.is_quiet() {
        format!("{}\n", figures.tasks)
    } else {
        lines(trace, &figures)
    };
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}

fn document(trace: &Trace, figures: &Figures) -> Value {
    let owners = figures.owners.iter().map(|(owner, tasks, work)| {
        json!({ "owner": owner, "tasks": tasks, "work_seconds": work.as_secs_f64() })
    });
    let jobs = trace.jobs.iter().map(|job| {
        json!({
            "name": job.name,
            "tasks": job.tasks.len(),
            "arrival_seconds": job.arrival.as_secs_f64(),
            "critical_path_seconds": critical_path(job).as_secs_f64(),
        })
    });
    json!({
        "schema": "bary.trace-figures/1",
        "name": trace.name,
        "jobs": figures.jobs,
        "tasks": figures.tasks,
        "dependencies": figures.edges,
        "work_seconds": figures.work.as_secs_f64(),
        "critical_path_seconds": figures.critical_path.as_secs_f64(),
        "longest_task_seconds": figures.longest.as_secs_f64(),
        "arrivals_seconds": figures.span.as_secs_f64(),
        "cpus_max": figures.milli_cpus_max as f64 / 1e3,
        "input_bytes": figures.input,
        "output_bytes": figures.output,
        "estimated_tasks": figures.estimated,
        "owners": owners.collect::<Value>(),
        // A log has a job of each task; who wants those converts it.
        "each_job": jobs.take(JOBS_TOLD_MAX).collect::<Value>(),
    })
}

/// The most jobs that a document tells of one by one.
const JOBS_TOLD_MAX: usize = 10_000;

fn lines(trace: &Trace, figures: &Figures) -> String {
    let bytes = amount::size;
    let rows = [
        ("jobs", figures.jobs.to_string()),
        ("tasks", figures.tasks.to_string()),
        ("dependencies", figures.edges.to_string()),
        ("work", figures.work.to_string()),
        ("longest path", figures.critical_path.to_string()),
        ("longest task", figures.longest.to_string()),
        ("arrivals over", figures.span.to_string()),
        ("most processors", (figures.milli_cpus_max as f64 / 1e3).to_string()),
        ("read from outside", bytes(figures.input)),
        ("left for others", bytes(figures.output)),
        ("with an estimate", figures.estimated.to_string()),
    ];
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (what, value) in rows {
        table.add_row([what, &value]);
    }
    let mut text = format!("{}\n", crate::report::plain(&mut table));
    if figures.owners.len() > 1 {
        text += &owners(figures);
    }
    if trace.jobs.len() > 1 && trace.jobs.len() <= LISTED_MAX {
        text += &jobs(trace);
    }
    text
}

fn owners(figures: &Figures) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["OWNER", "TASKS", "WORK"]);
    for (owner, tasks, work) in figures.owners.iter().take(LISTED_MAX) {
        table.add_row([
            crate::report::shown(owner.as_bytes()),
            tasks.to_string(),
            work.to_string(),
        ]);
    }
    let more = figures.owners.len().saturating_sub(LISTED_MAX);
    let more =
        if more > 0 { format!("{more} more owners; -o json has all\n") } else { String::new() };
    format!("\n{}\n{more}", crate::report::plain(&mut table))
}

fn jobs(trace: &Trace) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["JOB", "TASKS", "LONGEST PATH", "ARRIVES AT"]);
    for job in &trace.jobs {
        let name = crate::report::shown(job.name.as_bytes());
        let path = critical_path(job).to_string();
        table.add_row([name, job.tasks.len().to_string(), path, job.arrival.to_string()]);
    }
    format!("\n{}\n", crate::report::plain(&mut table))
}
