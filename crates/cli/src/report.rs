//! What a run comes to: the table for people and the document for programs.

use std::fmt::Write;

use bary_model::node::NodeInfo;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};

use crate::tally::{FailedTask, Tally};

/// Messages between nodes, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Messages {
    pub(crate) kinds: Vec<(&'static str, u64)>,
}

impl Messages {
    fn all(&self) -> u64 {
        self.kinds.iter().map(|(_, count)| count).sum()
    }
}

/// How the tasks of a run ended and how well the nodes were used.
pub(crate) fn document(tally: &Tally, messages: &Messages) -> Value {
    let nodes = tally.nodes.iter().map(|node| {
        json!({
            "name": node.info.name,
            "region": node.info.region,
            "slots": node.info.slots,
            "speed": node.info.speed,
            "tasks": node.tasks,
            "busy_seconds": node.busy.as_secs_f64(),
            "share": share(node.busy.as_secs_f64(), tally),
        })
    });
    let kinds: serde_json::Map<String, Value> =
        messages.kinds.iter().map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
    json!({
        "tasks": tally.tasks,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "timed_out": tally.timed_out,
        "quarantined": tally.quarantined,
        "cancelled": tally.cancelled,
        "skipped": tally.skipped,
        "retried": tally.retried,
        "retracted": tally.retracted,
        "duplicates": tally.superseded,
        "output_cut": tally.cut,
        "nodes": nodes.collect::<Vec<_>>(),
        "balance": tally.balance(),
        "makespan_seconds": tally.makespan(),
        "bound_seconds": tally.bound(),
        "messages": kinds,
        "messages_per_task": per_task(messages, tally),
    })
}

/// The same for people.
pub(crate) fn table(tally: &Tally, messages: &Messages, durability: &str) -> String {
    let mut text = String::new();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["NODE", "TASKS", "BUSY", "SHARE"]);
    for node in &tally.nodes {
        let busy = node.busy.as_secs_f64();
        let share = share(busy, tally).map_or_else(String::new, |s| format!("{:.1} %", s * 100.0));
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(&node.info.name),
            right(node.tasks.to_string()),
            right(format!("{busy:.3} s")),
            right(share),
        ]);
    }
    put(&mut text, format_args!("{}\n", plain(&mut table)));
    put(&mut text, format_args!("{}\n", ends(tally)));
    put(&mut text, format_args!("{}\n", quality(tally)));
    put(&mut text, format_args!("durability {durability}\n"));
    if tally.nodes.len() > 1 {
        let each = per_task(messages, tally).unwrap_or_default();
        put(&mut text, format_args!("{} messages, {each:.3} a task\n", messages.all()));
    }
    text
}

/// How well the nodes were used, in one line. What is too small to print is not divided by.
fn quality(tally: &Tally) -> String {
    let (makespan, bound) = (tally.makespan(), tally.bound());
    // Adding zero makes a rounded -0 a 0.
    let rounded = |percent: f64| (percent * 100.0).round() / 100.0 + 0.0;
    let balance = tally.balance().map(|b| format!("balance {:.2} %, ", rounded(b)));
    let mut line = balance.unwrap_or_default();
    put(&mut line, format_args!("makespan {makespan:.3} s"));
    if bound >= BOUND_SHOWN_MIN {
        let ratio = makespan / bound;
        put(&mut line, format_args!(", {ratio:.3} x the lower bound of {bound:.3} s"));
    }
    line
}

/// Below this many seconds a bound is printed as zero.
const BOUND_SHOWN_MIN: f64 = 0.000_5;

/// A table without lines, its columns two blanks apart.
pub(crate) fn plain(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// How the tasks ended, in one line.
pub(crate) fn ends(tally: &Tally) -> String {
    let mut line = format!("{} tasks: {} succeeded", tally.tasks, tally.succeeded);
    let others = [
        ("failed", tally.failed),
        ("cancelled", tally.cancelled),
        ("skipped", tally.skipped),
        ("retried", tally.retried),
        ("duplicates", tally.superseded),
    ];
    for (what, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        put(&mut line, format_args!(", {count} {what}"));
    }
    line
}

/// One line for each of the first failures: what failed, why, which attempt, where, and the last
/// it said.
pub(crate) fn failures(tally: &Tally) -> String {
    let mut text = String::new();
    for failed in &tally.failures {
        put(&mut text, format_args!("{}\n", failure(failed, &tally.nodes_info())));
    }
    let more = tally.failed.saturating_sub(tally.failures.len() as u64);
    if more > 0 {
        put(&mut text, format_args!("and {more} more\n"));
    }
    text
}

/// One failure in a line.
fn failure(failed: &FailedTask, nodes: &[&NodeInfo]) -> String {
    let name = &failed.name;
    let input = match failed.input.as_str() {
        "" => String::new(),
        input => format!(" ({input})"),
    };
    let why = crate::signals::named(&failed.failure);
    let attempt = match failed.attempt {
        0 | 1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    let node = match nodes {
        [_] => String::new(),
        nodes => {
            nodes.get(failed.node.index()).map_or_else(String::new, |n| format!(" on {}", n.name))
        }
    };
    let quarantined = if failed.quarantined { ", quarantined" } else { "" };
    let said = match failed.last_line.as_str() {
        "" => String::new(),
        line => format!(": {line}"),
    };
    format!("{name}{input}: {why}{attempt}{node}{quarantined}{said}")
}

/// Bytes for a line of text: short, and without what a terminal would obey.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(bytes);
    let cut: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() { format!("{cut}...") } else { cut }
}

fn share(busy: f64, tally: &Tally) -> Option<f64> {
    let all: f64 = tally.nodes.iter().map(|node| node.busy.as_secs_f64()).sum();
    (all > 0.0).then(|| busy / all)
}

fn per_task(messages: &Messages, tally: &Tally) -> Option<f64> {
    (tally.tasks > 0).then(|| messages.all() as f64 / tally.tasks as f64)
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::outcome::Failure;

    #[test]
    fn a_report_of_nothing_is_a_report() {
        let tally = Tally::new(&[]);
        let messages = Messages { kinds: vec![("asks", 0)] };
        assert!(table(&tally, &messages, "memory").contains("0 tasks: 0 succeeded"));
        let document = document(&tally, &messages);
        assert_eq!(document["balance"], Value::Null);
        assert_eq!(document["messages_per_task"], Value::Null);
    }

    #[test]
    fn a_failure_is_one_line() {
        let failed = FailedTask {
            task: bary_model::id::TaskId::default(),
            number: 1,
            node: bary_model::id::NodeId(0),
            attempt: 2,
            failure: Failure::Signal(9),
            quarantined: false,
            name: "a[3]".into(),
            input: "x y".into(),
            last_line: "out of memory".into(),
        };
        let line = failure(&failed, &[]);
        assert_eq!(line, "a[3] (x y): killed by SIGKILL, attempt 2: out of memory");
        assert_eq!(shown(b"a\x1b[2Jb"), "a [2Jb");
    }
}
