//! The engine alone on one core, with hands that complete everything at once.

use std::process::Command;

use serde_json::Value;

use crate::bench::bary::{number, repeated};
use crate::bench::figure::{Bound, Row, median};
use crate::process::printed;
use crate::repo::Repo;

/// Measures arrays from 10⁴ to 10⁷ tasks and distinct tasks from 10⁴ to 10⁶.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary", "--example", "engine_lives"];
    printed(repo.cargo(&build))?;
    let program = repo.example("engine_lives")?;
    let measure = |kind: &str, count: u64| {
        repeated(|| {
            let mut command = Command::new(&program);
            command.args([kind, &count.to_string()]);
            let told: Value = serde_json::from_slice(&printed(command)?)
                .map_err(|cause| format!("engine_lives: {cause}"))?;
            Ok(count as f64 / number(&told, "seconds")?)
        })
    };
    let array = [measure("array", 10_000)?, measure("array", 10_000_000)?];
    let distinct = [measure("distinct", 10_000)?, measure("distinct", 1_000_000)?];
    let growth = |rates: &[Vec<f64>; 2]| vec![median(&rates[0]) / median(&rates[1])];
    let row =
        |figure, runs, unit, bound| Row { figure, runs, unit, bound: Some(bound), peer: None };
    let (array_cost, distinct_cost) = (growth(&array), growth(&distinct));
    let [small_array, large_array] = array;
    let [_, large] = distinct;
    Ok(vec![
        row("lives, array of 10⁴", small_array, "1/s", Bound::AtLeast(3e6)),
        row("lives, array of 10⁷", large_array, "1/s", Bound::AtLeast(3e6)),
        row("cost of a life at 10⁷ over 10⁴, array", array_cost, "", Bound::AtMost(1.2)),
        row("lives, 10⁶ distinct tasks", large, "1/s", Bound::AtLeast(1e6)),
        row("cost of a life at 10⁶ over 10⁴, distinct", distinct_cost, "", Bound::AtMost(3.0)),
    ])
}
