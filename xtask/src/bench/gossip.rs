//! A thousand members in virtual time: what gossip costs each, how soon all know of a change,
//! whether anybody who is well is suspected, and what becomes of tasks while members come and go.

use std::process::Command;

use crate::bench::bary::{number, program, told};
use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// How many members have tasks while others leave, and how many are homes of those.
const MEMBERS: usize = 1_000;
const HOMES: usize = 4;
/// How many tasks they have, and for how many minutes members come and go meanwhile.
const TASKS: u32 = 100_000;
const MINUTES: usize = 4;

/// Measures all of it. The same code gives the same figures, so that one run tells them.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let mut rows = gossip(repo)?;
    rows.extend(tasks(repo)?);
    Ok(rows)
}

/// What becomes of tasks while a tenth of all members leaves a minute, each for 20 s.
fn tasks(repo: &Repo) -> Result<Vec<Row>, String> {
    let file = std::env::temp_dir().join(format!("bary-churn-{}.toml", std::process::id()));
    std::fs::write(&file, churn()).map_err(|cause| format!("{}: {cause}", file.display()))?;
    let lived = told(&program(repo)?, &["sim", &file.to_string_lossy(), "-o", "json"]);
    std::fs::remove_file(&file).map_err(|cause| format!("{}: {cause}", file.display()))?;
    let lived = lived?;
    let measures = &lived["policies"][0]["measures"];
    let row = |figure, key: &str, unit, bound| {
        let runs = vec![number(&measures[key], "median")?];
        Ok(Row { figure, runs, unit, bound, peer: None })
    };
    [
        row("10 % leave a minute, 10⁵ tasks: left", "tasks_left", "", Some(Bound::AtMost(0.0))),
        row("the same, makespan over bound", "makespan_over_bound", "", None),
        row("the same, messages", "messages_per_task", "1/task", None),
    ]
    .into_iter()
    .collect()
}

/// The scenario. Homes stay, as their tasks wait for them.
fn churn() -> String {
    let mut text = format!(
        "name = \"churn\"\nunit = \"1s\"\nhomes = {HOMES}\nmet = true\nseeds = 1\n\
         policies = [\"gravity\"]\n[[nodes]]\ncount = {MEMBERS}\n[[workload]]\ntasks = {TASKS}\n"
    );
    let leave = MEMBERS / 10;
    for at in 0..MINUTES * leave {
        let seconds = at as f64 * 60.0 / leave as f64;
        // Far from each other, and each home is the first of its quarter.
        let quarter = MEMBERS / HOMES;
        let node = at * 37 % MEMBERS;
        let node = if node.is_multiple_of(quarter) { node + 1 } else { node };
        text += &format!(
            "[[fault]]\nkind = \"crash\"\nat = \"{seconds}s\"\nlasts = \"20s\"\nnodes = [{node}]\n"
        );
    }
    text
}

/// What the example `figures` of `gossip` prints.
fn gossip(repo: &Repo) -> Result<Vec<Row>, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary-gossip"];
    printed(repo.cargo(&[&build[..], &["--example", "figures"]].concat()))?;
    let text = printed(Command::new(repo.example("figures")?))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let row = |figure, word, unit, bound| {
        Ok(Row { figure, runs: vec![found(&text, word)?], unit, bound, peer: None })
    };
    let most = |bound| Some(Bound::AtMost(bound));
    [
        row("1,000 joins through 3, 5 % loss", "joins", "s", most(10.0)),
        row("a quiet member sends", "quiet_bytes", "B/s", most(1e3)),
        row("the same, 5 % loss", "quiet_lossy_bytes", "B/s", most(1e3)),
        row("a quiet member sends", "quiet_messages", "1/s", None),
        row("suspicions in an hour, 100 members", "hour_suspicions", "", most(0.0)),
        row("the same, 5 % loss", "hour_lossy_suspicions", "", None),
        row("10 % leave and come a minute: known", "churn_known", "s", most(10.0)),
        row("the same, all agree after it", "churn_settles", "s", most(10.0)),
        row("the same, a member sends", "churn_bytes", "B/s", None),
        row("the same, a member sends", "churn_messages", "1/s", None),
        row("a death without a word is known", "death_known", "s", None),
    ]
    .into_iter()
    .collect()
}

/// The number that stands behind a name.
fn found(text: &str, name: &str) -> Result<f64, String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let number = lines.find(|(other, _)| *other == name).and_then(|(_, it)| it.parse().ok());
    number.ok_or_else(|| format!("the example figures does not tell `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let text = "quiet_bytes 503.5\nquiet_bytes_more 2\nbroken x\n";
        assert_eq!(found(text, "quiet_bytes"), Ok(503.5));
        assert!(found(text, "quiet").is_err() && found(text, "broken").is_err());
    }
}
