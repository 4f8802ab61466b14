//! Every Rust file opens by saying what it is: with `//!`, at most after a `#!` line.

use crate::check::Outcome;
use crate::repo::Repo;

/// Checks the first line of every Rust file.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let sources = match repo.sources() {
        Ok(sources) => sources,
        Err(complaint) => return Outcome::failure(complaint),
    };
    let headless = sources.iter().filter(|source| !has_head(&source.text));
    let finding = |path: &std::path::Path| format!("{}: opens without `//!`", path.display());
    Outcome::of(headless.map(|source| finding(&source.path)).collect())
}

fn has_head(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!"));
    let head = lines.next().and_then(|line| line.strip_prefix("//!"));
    head.is_some_and(|head| !head.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::has_head;

    #[test]
    fn a_head_stands_first_or_after_inner_attributes_and_says_something() {
        assert!(has_head("//! What it is.\n"));
        assert!(has_head("#![cfg(unix)]\n//! What it is.\n"));
        assert!(!has_head("use std::fs;\n//! Too late.\n"));
        assert!(!has_head("//!\n"));
        assert!(!has_head("/// An item's.\n"));
        assert!(!has_head(""));
    }
}
