//! What placing costs where a thousand nodes are known, under every preset, and what a formula
//! costs beside the same rule built in.

use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// The presets that the example `cost` of the simulator lives, in its order.
const PRESETS: [&str; 33] = [
    "gravity",
    "pids-classic",
    "least-loaded",
    "round-robin",
    "random",
    "work-stealing",
    "work-stealing-classic",
    "heaviest-first",
    "giants",
    "fifo",
    "b-level",
    "heft",
    "shortest-remaining",
    "deadline",
    "fair-share",
    "power-of-two",
    "least-used",
    "magnetic",
    "geo",
    "quantum",
    "resource-aware",
    "locality",
    "eft",
    "topology",
    "capability",
    "central",
    "fiedler",
    "mixed",
    "fcfs",
    "easy",
    "fair",
    "open",
    "sparrow",
];
/// Microseconds that a home may take for a task.
const MICROS_MAX: f64 = 5.0;
/// Nanoseconds that a formula may take for a node.
const FORMULA_NANOS_MAX: f64 = 100.0;
/// How many times longer a whole run may take with a formula than with the rule it equals.
const FORMULA_TIMES_MAX: f64 = 3.0;

/// Lives 20,000 tasks under every preset, and scores a thousand nodes with the formula.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let cost = printed_by(repo, "bary-sim", "cost")?;
    eprint!("{cost}");
    let force = printed_by(repo, "bary-policy", "force_cost")?;
    let row = |figure, value, unit, most| {
        let bound = Some(Bound::AtMost(most));
        Row { figure, runs: vec![value], unit, bound, peer: None }
    };
    let mut rows = Vec::new();
    for preset in PRESETS {
        rows.push(row(preset, after(&cost, preset, "homes")?, "µs", MICROS_MAX));
    }
    if let Some(other) = cost.lines().filter_map(|line| line.split(' ').next()).find(unknown) {
        return Err(format!("the example cost lives `{other}`, which this bench does not know"));
    }
    let whole = |name| after(&cost, name, "whole");
    let pulled = whole("formula-pulled")? / whole("gravity")?;
    let pushed = whole("formula-pushed")? / whole("gravity-pushed")?;
    rows.push(row("a formula, for a node", nanos(&force, "expr")?, "ns", FORMULA_NANOS_MAX));
    rows.push(row("a run with it, over gravity", pulled, "", FORMULA_TIMES_MAX));
    rows.push(row("the same where tasks are pushed", pushed, "", FORMULA_TIMES_MAX));
    Ok(rows)
}

/// Whether a row of the example is of no preset and of no comparison.
fn unknown(name: &&str) -> bool {
    !PRESETS.contains(name) && !name.starts_with("formula-") && *name != "gravity-pushed"
}

/// What an example prints, built for release.
fn printed_by(repo: &Repo, package: &str, example: &str) -> Result<String, String> {
    printed(repo.cargo(&["build", "--quiet", "--release", "-p", package, "--example", example]))?;
    let command = Command::new(repo.example(example)?);
    Ok(String::from_utf8_lossy(&printed(command)?).into_owned())
}

/// The number after a word on the line of a name.
fn after(text: &str, name: &str, word: &str) -> Result<f64, String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let rest = lines.find(|(first, _)| *first == name).map(|(_, rest)| rest);
    let mut words = rest.unwrap_or_default().split_whitespace();
    let found = words.find(|other| *other == word).and_then(|_| words.next()?.parse().ok());
    found.ok_or_else(|| format!("the example cost does not tell `{word}` of `{name}`"))
}

/// The first number of a force's line in the example `force_cost`: nanoseconds for a node.
fn nanos(text: &str, force: &str) -> Result<f64, String> {
    let line = text.lines().find_map(|line| line.strip_prefix(force));
    let found = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    found.ok_or_else(|| format!("the example force_cost says nothing of `{force}`"))
}

#[cfg(test)]
mod tests {
    use super::{after, nanos};

    #[test]
    fn a_number_is_that_of_the_whole_name() {
        let text = "fifo-x homes 1 whole 2\nfifo homes 3.5 whole 4\n";
        assert_eq!(after(text, "fifo", "homes"), Ok(3.5));
        assert_eq!(after(text, "fifo", "whole"), Ok(4.0));
        assert!(after(text, "fi", "homes").is_err() && after(text, "fifo", "x").is_err());
    }

    #[test]
    fn a_formula_is_found_in_the_table_of_forces() {
        let text = "FORCE NS\ngravity   10.4 11.0\nexpr      69.1 70.0\n";
        assert_eq!(nanos(text, "expr"), Ok(69.1));
        assert!(nanos(text, "geo").is_err());
    }
}
