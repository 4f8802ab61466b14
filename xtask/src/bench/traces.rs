//! Public logs of clusters, replayed in the simulator under several policies.

use std::path::PathBuf;
use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// The variable that names the folder of public sets, which are no part of the project.
const DATA: &str = "BARY_DATA";

/// The policies, and what each is called in figures.
const POLICIES: [&str; 4] = ["gravity", "fifo", "fifo,queue=fcfs", "fifo,queue=easy"];

/// Replays each log under each policy.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let words: Vec<&str> = ["traces"].into_iter().chain(POLICIES).collect();
    let Some(told) = told(repo, &words)? else { return Ok(Vec::new()) };
    let row = |figure, line: &str, word: &str, unit, bound| {
        let runs = vec![told.number(line, word)?];
        Ok(Row { figure, runs, unit, bound, peer: None })
    };
    let (fcfs, easy) = ("fifo,queue=fcfs", "fifo,queue=easy");
    let of = |log: &str, policy: &str| format!("log {log} {policy} ");
    let most = |bound| Some(Bound::AtMost(bound));
    [
        row("NASA, default, mean wait", &of("nasa", "gravity"), "wait", "s", None),
        row("NASA, FCFS, mean wait", &of("nasa", fcfs), "wait", "s", most(8.5)),
        row("NASA, EASY, mean wait", &of("nasa", easy), "wait", "s", most(4.5)),
        row("NASA, default, slowdown", &of("nasa", "gravity"), "slowdown", "", None),
        row("NASA, FCFS, slowdown", &of("nasa", fcfs), "slowdown", "", None),
        row("NASA, EASY, slowdown", &of("nasa", easy), "slowdown", "", None),
        row("NASA, default, utilisation", &of("nasa", "gravity"), "use", "%", None),
        row("LCG, exact, default, wait", &of("lcg-exact", "gravity"), "wait", "s", None),
        row("LCG, exact, FCFS, wait", &of("lcg-exact", fcfs), "wait", "s", None),
        row("LCG, requested, default, wait", &of("lcg-requested", "gravity"), "wait", "s", None),
        row("LCG, requested, EASY, wait", &of("lcg-requested", easy), "wait", "s", None),
        row("LCG, exact, default, slowdown", &of("lcg-exact", "gravity"), "slowdown", "", None),
        row("LCG, exact, FCFS, slowdown", &of("lcg-exact", fcfs), "slowdown", "", None),
        row("LCG, default, utilisation", &of("lcg-exact", "gravity"), "use", "%", None),
    ]
    .into_iter()
    .collect()
}

/// What the simulator's example printed.
pub(crate) struct Told(String);

/// Runs the example on the public sets; none, said aloud, where nobody says where they are.
pub(crate) fn told(repo: &Repo, words: &[&str]) -> Result<Option<Told>, String> {
    let Some(folder) = std::env::var_os(DATA).map(PathBuf::from) else {
        eprintln!("SKIPPED {}: {DATA} names no folder with public sets", words[0]);
        return Ok(None);
    };
    if !folder.is_dir() {
        return Err(format!("{DATA} is {}, which is no folder", folder.display()));
    }
    let build = ["build", "--quiet", "--release", "--package", "bary-sim", "--example", "replay"];
    printed(repo.cargo(&build))?;
    let mut command = Command::new(repo.example("replay")?);
    command.arg(words[0]).arg(folder).args(&words[1..]);
    let text = String::from_utf8_lossy(&printed(command)?).into_owned();
    // The whole table is worth more than the rows that have bounds.
    eprint!("{text}");
    Ok(Some(Told(text)))
}

impl Told {
    /// The number after a word on the last line that begins so.
    pub(crate) fn number(&self, line: &str, word: &str) -> Result<f64, String> {
        let found = self.0.lines().rfind(|one| one.starts_with(line));
        let found = found.ok_or_else(|| format!("the example says nothing of `{line}`"))?;
        // What the line begins with may hold the word too.
        let words: Vec<&str> = found[line.len()..].split_whitespace().collect();
        let at = words.iter().position(|other| *other == word);
        let number = at.and_then(|at| words.get(at + 1)).and_then(|number| number.parse().ok());
        number.ok_or_else(|| format!("`{found}` has no number at `{word}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn a_number_stands_after_its_word_on_its_line() {
        let told = Told("log a gravity wait 1\nlog nasa gravity tasks 3 wait 4.5\n".to_owned());
        assert_eq!(told.number("log nasa gravity ", "wait"), Ok(4.5));
        assert!(told.number("log lcg ", "wait").is_err());
        assert!(told.number("log nasa gravity ", "use").is_err());
    }
}
