//! Our own format: all that a trace says.

use serde::Serialize;

use crate::read::own::{MINOR, SCHEMA};
use crate::trace::{Job, Task, Trace};
use crate::write::Written;

#[derive(Serialize)]
struct Header<'a> {
    schema: &'a str,
    minor: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    unit_ns: u64,
    jobs: usize,
    tasks: usize,
}

#[derive(Serialize)]
struct JobLine<'a> {
    job: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    owner: &'a str,
    at_ns: u64,
}

#[derive(Serialize)]
struct TaskLine<'a> {
    task: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    function: &'a str,
    run_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    #[serde(skip_serializing_if = "one")]
    cpus: f64,
    #[serde(skip_serializing_if = "nothing")]
    memory: u64,
    #[serde(skip_serializing_if = "nothing")]
    input: u64,
    #[serde(skip_serializing_if = "nothing")]
    output: u64,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    after: &'a [u32],
}

fn one(cpus: &f64) -> bool {
    *cpus == 1.0
}

fn nothing(bytes: &u64) -> bool {
    *bytes == 0
}

pub(crate) fn write(trace: &Trace) -> Written {
    let mut text = Vec::new();
    let (jobs, tasks) = (trace.jobs.len(), trace.tasks());
    let header = Header {
        schema: SCHEMA,
        minor: MINOR,
        name: &trace.name,
        unit_ns: trace.unit.0,
        jobs,
        tasks,
    };
    line(&mut text, &header);
    for job in &trace.jobs {
        line(&mut text, &job_line(job));
        for task in &job.tasks {
            line(&mut text, &task_line(task));
        }
    }
    Written { text: String::from_utf8_lossy(&text).into_owned(), lost: Vec::new() }
}

fn job_line(job: &Job) -> JobLine<'_> {
    JobLine { job: &job.name, owner: &job.owner, at_ns: job.arrival.0 }
}

fn task_line(task: &Task) -> TaskLine<'_> {
    TaskLine {
        task: &task.name,
        function: &task.function,
        run_ns: task.run.0,
        estimate_ns: task.estimate.map(|span| span.0),
        weight: task.weight.map(|weight| weight.units()),
        cpus: task.milli_cpus as f64 / 1e3,
        memory: task.memory,
        input: task.input,
        output: task.output,
        after: &task.after,
    }
}

fn line(text: &mut Vec<u8>, line: &impl Serialize) {
    // Plain numbers and text into memory: there is nothing that could go wrong.
    if serde_json::to_writer(&mut *text, line).is_ok() {
        text.push(b'\n');
    }
}
