//! What placing costs where a thousand nodes are known: a placement by every force, all that a home
//! does for a task under every preset, and a formula beside the same rule built in.

use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// How the head of the table of forces begins.
const HEAD: &str = "FORCE";
/// Microseconds that a placement may take.
const MICROS_MAX: f64 = 5.0;
/// Nanoseconds that a formula may take for a node.
const FORMULA_NANOS_MAX: f64 = 100.0;
/// How many times longer a whole run may take with a formula than with the rule it equals.
const FORMULA_TIMES_MAX: f64 = 3.0;

/// Places tasks by every force and lives 20,000 under every preset, and scores a thousand
/// nodes with the formula.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let placement = printed_by(repo, "bary-engine", "placement_cost")?;
    let cost = printed_by(repo, "bary-sim", "cost")?;
    let force = printed_by(repo, "bary-policy", "force_cost")?;
    eprint!("{placement}{cost}{force}");
    let row = |figure, value, unit, most: Option<f64>| {
        let bound = most.map(Bound::AtMost);
        Row { figure, runs: vec![value], unit, bound, peer: None }
    };
    let mut rows = Vec::new();
    for name in named(&placement).filter(|name| *name != HEAD && !name.starts_with("expr(")) {
        // On nodes of one speed, and of four; the dearer counts.
        let dearest = numbers(&placement, name)?.into_iter().fold(0.0, f64::max);
        rows.push(row(for_good(format!("force={name}")), dearest, "µs", Some(MICROS_MAX)));
    }
    for preset in named(&cost).filter(|name| !is_compared(name)) {
        let took = after(&cost, preset, "homes")?;
        rows.push(row(for_good(preset.to_owned()), took, "µs", None));
    }
    if rows.is_empty() {
        return Err("the examples tell of no force and no preset".to_owned());
    }
    let whole = |name| after(&cost, name, "whole");
    let pulled = whole("formula-pulled")? / whole("gravity")?;
    let pushed = whole("formula-pushed")? / whole("gravity-pushed")?;
    let nanos = numbers(&force, "expr")?[0];
    rows.push(row("a formula, for a node", nanos, "ns", Some(FORMULA_NANOS_MAX)));
    rows.push(row("a run with it, over gravity", pulled, "", Some(FORMULA_TIMES_MAX)));
    rows.push(row("the same where tasks are pushed", pushed, "", Some(FORMULA_TIMES_MAX)));
    Ok(rows)
}

/// The first word of each line: what examples were asked to measure, whatever there is by now.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_whitespace().next())
}

/// Whether a row of the example `cost` is no preset, but one side of a comparison with the formula.
fn is_compared(name: &str) -> bool {
    name.starts_with("formula-") || name == "gravity-pushed"
}

/// The name of a figure, which rows have as long as the program lives.
fn for_good(name: String) -> &'static str {
    name.leak()
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

/// The numbers behind a name, at least one, where the name is the first word of a line.
fn numbers(text: &str, name: &str) -> Result<Vec<f64>, String> {
    let mut lines = text.lines().map(str::split_whitespace);
    let line = lines.find_map(|mut words| (words.next()? == name).then_some(words));
    let found: Result<Vec<f64>, _> = line.into_iter().flatten().map(str::parse).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("the examples tell no number of `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::{HEAD, after, is_compared, named, numbers};

    #[test]
    fn every_row_is_read_whatever_it_is_called() {
        let text = "FORCE US\ngravity 1.0 2.0\nnew-one   3.0 4.0\n";
        let found: Vec<&str> = named(text).filter(|name| *name != HEAD).collect();
        assert_eq!(found, ["gravity", "new-one"]);
        let compared = ["formula-pulled", "gravity-pushed", "gravity"].map(is_compared);
        assert_eq!(compared, [true, true, false]);
    }

    #[test]
    fn a_number_is_that_of_the_whole_name() {
        let text = "fifo-x homes 1 whole 2\nfifo homes 3.5 whole 4\n";
        assert_eq!(after(text, "fifo", "homes"), Ok(3.5));
        assert_eq!(after(text, "fifo", "whole"), Ok(4.0));
        assert!(after(text, "fi", "homes").is_err() && after(text, "fifo", "x").is_err());
    }

    #[test]
    fn the_numbers_of_a_force_stand_behind_its_whole_name() {
        let text = "FORCE NS\ngravity   10.4 11.0\nexpr      69.1\n";
        assert_eq!(numbers(text, "gravity"), Ok(vec![10.4, 11.0]));
        assert_eq!(numbers(text, "expr"), Ok(vec![69.1]));
        assert!(numbers(text, "geo").is_err() && numbers(text, "FORCE").is_err());
    }
}
