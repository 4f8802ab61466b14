//! The command line of `cargo xtask`, parsed by hand so that no parser has to be compiled first.

mod chaos;

use std::path::PathBuf;

use crate::chaos::members::{MembersOptions, Play};
use crate::chaos::node::{NodeOptions, Scene};
use crate::fuzz::{FuzzOptions, MINUTES};
use crate::soak::SoakOptions;

/// What the caller asked for.
#[derive(Debug, PartialEq)]
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
        /// The command to measure, where it is not the one that is built.
        bary: Option<PathBuf>,
    },
    /// List the benchmarks.
    Benches,
    /// Write the tables of the page about placement; no names mean all.
    Placement {
        /// The tables' names.
        tables: Vec<String>,
        /// The command to live them with, where it is not the one that is built.
        bary: Option<PathBuf>,
    },
    /// Kill runs on a state at random instants.
    Chaos {
        /// How many to kill.
        kills: u64,
        /// From which jobs and instants are drawn.
        seed: u64,
        /// Print JSON instead of a line.
        json: bool,
    },
    /// Fuzz the decoders.
    Fuzz(FuzzOptions),
    /// Kill a node that stays at random instants.
    ChaosNode(NodeOptions),
    /// Torment the members of a cluster, and the network between them.
    ChaosMembers(MembersOptions),
    /// The part of it that runs in a network of its own.
    MembersInside {
        /// Where the command is, and all that it leaves.
        folder: PathBuf,
        /// What befalls the members.
        play: Play,
        /// Print JSON instead of a line.
        json: bool,
    },
    /// Play one scene with a node.
    ChaosScene {
        /// Which.
        scene: Scene,
        /// The command to play it with, where it is not the one that is built.
        bary: Option<PathBuf>,
    },
    /// Keep a node at work for long, and see whether it grows.
    Soak(SoakOptions),
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
        "placement" => match rest {
            [flag, bary, tables @ ..] if flag == "--bary" => {
                Ok(Verb::Placement { tables: tables.to_vec(), bary: Some(bary.into()) })
            }
            [flag] if flag == "--bary" => Err("--bary needs a path after it".into()),
            tables => Ok(Verb::Placement { tables: tables.to_vec(), bary: None }),
        },
        "chaos" => chaos::chaos(rest),
        "soak" => soak(rest),
        "fuzz" => fuzz(rest),
        "chaos-inside" => match rest {
            [bary, folder] => Ok(Verb::ChaosInside { bary: bary.into(), folder: folder.into() }),
            _ => Err("chaos-inside is for chaos itself".into()),
        },
        "members-inside" => chaos::inside(rest),
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
    let (mut name, mut json, mut bary) = (None, false, None);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if word == "--bary" {
            bary = Some(words.next().ok_or("--bary needs a path after it")?.into());
        } else if word == "-o" {
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
    let lists = name.is_none() && !json;
    if lists { Ok(Verb::Benches) } else { Ok(Verb::Bench { name, json, bary }) }
}

fn soak(rest: &[String]) -> Result<Verb, String> {
    let mut options = SoakOptions { minutes: 60.0, seed: 0, bary: None, json: false };
    for (flag, value) in pairs(rest)? {
        match flag {
            "--minutes" => options.minutes = above_zero(flag, value)?,
            "--seed" => options.seed = whole(flag, value)?,
            "--bary" => options.bary = Some(value.into()),
            "-o" => options.json = is_json(value)?,
            _ => return Err(format!("soak does not know `{flag}`")),
        }
    }
    Ok(Verb::Soak(options))
}

fn fuzz(rest: &[String]) -> Result<Verb, String> {
    let (name, flags) = match rest.split_first() {
        Some((name, flags)) if !name.starts_with('-') => (Some(name.clone()), flags),
        _ => (None, rest),
    };
    let mut minutes = MINUTES;
    for (flag, value) in pairs(flags)? {
        match flag {
            "--minutes" => minutes = above_zero(flag, value)?,
            _ => return Err(format!("fuzz does not know `{flag}`")),
        }
    }
    Ok(Verb::Fuzz(FuzzOptions { name, minutes }))
}

/// Words as flags with a value each.
fn pairs(words: &[String]) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs = Vec::new();
    for pair in words.chunks(2) {
        match pair {
            [flag, value] => pairs.push((flag.as_str(), value.as_str())),
            _ => return Err(format!("`{}` needs a value after it", pair.concat())),
        }
    }
    Ok(pairs)
}

fn whole(flag: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{flag} needs a number after it"))
}

fn above_zero(flag: &str, value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("{flag} needs a number above 0 after it"))
}

fn is_json(value: &str) -> Result<bool, String> {
    match value {
        "json" => Ok(true),
        "table" => Ok(false),
        _ => Err("-o needs `table` or `json` after it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{SoakOptions, Verb, parse};

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
        let run = |bary| Verb::Bench { name: Some("all".into()), json: true, bary };
        assert_eq!(read("bench all -o json"), Ok(run(None)));
        assert_eq!(read("bench --bary b all -o json"), Ok(run(Some("b".into()))));
    }

    #[test]
    fn fuzz_has_a_target_and_minutes() {
        let verb = |name: Option<&str>, minutes| {
            Ok(Verb::Fuzz(super::FuzzOptions { name: name.map(str::to_owned), minutes }))
        };
        assert_eq!(read("fuzz frame --minutes 0.5"), verb(Some("frame"), 0.5));
        assert_eq!(read("fuzz"), verb(None, super::MINUTES));
    }

    #[test]
    fn a_soak_lasts_an_hour_unless_told_otherwise() {
        let soak = SoakOptions { minutes: 60.0, seed: 0, bary: None, json: true };
        assert_eq!(read("soak -o json"), Ok(Verb::Soak(soak)));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "soak --minutes",
            "soak --minutes x",
            "vrify",
            "verify fmt",
            "verify --only",
            "fix now",
            "bench a b",
            "bench -o x",
            "fuzz --minutes",
            "fuzz a --minutes 0",
            "fuzz a b",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
