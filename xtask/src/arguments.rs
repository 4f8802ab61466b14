//! The command line of `cargo xtask`, parsed by hand so that no parser has to be compiled first.

use std::path::PathBuf;

use crate::chaos::KILLS;

/// What the caller asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Print how xtask is used.
    Help,
    /// Run the checks; empty lists mean all of them and none left out.
    Verify {
        /// Names or groups to run.
        only: Vec<String>,
        /// Names or groups to leave out.
        skip: Vec<String>,
    },
    /// Write what `verify` would ask for.
    Fix {
        /// Also let clippy rewrite code.
        clippy: bool,
    },
    /// Install what the tests need.
    Setup,
    /// Run one benchmark, or all when `name` is `all`.
    Bench {
        /// The benchmark's name.
        name: Option<String>,
        /// Print JSON instead of a table.
        json: bool,
    },
    /// List the benchmarks.
    Benches,
    /// Kill runs on a state at random instants.
    Chaos {
        /// How many to kill.
        kills: u64,
        /// From which jobs and instants are drawn.
        seed: u64,
        /// Print JSON instead of a line.
        json: bool,
    },
    /// The part of `chaos` that runs where it has mounted a small disk.
    ChaosInside {
        /// The command `bary`.
        bary: PathBuf,
        /// Where the disk is.
        folder: PathBuf,
    },
}

/// Reads the words after `cargo xtask`; the error is a sentence for the caller.
pub(crate) fn parse(words: &[String]) -> Result<Verb, String> {
    let Some((verb, rest)) = words.split_first() else { return Ok(Verb::Help) };
    match verb.as_str() {
        "help" | "-h" | "--help" => Ok(Verb::Help),
        "verify" => verify(rest),
        "fix" => match rest {
            [] => Ok(Verb::Fix { clippy: false }),
            [flag] if flag == "--clippy" => Ok(Verb::Fix { clippy: true }),
            _ => Err(format!("fix does not know `{}`", rest.join(" "))),
        },
        "setup" if rest.is_empty() => Ok(Verb::Setup),
        "setup" => Err("setup takes no arguments".into()),
        "bench" => bench(rest),
        "chaos" => chaos(rest),
        "chaos-inside" => match rest {
            [bary, folder] => Ok(Verb::ChaosInside { bary: bary.into(), folder: folder.into() }),
            _ => Err("chaos-inside is for chaos itself".into()),
        },
        other => Err(format!("there is no verb `{other}`")),
    }
}

fn verify(rest: &[String]) -> Result<Verb, String> {
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let list = match flag {
            "--only" => &mut only,
            "--skip" => &mut skip,
            _ => return Err(format!("verify does not know `{word}`")),
        };
        let names = inline.or_else(|| words.next().cloned());
        let names = names.ok_or_else(|| format!("{flag} needs names after it"))?;
        list.extend(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    Ok(Verb::Verify { only, skip })
}

fn bench(rest: &[String]) -> Result<Verb, String> {
    let (mut name, mut json) = (None, false);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if word == "-o" {
            json = match words.next().map(String::as_str) {
                Some("json") => true,
                Some("table") => false,
                _ => return Err("-o needs `table` or `json` after it".into()),
            };
        } else if word.starts_with('-') || name.is_some() {
            return Err(format!("bench does not know `{word}`"));
        } else {
            name = Some(word.clone());
        }
    }
    if name.is_none() && !json { Ok(Verb::Benches) } else { Ok(Verb::Bench { name, json }) }
}

fn chaos(rest: &[String]) -> Result<Verb, String> {
    let (mut kills, mut seed, mut json) = (KILLS, 0, false);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let value = words.next().map(String::as_str).unwrap_or_default();
        let number = || value.parse().map_err(|_| format!("{word} needs a number after it"));
        match word.as_str() {
            "--kills" => kills = number()?,
            "--seed" => seed = number()?,
            "-o" if value == "json" || value == "table" => json = value == "json",
            "-o" => return Err("-o needs `table` or `json` after it".into()),
            _ => return Err(format!("chaos does not know `{word}`")),
        }
    }
    Ok(Verb::Chaos { kills, seed, json })
}

#[cfg(test)]
mod tests {
    use super::{Verb, parse};

    fn read(line: &str) -> Result<Verb, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn lists_are_split_at_commas_and_add_up() {
        let verb = read("verify --only fmt,tidy --skip=words --only links");
        let only = ["fmt", "tidy", "links"].map(str::to_owned).to_vec();
        assert_eq!(verb, Ok(Verb::Verify { only, skip: vec!["words".into()] }));
    }

    #[test]
    fn bench_alone_lists_and_a_name_runs() {
        assert_eq!(read("bench"), Ok(Verb::Benches));
        let run = Verb::Bench { name: Some("all".into()), json: true };
        assert_eq!(read("bench all -o json"), Ok(run));
    }

    #[test]
    fn chaos_has_a_seed_and_a_number_of_kills() {
        let run = Verb::Chaos { kills: 7, seed: 3, json: true };
        assert_eq!(read("chaos --seed 3 --kills 7 -o json"), Ok(run));
        let plain = Verb::Chaos { kills: super::KILLS, seed: 0, json: false };
        assert_eq!(read("chaos"), Ok(plain));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "chaos 5",
            "chaos --kills",
            "chaos -o",
            "chaos --seed x",
            "vrify",
            "verify fmt",
            "verify --only",
            "fix now",
            "bench a b",
            "bench -o x",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
