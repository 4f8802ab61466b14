//! `fuzz`: has a fuzzer hand each decoder what it can think of, with little memory to go wrong in.
//!
//! It needs a nightly compiler and `cargo install cargo-fuzz --locked`; where they are not to be
//! had it says so, and nothing is fuzzed. What was found lies under `target/fuzz/found`.

use std::fs;
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

use crate::process::{capture, printed};
use crate::repo::Repo;

/// What is fuzzed, and for how long.
#[derive(Debug, PartialEq)]
pub(crate) struct FuzzOptions {
    /// A target, or `all`; without it the targets are listed.
    pub(crate) name: Option<String>,
    /// How long each is fuzzed.
    pub(crate) minutes: f64,
}

/// How long each target is fuzzed where nothing is said.
pub(crate) const MINUTES: f64 = 10.0;
/// Where the fuzzers are, and where they keep what they make.
const FUZZERS: &str = "fuzz/targets";
const PLACE: &str = "target/fuzz";
/// The most that a decoder may ask for at once, and that a whole fuzzer may have, in MiB.
const ALLOCATION_MAX: &str = "-malloc_limit_mb=64";
const MEMORY_MAX: &str = "-rss_limit_mb=2048";
/// The longest input, and the seconds that one may take.
const INPUT_MAX: &str = "-max_len=65536";
const PATIENCE: &str = "-timeout=20";

/// Fuzzes; says whether nothing was found.
pub(crate) fn fuzz(repo: &Repo, options: &FuzzOptions) -> bool {
    match begin(repo, options) {
        Ok(well) => well,
        Err(complaint) => {
            eprintln!("fuzz: {complaint}");
            false
        }
    }
}

fn begin(repo: &Repo, options: &FuzzOptions) -> Result<bool, String> {
    let targets = targets(&repo.read(Path::new(FUZZERS).join("Cargo.toml"))?)?;
    let Some(name) = &options.name else {
        targets.iter().for_each(|target| println!("{target}"));
        return Ok(true);
    };
    let wanted = |target: &&String| name == "all" || name == *target;
    let chosen: Vec<&String> = targets.iter().filter(wanted).collect();
    if chosen.is_empty() {
        return Err(format!("there is no target `{name}`; there are {}", targets.join(", ")));
    }
    if let Err(lack) = tools() {
        println!("fuzz: SKIPPED, nothing was fuzzed: {lack}");
        return Ok(true);
    }
    let seeds = format!("{PLACE}/seeds");
    let words = ["run", "--quiet", "--package", "bary-fuzz", "--example", "seeds", "--", &seeds];
    printed(repo.cargo(&words))?;
    let mut well = true;
    for target in chosen {
        well &= one(repo, target, options.minutes)?;
    }
    Ok(well)
}

/// The names of the fuzzers.
fn targets(manifest: &str) -> Result<Vec<String>, String> {
    let table: Table = manifest.parse().map_err(|cause| format!("{FUZZERS}: {cause}"))?;
    let programs = table.get("bin").and_then(Value::as_array).into_iter().flatten();
    let names = programs.filter_map(|program| program.get("name").and_then(Value::as_str));
    Ok(names.map(str::to_owned).collect())
}

/// What is lacking, and how it is had.
fn tools() -> Result<(), String> {
    let answers = |words: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(words);
        printed(command).is_ok()
    };
    if !answers(&["+nightly", "--version"]) {
        return Err("there is no nightly compiler: rustup toolchain install nightly".into());
    }
    if !answers(&["+nightly", "fuzz", "--version"]) {
        return Err("there is no cargo-fuzz: cargo install cargo-fuzz --locked".into());
    }
    Ok(())
}

/// Fuzzes one target; says whether nothing was found.
fn one(repo: &Repo, target: &str, minutes: f64) -> Result<bool, String> {
    let place = |kind: &str| format!("{PLACE}/{kind}/{target}");
    for kind in ["corpus", "found"] {
        let folder = repo.root.join(place(kind));
        fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    }
    println!("fuzz: {target}, for {minutes} min");
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", "run", "--fuzz-dir", FUZZERS, "--target-dir", PLACE]);
    command.args([target, &place("corpus"), &place("seeds"), "--"]);
    command.arg(format!("-max_total_time={}", (minutes * 60.0).ceil()));
    command.arg(format!("-artifact_prefix={}/", place("found")));
    command.args([ALLOCATION_MAX, MEMORY_MAX, INPUT_MAX, PATIENCE, "-print_final_stats=1"]);
    command.current_dir(&repo.root);
    let ended = capture(command).map_err(|fault| fault.to_string())?;
    if ended.ok {
        println!("fuzz: {target}: {}", summary(&ended.output));
    } else {
        let lines: Vec<&str> = ended.output.lines().collect();
        println!(
            "fuzz: {target}: FOUND something\n{}",
            lines[lines.len().saturating_sub(60)..].join("\n")
        );
    }
    Ok(ended.ok)
}

/// How much was tried, from what the fuzzer says at its end.
fn summary(said: &str) -> String {
    let told = |name: &str| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map_or("?", |rest| rest.trim_start_matches(':').trim()).to_owned()
    };
    let covered = said.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once(" cov: ")?;
        rest.split_whitespace().next()
    });
    format!(
        "clean, {} inputs, {} edges, at most {} MiB",
        told("stat::number_of_executed_units"),
        covered.unwrap_or("?"),
        told("stat::peak_rss_mb"),
    )
}

#[cfg(test)]
mod tests {
    use super::{summary, targets};

    #[test]
    fn targets_are_the_programs_of_the_manifest() {
        let manifest = "[package]\nname = 'x'\n[[bin]]\nname = 'a'\n[[bin]]\nname = 'b'\n";
        assert_eq!(targets(manifest), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert!(targets("[").is_err());
    }

    #[test]
    fn the_end_of_a_fuzzer_is_told_in_a_line() {
        let said = "#1 NEW cov: 12 ft: 3\n#9\tDONE   cov: 34 ft: 99 corp: 2\n\
                    stat::number_of_executed_units: 9\nstat::peak_rss_mb:             77\n";
        assert_eq!(summary(said), "clean, 9 inputs, 34 edges, at most 77 MiB");
    }
}
