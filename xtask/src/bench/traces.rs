//! Public logs of clusters, replayed in the simulator under several policies.

use std::path::PathBuf;
use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// The variable that names the folder of public sets, which are no part of the project.
const DATA: &str = "BARY_DATA";

/// The policies; the first is the default.
const POLICIES: [&str; 6] =
    ["gravity", "fifo", "fifo,queue=fcfs", "fifo,queue=easy", "random", "work-stealing"];

/// Figures: what each is called, how the example's line begins, after which word its number
/// stands, and its unit.
const FIGURES: [(&str, &str, &str, &str); 29] = [
    ("NASA, default, wait", "log nasa gravity ", "wait", "s"),
    ("NASA, FCFS, wait", "log nasa fifo,queue=fcfs ", "wait", "s"),
    ("NASA, EASY, wait", "log nasa fifo,queue=easy ", "wait", "s"),
    ("NASA, default, slowdown", "log nasa gravity ", "slowdown", ""),
    ("NASA, FCFS, slowdown", "log nasa fifo,queue=fcfs ", "slowdown", ""),
    ("NASA, EASY, slowdown", "log nasa fifo,queue=easy ", "slowdown", ""),
    ("NASA, default, utilisation", "log nasa gravity ", "use", "%"),
    ("NASA, FCFS, utilisation", "log nasa fifo,queue=fcfs ", "use", "%"),
    ("NASA, EASY, utilisation", "log nasa fifo,queue=easy ", "use", "%"),
    ("LCG, exact, default, wait", "log lcg-exact gravity ", "wait", "s"),
    ("LCG, exact, FCFS, wait", "log lcg-exact fifo,queue=fcfs ", "wait", "s"),
    ("LCG, exact, EASY, wait", "log lcg-exact fifo,queue=easy ", "wait", "s"),
    ("LCG, exact, default, slowdown", "log lcg-exact gravity ", "slowdown", ""),
    ("LCG, exact, FCFS, slowdown", "log lcg-exact fifo,queue=fcfs ", "slowdown", ""),
    ("LCG, exact, EASY, slowdown", "log lcg-exact fifo,queue=easy ", "slowdown", ""),
    ("LCG, exact, default, utilisation", "log lcg-exact gravity ", "use", "%"),
    ("LCG, exact, FCFS, utilisation", "log lcg-exact fifo,queue=fcfs ", "use", "%"),
    ("LCG, exact, EASY, utilisation", "log lcg-exact fifo,queue=easy ", "use", "%"),
    ("LCG, requested, default, wait", "log lcg-requested gravity ", "wait", "s"),
    ("LCG, requested, FCFS, wait", "log lcg-requested fifo,queue=fcfs ", "wait", "s"),
    ("LCG, requested, EASY, wait", "log lcg-requested fifo,queue=easy ", "wait", "s"),
    ("LCG, requested, default, slowdown", "log lcg-requested gravity ", "slowdown", ""),
    ("LCG, requested, FCFS, slowdown", "log lcg-requested fifo,queue=fcfs ", "slowdown", ""),
    ("LCG, requested, EASY, slowdown", "log lcg-requested fifo,queue=easy ", "slowdown", ""),
    ("LCG, requested, default, utilisation", "log lcg-requested gravity ", "use", "%"),
    ("LCG, requested, FCFS, utilisation", "log lcg-requested fifo,queue=fcfs ", "use", "%"),
    ("LCG, requested, EASY, utilisation", "log lcg-requested fifo,queue=easy ", "use", "%"),
    ("logs, response beside random", "worst logs gravity random ", "ratio", ""),
    ("logs, response beside steal half", "worst logs gravity work-stealing ", "ratio", ""),
];
/// What is known of these logs, or wanted.
const BOUNDS: [(&str, f64); 4] = [
    ("NASA, FCFS, wait", 8.5),
    ("NASA, EASY, wait", 4.5),
    ("logs, response beside random", 1.01),
    ("logs, response beside steal half", 1.01),
];

/// Replays each log under each policy.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let words: Vec<&str> = ["traces"].into_iter().chain(POLICIES).collect();
    let Some(told) = told(repo, &words)? else { return Ok(Vec::new()) };
    let row = |(figure, line, word, unit)| {
        let runs = vec![told.number(line, word)?];
        let bound = BOUNDS.iter().find(|(name, _)| *name == figure);
        let bound = bound.map(|(_, most)| Bound::AtMost(*most));
        Ok(Row { figure, runs, unit, bound, peer: None })
    };
    FIGURES.into_iter().map(row).collect()
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
