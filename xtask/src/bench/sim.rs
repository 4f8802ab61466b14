//! The simulator: events a second, checked and not, and the placement figures that it reproduces.

use std::path::Path;
use std::process::Command;

use crate::bench::bary::repeated;
use crate::bench::figure::{Bound, Row, median};
use crate::process::printed;
use crate::repo::Repo;

/// Measures the rate of no-op work, large plans, what the invariants cost, and placement.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary-sim", "--example", "speed"];
    printed(repo.cargo(&build))?;
    let speed = repo.example("speed")?;
    let many = |plan: &str, before: &str| repeated(|| told(&speed, plan, before));
    let once = |plan: &str, before: &str| told(&speed, plan, before).map(|value| vec![value]);
    let row =
        |figure, runs, unit, bound| Row { figure, runs, unit, bound: Some(bound), peer: None };
    let plain = many("100 1 100000 plain", "events/s")?;
    let checked = many("100 1 100000 plain checked", "events/s")?;
    let cost = vec![median(&plain) / median(&checked)];
    let (least, most) = (Bound::AtLeast, Bound::AtMost);
    Ok(vec![
        row("no-op work", many("1 1 400000000 noop", "events/s")?, "events/s", least(3e6)),
        row("cost of the invariants", cost, "", most(3.0)),
        row("1,000 nodes, 10⁶ tasks", many("1000 1 1000000 placement", "s,")?, "s", most(10.0)),
        Row {
            figure: "10,000 nodes, 10⁶ tasks",
            runs: many("10000 1 1000000 plain", "s,")?,
            unit: "s",
            bound: None,
            peer: None,
        },
        // The same plan gives the same figures, so that one run tells them.
        row(
            "balance, 5 nodes, 100 tasks",
            once("5 1 100 placement", "balance")?,
            "%",
            least(99.72),
        ),
        row("balance, 50 nodes, 10⁵", once("50 1 100000 placement", "balance")?, "%", least(99.9)),
        row("claims, 5 nodes", once("5 1 100 placement", "claims/task")?, "1/task", most(1.55)),
        row(
            "claims, 50 nodes",
            once("50 1 100000 placement", "claims/task")?,
            "1/task",
            most(0.0275),
        ),
        row("mean wait, load 0.8, 4 homes", once("50 4 100000 arrivals", "wait")?, "ms", most(3.0)),
    ])
}

/// The number that stands before, or after, a word of what the example prints.
fn told(speed: &Path, plan: &str, word: &str) -> Result<f64, String> {
    let mut command = Command::new(speed);
    command.args(plan.split(' '));
    let text = String::from_utf8_lossy(&printed(command)?).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|other| *other == word);
    let at = at.ok_or_else(|| format!("speed {plan} does not tell `{word}`"))?;
    let before = word == "events/s" || word == "s,";
    let number = if before { words.get(at.wrapping_sub(1)) } else { words.get(at + 1) };
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("speed {plan}: there is no number at `{word}`"))
}
