//! `verify`: runs the checks in order, prints a line for each, and closes with all that failed.

use std::process::Command;
use std::time::Instant;

use crate::check::{Check, Outcome};
use crate::process::printed;
use crate::repo::Repo;
use crate::{cargo, chaos, drift, examples, licences, openapi, python, setup, suite, tidy};

/// All checks, the quick ones first.
pub(crate) const CHECKS: &[Check] = &[
    Check { name: "fmt", group: "cargo", run: cargo::fmt },
    Check { name: "lockfile", group: "cargo", run: licences::lockfile },
    Check { name: "licences", group: "cargo", run: licences::licences },
    Check { name: "imports", group: "tidy", run: tidy::imports::check },
    Check { name: "purity", group: "tidy", run: tidy::purity::check },
    Check { name: "lengths", group: "tidy", run: tidy::lengths::check },
    Check { name: "roots", group: "tidy", run: tidy::roots::check },
    Check { name: "names", group: "tidy", run: tidy::names::check },
    Check { name: "heads", group: "tidy", run: tidy::heads::check },
    Check { name: "dead-files", group: "tidy", run: tidy::dead_files::check },
    Check { name: "links", group: "tidy", run: tidy::links::check },
    Check { name: "readme", group: "tidy", run: tidy::readme::check },
    Check { name: "words", group: "tidy", run: tidy::words::check },
    Check { name: "clippy", group: "cargo", run: cargo::clippy },
    Check { name: "tests", group: "cargo", run: suite::tests },
    Check { name: "doctests", group: "cargo", run: cargo::doctests },
    Check { name: "rustdoc", group: "cargo", run: cargo::rustdoc },
    Check { name: "examples", group: "product", run: examples::check },
    Check { name: "python", group: "product", run: python::check },
    Check { name: "openapi", group: "product", run: openapi::check },
    Check { name: "chaos", group: "product", run: chaos::check },
    Check { name: "chaos-node", group: "product", run: chaos::node::check },
    Check { name: "chaos-members", group: "product", run: chaos::members::check },
    Check { name: "docs", group: "product", run: drift::check },
];

/// The checks that the caller's lists leave; the error names a word that is no check.
pub(crate) fn chosen(only: &[String], skip: &[String]) -> Result<Vec<&'static Check>, String> {
    for word in only.iter().chain(skip) {
        if !CHECKS.iter().any(|check| is_called(check, word)) {
            let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            return Err(format!("there is no check `{word}`; there are {}", names.join(", ")));
        }
    }
    let among = |list: &[String], check: &Check| list.iter().any(|word| is_called(check, word));
    let wanted = |check: &&Check| {
        (only.is_empty() || among(only, check)) && (skip.is_empty() || !among(skip, check))
    };
    Ok(CHECKS.iter().filter(wanted).collect())
}

fn is_called(check: &Check, word: &str) -> bool {
    check.name == word || check.group == word
}

/// Sets up, runs `checks` and says whether all is well.
pub(crate) fn verify(repo: &Repo, checks: &[&Check]) -> bool {
    let started = Instant::now();
    let mut failures = Vec::new();
    if !setup::setup() {
        failures.push(("setup", vec!["what the tests need could not be installed".to_owned()]));
    }
    for check in checks {
        let begun = Instant::now();
        let outcome = (check.run)(repo);
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Outcome::Passed(notes) => {
                report(repo, Mark::Ok, check.name, seconds, "");
                notes.iter().for_each(|note| println!("    {note}"));
            }
            Outcome::Skipped(why) => {
                report(repo, Mark::Skipped, check.name, seconds, &format!("skipped: {why}"));
            }
            Outcome::Failed(findings) => {
                report(repo, Mark::Failed, check.name, seconds, "");
                failures.push((check.name, findings));
            }
        }
    }
    close(repo, checks.len(), &failures, started.elapsed().as_secs_f64());
    failures.is_empty()
}

fn close(repo: &Repo, count: usize, failures: &[(&str, Vec<String>)], seconds: f64) {
    for (name, findings) in failures {
        println!("\n{}", paint(repo, Mark::Failed, name));
        let lines = findings.iter().flat_map(|finding| finding.lines());
        lines.for_each(|line| println!("    {line}"));
    }
    println!();
    if failures.is_empty() {
        let verdict = paint(repo, Mark::Ok, "all is well");
        println!("{verdict}: {count} checks in {seconds:.1} s");
    } else {
        let names: Vec<_> = failures.iter().map(|(name, _)| *name).collect();
        let verdict = paint(repo, Mark::Failed, "failed");
        println!("{verdict}: {} ({count} checks in {seconds:.1} s)", names.join(", "));
        if let Some(gib) = free_gib(repo).filter(|gib| *gib < SPACE_GIB) {
            println!(
                "only {gib:.1} GiB of disk are free here, and a first build takes {SPACE_GIB}"
            );
        }
    }
}

/// What a first build and its tests take of a disk.
const SPACE_GIB: f64 = 6.0;

/// The free space where the project is; none where `df` does not tell.
fn free_gib(repo: &Repo) -> Option<f64> {
    let mut command = Command::new("df");
    command.args(["-P", "-k"]).arg(&repo.root);
    free_of(&String::from_utf8(printed(command).ok()?).ok()?)
}

fn free_of(told: &str) -> Option<f64> {
    let kib: f64 = told.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / f64::from(1 << 20))
}

#[derive(Clone, Copy)]
enum Mark {
    Ok,
    Skipped,
    Failed,
}

fn report(repo: &Repo, mark: Mark, name: &str, seconds: f64, rest: &str) {
    let word = match mark {
        Mark::Ok => "ok     ",
        Mark::Skipped => "skipped",
        Mark::Failed => "FAILED ",
    };
    let line = format!("{}  {name:<12} {seconds:>7.2} s  {rest}", paint(repo, mark, word));
    println!("{}", line.trim_end());
}

fn paint(repo: &Repo, mark: Mark, text: &str) -> String {
    let colour = match mark {
        Mark::Ok => 32,
        Mark::Skipped => 33,
        Mark::Failed => 31,
    };
    if repo.colour { format!("\x1b[1;{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, chosen, free_of};

    #[test]
    fn free_space_is_read_from_what_df_prints() {
        let told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                    /dev/vda 264113408 26844160 7340032 29% /\n";
        assert_eq!(free_of(told), Some(7.0));
        assert_eq!(free_of("df: no such file\n"), None);
    }

    fn names(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let checks = chosen(&owned(only), &owned(skip))?;
        Ok(checks.iter().map(|check| check.name).collect())
    }

    #[test]
    fn a_group_chooses_its_checks_and_skip_takes_away() {
        assert_eq!(names(&[], &[]).map(|all| all.len()), Ok(CHECKS.len()));
        assert_eq!(names(&["docs", "fmt"], &[]), Ok(vec!["fmt", "docs"]));
        let tidy = names(&["tidy"], &["words"]).expect("both are known");
        assert!(tidy.contains(&"links") && !tidy.contains(&"words") && !tidy.contains(&"fmt"));
    }

    #[test]
    fn a_name_that_is_no_check_is_refused() {
        assert!(names(&["fmt", "fnt"], &[]).is_err());
        assert!(names(&[], &["nothing"]).is_err());
    }
}
