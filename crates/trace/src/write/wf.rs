//! WfFormat 1.5: one workflow, with a file for what each task reads and leaves.

use serde_json::{Value, json};

use crate::format::Format;
use crate::read::wf::VERSION;
use crate::trace::{Job, Trace};
use crate::write::{WriteError, Written, any, lost};

pub(crate) fn write(trace: &Trace) -> Result<Written, WriteError> {
    let [job] = &trace.jobs[..] else {
        return Err(WriteError::ManyJobs { format: Format::Wf, jobs: trace.jobs.len() });
    };
    let named = job.tasks.iter().all(|task| !task.name.is_empty());
    let lost = lost(&[
        (job.arrival.0 > 0, "when the job came"),
        (!job.owner.is_empty(), "whose the job is"),
        (job.name != trace.name, "the trace's name besides that of its job"),
        (!named, "that tasks have no names"),
        (any(trace, |task| task.estimate.is_some()), "estimates"),
        (any(trace, |task| task.weight.is_some()), "weights"),
    ]);
    let ids: Vec<String> = (0..job.tasks.len()).map(|number| id(job, number)).collect();
    let value = json!({
        "name": job.name,
        "schemaVersion": VERSION,
        "workflow": {
            "specification": { "tasks": tasks(job, &ids), "files": files(job, &ids) },
            "execution": {
                "makespanInSeconds": crate::figures::critical_path(job).as_secs_f64(),
                "tasks": executions(job, &ids),
            },
        },
    });
    // A value that was just made of numbers and text is always written.
    let text = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
    Ok(Written { text, lost })
}

/// A task's name; where it has none, its position, which no other task is called.
fn id(job: &Job, number: usize) -> String {
    let own = &job.tasks[number].name;
    if !own.is_empty() {
        return own.to_string();
    }
    let mut id = format!("task-{number}");
    while job.tasks.iter().any(|task| *task.name == *id) {
        id.push('\'');
    }
    id
}

/// What a file is called that a task leaves, or reads from outside.
fn file(id: &str, kind: &str) -> String {
    format!("{id}.{kind}")
}

fn tasks(job: &Job, ids: &[String]) -> Vec<Value> {
    let mut children: Vec<Vec<&str>> = vec![Vec::new(); ids.len()];
    for (id, task) in ids.iter().zip(&job.tasks) {
        task.after.iter().for_each(|on| children[*on as usize].push(id));
    }
    let tasks = ids.iter().zip(&job.tasks).zip(children);
    let tasks = tasks.map(|((id, task), children)| {
        let parents: Vec<&str> = task.after.iter().map(|on| &*ids[*on as usize]).collect();
        let left = |on: &&u32| job.tasks[**on as usize].output > 0;
        let mut reads: Vec<String> =
            task.after.iter().filter(left).map(|on| file(&ids[*on as usize], "out")).collect();
        reads.extend((task.input > 0).then(|| file(id, "in")));
        let leaves: Vec<String> = (task.output > 0).then(|| file(id, "out")).into_iter().collect();
        json!({
            "name": id,
            "id": id,
            "parents": parents,
            "children": children,
            "inputFiles": reads,
            "outputFiles": leaves,
        })
    });
    tasks.collect()
}

fn files(job: &Job, ids: &[String]) -> Vec<Value> {
    let files = ids.iter().zip(&job.tasks).flat_map(|(id, task)| {
        let kinds = [("in", task.input), ("out", task.output)];
        let kinds = kinds.into_iter().filter(|(_, size)| *size > 0);
        kinds.map(move |(kind, size)| json!({ "id": file(id, kind), "sizeInBytes": size }))
    });
    files.collect()
}

fn executions(job: &Job, ids: &[String]) -> Vec<Value> {
    let tasks = ids.iter().zip(&job.tasks).map(|(id, task)| {
        let mut value = json!({
            "id": id,
            "runtimeInSeconds": task.run.as_secs_f64(),
            "coreCount": task.milli_cpus as f64 / 1e3,
        });
        if task.memory > 0 {
            value["memoryInBytes"] = json!(task.memory);
        }
        if !task.function.is_empty() {
            value["command"] = json!({ "program": &*task.function, "arguments": [] });
        }
        value
    });
    tasks.collect()
}
