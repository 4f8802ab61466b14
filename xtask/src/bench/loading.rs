//! How long a trace of 200,000 jobs takes to read, in each format that holds one.

use std::process::Command;

use crate::bench::figure::{Bound, Row};
use crate::process::printed;
use crate::repo::Repo;

/// The figures, and how the lines of the example `load` begin.
const FILES: [(&str, &str); 3] = [
    ("own format, 200,000 jobs of one task", "own "),
    ("SWF, 200,000 jobs", "swf "),
    ("own format, one job of 200,000 tasks", "graph "),
];
/// A trace of 200,000 jobs is read within so many seconds.
const SECONDS_MAX: f64 = 1.0;

/// Reads each file several times.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let build =
        ["build", "--quiet", "--release", "--package", "bary-trace", "--example", "reading"];
    printed(repo.cargo(&build))?;
    let command = Command::new(repo.example("reading")?);
    let text = String::from_utf8_lossy(&printed(command)?).into_owned();
    let row = |(figure, begins): (&'static str, &str)| {
        let runs = seconds(&text, begins)?;
        let bound = Some(Bound::AtMost(SECONDS_MAX));
        Ok(Row { figure, runs, unit: "s", bound, peer: None })
    };
    FILES.into_iter().map(row).collect()
}

/// The numbers between how a line begins and the word `bytes`.
fn seconds(text: &str, begins: &str) -> Result<Vec<f64>, String> {
    let line = text.lines().find_map(|line| line.strip_prefix(begins));
    let line = line.ok_or_else(|| format!("the example reading says nothing of `{begins}`"))?;
    let words = line.split_whitespace().take_while(|word| *word != "bytes");
    let found: Result<Vec<f64>, _> = words.map(str::parse).collect();
    let found = found.map_err(|cause| format!("`{line}`: {cause}"))?;
    if found.is_empty() { Err(format!("`{line}` has no seconds")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn the_seconds_of_a_line_end_at_its_bytes() {
        let text = "own 0.5 0.25 bytes 7\nswf bytes 7\n";
        assert_eq!(seconds(text, "own "), Ok(vec![0.5, 0.25]));
        assert!(seconds(text, "swf ").is_err() && seconds(text, "dax ").is_err());
    }
}
