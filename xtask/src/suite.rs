//! The test suite, run by nextest where that is installed and by cargo's own runner elsewhere.

use std::process::Command;

use crate::check::Outcome;
use crate::process::{capture, printed};
use crate::repo::Repo;

/// Runs every test of the workspace; the runner's closing lines are the notes.
pub(crate) fn tests(repo: &Repo) -> Outcome {
    let nextest = printed(repo.cargo(&["nextest", "--version"])).is_ok();
    let command = if nextest {
        repo.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        repo.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    judge(command, if nextest { nextest_closing } else { cargo_closing })
}

fn judge(command: Command, closing: fn(&str) -> Vec<String>) -> Outcome {
    match capture(command) {
        Ok(ended) if ended.ok => Outcome::Passed(closing(&ended.output)),
        Ok(ended) => Outcome::failure(ended.output.trim_end()),
        Err(fault) => Outcome::failure(fault.to_string()),
    }
}

/// Everything from nextest's summary on.
fn nextest_closing(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    let summary = lines.iter().rposition(|line| line.contains("Summary"));
    lines[summary.unwrap_or(0)..].iter().map(|&line| line.to_owned()).collect()
}

/// Each test binary's name and result.
fn cargo_closing(output: &str) -> Vec<String> {
    let told = |line: &&str| line.contains("Running ") || line.starts_with("test result:");
    output.lines().filter(told).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{cargo_closing, nextest_closing};

    #[test]
    fn nextest_closes_with_its_summary_and_what_follows() {
        let output =
            "  PASS a\n-----\n  Summary [ 0.1s] 1 test run: 1 passed, 1 skipped\n  SKIP b\n";
        let wanted = ["  Summary [ 0.1s] 1 test run: 1 passed, 1 skipped", "  SKIP b"];
        assert_eq!(nextest_closing(output), wanted);
        assert_eq!(nextest_closing("odd\noutput"), ["odd", "output"]);
    }

    #[test]
    fn cargo_closes_with_each_binary_and_its_result() {
        let output = "     Running src/lib.rs\ntest a ... ok\ntest result: ok. 1 passed\n";
        assert_eq!(cargo_closing(output), ["     Running src/lib.rs", "test result: ok. 1 passed"]);
    }
}
