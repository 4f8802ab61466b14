//! Words that no file of the project may hold: marks of unfinished work, and places or people that
//! only its makers know. Each pattern stands here in pieces, so that this file passes too.

use std::path::Path;

use crate::check::Outcome;
use crate::repo::Repo;

const BANNED: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("fa", "rm-"),
    concat!("developer ", "session"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// Searches every tracked text file but the lock file, which cargo writes.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let files = match repo.files() {
        Ok(files) => files,
        Err(complaint) => return Outcome::failure(complaint),
    };
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("Cargo.lock")) {
        match std::fs::read(repo.root.join(file)) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes);
                findings.extend(text.iter().flat_map(|text| found(file, text)));
            }
            Err(cause) => findings.push(format!("{}: {cause}", file.display())),
        }
    }
    Outcome::of(findings)
}

fn found(file: &Path, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in BANNED.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{}:{}: holds `{word}`", file.display(), index + 1));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{BANNED, found};

    #[test]
    fn each_banned_word_is_found_with_its_line() {
        for word in BANNED {
            let text = format!("fine\nnot ({word}) fine\n");
            let findings = found(Path::new("a.md"), &text);
            assert!(findings.iter().any(|f| f.starts_with("a.md:2:") && f.contains(word)));
        }
    }

    #[test]
    fn words_that_only_look_alike_pass() {
        let text = "the work/ folder, a farm, today, fixed, a session, todos, unimplemented\n";
        assert_eq!(found(Path::new("a.md"), text), Vec::<String>::new());
    }
}
