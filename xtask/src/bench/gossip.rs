//! Gossip of a thousand members in virtual time: what it costs each, how soon all know of a change,
//! and whether anybody who is well is suspected. The example `figures` of `gossip` prints them.

use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// Measures all of it. The same code gives the same figures, so that one run tells them.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary-gossip"];
    printed(repo.cargo(&[&build[..], &["--example", "figures"]].concat()))?;
    let text = printed(Command::new(repo.example("figures")?))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let row = |figure, word, unit, bound| {
        Ok(Row { figure, runs: vec![told(&text, word)?], unit, bound, peer: None })
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
fn told(text: &str, name: &str) -> Result<f64, String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let number = lines.find(|(other, _)| *other == name).and_then(|(_, it)| it.parse().ok());
    number.ok_or_else(|| format!("the example figures does not tell `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let text = "quiet_bytes 503.5\nquiet_bytes_more 2\nbroken x\n";
        assert_eq!(told(text, "quiet_bytes"), Ok(503.5));
        assert!(told(text, "quiet").is_err() && told(text, "broken").is_err());
    }
}
