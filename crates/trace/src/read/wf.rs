//! WfFormat 1.5 of WfCommons: what a workflow is made of, and how it once ran. A task reads from
//! outside what no other task of the workflow writes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bary_model::time::Span;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::number::{bytes, cpus, seconds};
use crate::place::{Lines, json};
use crate::trace::{Task, Trace};

/// The version that is read.
pub const VERSION: &str = "1.5";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    #[serde(default)]
    name: String,
    schema_version: Option<String>,
    #[serde(borrow)]
    workflow: Workflow<'a>,
}

#[derive(Deserialize)]
struct Workflow<'a> {
    #[serde(borrow)]
    specification: Specification<'a>,
    execution: Execution<'a>,
}

#[derive(Deserialize)]
struct Specification<'a> {
    #[serde(borrow)]
    tasks: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    files: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Execution<'a> {
    #[serde(borrow)]
    tasks: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    parents: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    children: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    input_files: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    output_files: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    size_in_bytes: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ran<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    runtime_in_seconds: f64,
    core_count: Option<f64>,
    memory_in_bytes: Option<f64>,
    command: Option<Command>,
}

#[derive(Deserialize)]
struct Command {
    program: Option<String>,
}

/// What has an id, by it, with the line on which it stands.
type ById<'a, T> = BTreeMap<Cow<'a, str>, (usize, T)>;

