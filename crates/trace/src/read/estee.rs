//! Estee's task graphs (Beranek, Boehm and Cima, 2020), as pandas writes them: columns of names
//! and graphs, each graph a JSON list in a string. A graph becomes a job; sizes are in MiB.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bary_model::time::Span;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::number::{bytes, cpus, seconds};
use crate::place::{Lines, json, syntax};
use crate::trace::{Task, Trace};

#[derive(Deserialize)]
struct Table<'a> {
    #[serde(borrow)]
    graph_name: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow)]
    graph: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    d: f64,
    #[serde(default)]
    e_d: Option<f64>,
    cpus: f64,
    outputs: Vec<Output>,
    /// Tasks, and which of their outputs.
    inputs: Vec<(u32, u32)>,
}

#[derive(Deserialize)]
struct Output {
    s: f64,
}

const MIB: f64 = (1 << 20) as f64;

pub(crate) fn read(name: &str, text: &str) -> Result<Trace, Fault> {
    let table: Table<'_> = json(text)?;
    let lines = Lines::of(text);
    let mut draft = Draft::new(name);
    // Rows are named by their numbers, in whose order they are meant.
    let mut rows: Vec<(Option<u64>, _)> =
        table.graph.iter().map(|(row, raw)| (row.parse().ok(), (row, raw))).collect();
    rows.sort_by_key(|(number, (row, _))| (*number, *row));
    for (_, (row, raw)) in rows {
        let line = lines.of_part(raw.get());
        let name = table.graph_name.get(row);
        let name = name.ok_or_else(|| Fault::at(line, Reason::Missing("name of this graph")))?;
        let graph: Cow<'_, str> = lines.read(raw)?;
        let entries: Vec<Entry> = serde_json::from_str(&graph).map_err(|error| {
            let column = error.column();
            let Reason::Syntax(said) = syntax(line, &error).reason else {
                return syntax(line, &error);
            };
            let said = format!("graph `{}`, at its character {column}: {said}", shown(name));
            Fault::at(line, Reason::Syntax(said.into()))
        })?;
        draft.job(line, name, "", Span::ZERO)?;
        for (number, entry) in entries.iter().enumerate() {
            let task = task(&entries, number, entry);
            let task = task.map_err(|why| inside(line, name, number, why))?;
            draft.task(line, task)?;
        }
    }
    draft.end()
}

fn task(all: &[Entry], number: usize, entry: &Entry) -> Result<Task, Reason> {
    let mut after = BTreeSet::new();
    for (parent, output) in &entry.inputs {
        let outputs = all.get(*parent as usize).map_or(0, |parent| parent.outputs.len());
        if *output as usize >= outputs {
            let parent = format!("{parent} (output {output})").into();
            return Err(Reason::UnknownParent { task: number.to_string().into(), parent });
        }
        after.insert(*parent);
    }
    let sizes: f64 = entry.outputs.iter().map(|output| output.s * MIB).sum();
    if entry.outputs.iter().any(|output| output.s.is_sign_negative() && output.s != 0.0) {
        let (what, want) = ("an output's size", "a number of MiB that is not negative");
        return Err(Reason::Number { what, given: "negative".into(), want });
    }
    Ok(Task {
        name: number.to_string().into(),
        estimate: entry.e_d.map(|secs| seconds("e_d", secs)).transpose()?,
        milli_cpus: cpus("cpus", entry.cpus)?,
        output: bytes("the outputs' size", sizes)?,
        after: after.into_iter().collect(),
        ..Task::new(seconds("d", entry.d)?)
    })
}

/// A fault of a task, whose graph stands on one line with all others.
fn inside(line: usize, graph: &str, task: usize, why: Reason) -> Fault {
    let (graph, why) = (shown(graph), Box::new(why));
    Fault::at(line, Reason::InGraph { graph, task, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(graph: &str) -> String {
        let graph = serde_json::to_string(graph).expect("it is text");
        format!(
            "{{\"graph_name\":{{\"0\":\"g\"}},\"graph_id\":{{}},\n\"graph\":{{\"0\":{graph}}}}}"
        )
    }

    const TWO: &str = r#"[{"d": 1.5, "e_d": 2, "cpus": 1, "outputs": [{"s": 0.5, "e_s": 1}],
        "inputs": []}, {"d": 3, "e_d": null, "cpus": 4, "outputs": [], "inputs": [[0, 0]]}]"#;

    #[test]
    fn a_graph_is_read_from_its_string() {
        let trace = read("x", &table(TWO)).expect("it is well written");
        let [a, b] = &trace.jobs[0].tasks[..] else { panic!("there are two") };
        assert_eq!(
            (a.run, a.estimate, a.output),
            (Span::millis(1_500), Some(Span::secs(2)), 1 << 19)
        );
        assert_eq!((b.estimate, b.milli_cpus, &*b.after), (None, 4_000, &[0][..]));
        assert_eq!(&*trace.jobs[0].name, "g");
    }

    #[test]
    fn each_fault_has_its_line_and_names_the_task() {
        let cases = [
            ("[[0, 0]]", "[[0, 1]]"),
            ("[[0, 0]]", "[[7, 0]]"),
            ("\"d\": 3", "\"d\": -3"),
            ("\"d\": 3", "\"d\": NaN"),
            ("\"s\": 0.5", "\"s\": -0.5"),
            ("\"cpus\": 4", "\"cpus\": 1e12"),
            ("\"inputs\": []", "\"inputs\": [[0, 0]]"),
            ("\"inputs\": []", "\"inputs\": ["),
        ]
        .map(|(right, wrong)| (wrong, table(&TWO.replacen(right, wrong, 1))));
        for (wrong, text) in cases {
            let fault = read("x", &text).expect_err(wrong);
            assert_eq!(fault.line, Some(2), "{wrong}: {fault}");
        }
        assert!(read("x", "{\"graph_name\":{}").is_err());
    }
}
