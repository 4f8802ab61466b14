//! What the rules of topology do on made graphs and jobs; the example `regions` of
//! `policy-spectral` prints the tables behind these figures.

use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// Measures the recovery of regions, the placing of jobs between them, level flow, and how long a
/// plan takes.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let package = "bary-policy-spectral";
    let build = ["build", "--quiet", "--release", "--package", package, "--example", "regions"];
    printed(repo.cargo(&build))?;
    let mut command = Command::new(repo.example("regions")?);
    command.arg("figures");
    let text = String::from_utf8_lossy(&printed(command)?).into_owned();
    let row = |figure, word, unit, bound| {
        let runs = vec![told(&text, word)?];
        Ok(Row { figure, runs, unit, bound: Some(bound), peer: None })
    };
    let (least, most) = (Bound::AtLeast, Bound::AtMost);
    [
        row("nodes in their region, 8 probes", "recovered", "%", least(95.0)),
        row("three-plan rule / least-loaded", "choice_makespan", "", most(0.372)),
        row("first begin / least-loaded", "first_makespan", "", most(0.845)),
        row("traffic of the three-plan rule", "choice_traffic", "", most(0.264)),
        row("regret to the best of four", "choice_regret", "%", most(5.0)),
        row("level flow / least, mean", "level_to_least", "", most(1.4)),
        row("level flow / least, worst", "level_to_least_worst", "", most(1.4)),
        row("level flow / greedy", "level_to_greedy", "", most(0.55)),
        row("plan of 1,000 nodes", "plan_1000", "s", most(1.0)),
    ]
    .into_iter()
    .collect()
}

/// The number that stands behind a word of what the example prints.
fn told(text: &str, word: &str) -> Result<f64, String> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    let mut numbers = lines.filter(|(name, _)| *name == word).map(|(_, number)| number.parse());
    match numbers.next() {
        Some(Ok(number)) => Ok(number),
        _ => Err(format!("the example regions does not tell `{word}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let text = "level_to_least 1.1\nlevel_to_least_worst 1.3\nbroken x\n";
        assert_eq!(told(text, "level_to_least_worst"), Ok(1.3));
        assert!(told(text, "level").is_err() && told(text, "broken").is_err());
    }
}
