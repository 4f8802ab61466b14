//! The checks that cargo itself does: formatting, lints, documentation and its examples.

use std::process::Command;

use crate::check::Outcome;
use crate::process::capture;
use crate::repo::Repo;

/// The code is formatted.
pub(crate) fn fmt(repo: &Repo) -> Outcome {
    judge(repo.cargo(&["fmt", "--all", "--check"]))
}

/// Clippy has nothing to say, in tests and examples too.
pub(crate) fn clippy(repo: &Repo) -> Outcome {
    let words = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    judge(repo.cargo(&words))
}

/// The examples inside doc comments run.
pub(crate) fn doctests(repo: &Repo) -> Outcome {
    judge(repo.cargo(&["test", "--quiet", "--workspace", "--doc"]))
}

/// The documentation builds, and every link in it leads somewhere.
pub(crate) fn rustdoc(repo: &Repo) -> Outcome {
    let mut command = repo.cargo(&["doc", "--quiet", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    judge(command)
}

fn judge(command: Command) -> Outcome {
    match capture(command) {
        Ok(ended) if ended.ok => Outcome::Passed(Vec::new()),
        Ok(ended) => Outcome::failure(ended.output.trim_end()),
        Err(fault) => Outcome::failure(fault.to_string()),
    }
}