pub(crate) fn read(text: &str) -> Result<Trace, Fault> {
    let root: Root<'_> = json(text)?;
    if root.schema_version.as_deref() != Some(VERSION) {
        let given = shown(root.schema_version.as_deref().unwrap_or("not given"));
        let what = "schemaVersion";
        return Err(Fault::whole(Reason::Number { what, given, want: VERSION }));
    }
    let lines = Lines::of(text);
    let (specification, execution) = (root.workflow.specification, root.workflow.execution);
    let sizes = by_id(&lines, "file", &specification.files, |file: &File<'_>| file.id.clone())?;
    for (line, file) in sizes.values() {
        bytes("sizeInBytes", file.size_in_bytes).map_err(|why| Fault::at(*line, why))?;
    }
    let ran = by_id(&lines, "task", &execution.tasks, |ran: &Ran<'_>| ran.id.clone())?;
    let mut specs = Vec::new();
    for raw in &specification.tasks {
        specs.push((lines.of_part(raw.get()), lines.read::<Spec<'_>>(raw)?));
    }
    let mut draft = Draft::new(&root.name);
    draft.job(1, &root.name, "", Span::ZERO)?;
    let after = dependencies(&specs)?;
    let made: BTreeSet<&str> =
        specs.iter().flat_map(|(_, spec)| &spec.output_files).map(|id| &**id).collect();
    for ((line, spec), after) in specs.iter().zip(after) {
        let Some((ran_line, ran)) = ran.get(&spec.id) else {
            return Err(Fault::at(*line, Reason::Missing("execution of this task")));
        };
        let size = |files: &mut dyn Iterator<Item = &Cow<'_, str>>| {
            let known = files.filter_map(|id| sizes.get(id)).map(|(_, file)| file.size_in_bytes);
            bytes("sizeInBytes", known.sum()).map_err(|why| Fault::at(*line, why))
        };
        let input = size(&mut spec.input_files.iter().filter(|id| !made.contains(&***id)))?;
        let output = size(&mut spec.output_files.iter())?;
        let program = ran.command.as_ref().and_then(|command| command.program.as_deref());
        let function = draft.word(*ran_line, program.unwrap_or(""))?;
        let task = ran_as(ran).map_err(|why| Fault::at(*ran_line, why))?;
        let name = spec.id.as_ref().into();
        draft.task(*line, Task { name, function, input, output, after, ..task })?;
    }
    draft.end()
}

/// Reads what has ids; the same id twice is refused.
fn by_id<'a, T: Deserialize<'a>>(
    lines: &Lines<'_>,
    what: &'static str,
    all: &[&'a RawValue],
    id: impl Fn(&T) -> Cow<'a, str>,
) -> Result<ById<'a, T>, Fault> {
    let mut found = BTreeMap::new();
    for raw in all {
        let line = lines.of_part(raw.get());
        let one: T = lines.read(raw)?;
        let name = id(&one);
        if found.insert(name.clone(), (line, one)).is_some() {
            return Err(Fault::at(line, Reason::Twice { what, name: shown(&name) }));
        }
    }
    Ok(found)
}

/// What each task waits for: its parents, and those that name it as a child.
fn dependencies(specs: &[(usize, Spec<'_>)]) -> Result<Vec<Box<[u32]>>, Fault> {
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    for (number, (line, spec)) in (0..).zip(specs) {
        if numbers.insert(&spec.id, number).is_some() {
            return Err(Fault::at(*line, Reason::Twice { what: "task", name: shown(&spec.id) }));
        }
    }
    let find = |line: usize, task: &str, other: &str| {
        let (task, parent) = (shown(task), shown(other));
        let unknown = || Fault::at(line, Reason::UnknownParent { task, parent });
        numbers.get(other).copied().ok_or_else(unknown)
    };
    let mut after: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); specs.len()];
    for (number, (line, spec)) in (0_u32..).zip(specs) {
        for parent in &spec.parents {
            after[number as usize].insert(find(*line, &spec.id, parent)?);
        }
        for child in &spec.children {
            after[find(*line, &spec.id, child)? as usize].insert(number);
        }
    }
    Ok(after.into_iter().map(|after| after.into_iter().collect()).collect())
}

fn ran_as(ran: &Ran<'_>) -> Result<Task, Reason> {
    Ok(Task {
        milli_cpus: cpus("coreCount", ran.core_count.unwrap_or(1.0))?,
        memory: bytes("memoryInBytes", ran.memory_in_bytes.unwrap_or(0.0))?,
        ..Task::new(seconds("runtimeInSeconds", ran.runtime_in_seconds)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{ "name": "w", "schemaVersion": "1.5", "workflow": {
        "specification": { "tasks": [
            { "name": "a", "id": "a", "parents": [], "children": ["b"],
              "inputFiles": ["in"], "outputFiles": ["mid"] },
            { "name": "b", "id": "b", "parents": ["a"], "children": [],
              "inputFiles": ["mid", "more"], "outputFiles": [] }
        ], "files": [
            { "id": "in", "sizeInBytes": 10 },
            { "id": "mid", "sizeInBytes": 20 },
            { "id": "more", "sizeInBytes": 5 }
        ] },
        "execution": { "makespanInSeconds": 9, "tasks": [
            { "id": "a", "runtimeInSeconds": 1.5, "coreCount": 2, "command": { "program": "p" } },
            { "id": "b", "runtimeInSeconds": 3 }
        ] } } }"#;

    #[test]
    fn tasks_files_and_run_times_come_together() {
        let trace = read(SAMPLE).expect("it is well written");
        let [a, b] = &trace.jobs[0].tasks[..] else { panic!("there are two") };
        assert_eq!((a.run, a.milli_cpus, a.input, a.output), (Span::millis(1_500), 2_000, 10, 20));
        assert_eq!((b.run, b.input, b.output, &*b.after), (Span::secs(3), 5, 0, &[0][..]));
        assert_eq!((&*a.function, &*trace.name), ("p", "w"));
    }

    #[test]
    fn each_fault_has_its_line() {
        let table = [
            ("\"parents\": [\"a\"]", "\"parents\": [\"z\"]", Some(5)),
            ("\"parents\": []", "\"parents\": [\"b\"]", Some(3)),
            ("\"runtimeInSeconds\": 3", "\"runtimeInSeconds\": -3", Some(14)),
            ("\"runtimeInSeconds\": 3", "\"runtime\": 3", Some(14)),
            ("\"id\": \"b\", \"par", "\"id\": \"a\", \"par", Some(5)),
            ("\"sizeInBytes\": 20", "\"sizeInBytes\": -20", Some(9)),
            ("\"id\": \"b\", \"run", "\"id\": \"c\", \"run", Some(5)),
            ("\"schemaVersion\": \"1.5\"", "\"schemaVersion\": \"1.3\"", None),
        ];
        for (right, wrong, line) in &table {
            let text = SAMPLE.replacen(right, wrong, 1);
            assert_ne!(text, SAMPLE);
            let fault = read(&text).expect_err(wrong);
            assert_eq!(fault.line, *line, "{wrong}: {fault}");
        }
        assert!(read(&SAMPLE[..SAMPLE.len() - 5]).is_err());
    }
}
