//! The README is short enough to be read.

use crate::check::Outcome;
use crate::repo::Repo;

const WORDS_MAX: usize = 800;

/// Counts the README's words.
pub(crate) fn check(repo: &Repo) -> Outcome {
    match repo.read("README.md") {
        Ok(text) => Outcome::of(finding(&text).into_iter().collect()),
        Err(complaint) => Outcome::failure(complaint),
    }
}

fn finding(text: &str) -> Option<String> {
    let words = text.split_whitespace().count();
    let finding = || format!("README.md has {words} words, the limit is {WORDS_MAX}");
    (words > WORDS_MAX).then(finding)
}

#[cfg(test)]
mod tests {
    use super::finding;

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(finding(&"word ".repeat(800)), None);
        assert!(finding(&"word ".repeat(801)).is_some());
    }
}
