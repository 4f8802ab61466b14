//! Seeds that found something once, fresh ones, and one that is asked for. `BARY_SEED=7 cargo
//! test -p bary-sim --test hunt one` runs one; `BARY_SEEDS=1000..2000` with `sweep` runs many.
//! With `BARY_GOSSIP=1` gossip decides in their worlds who sees whom, `BARY_POLICY` names the
//! policy by which all nodes decide at first, and `BARY_WITHOUT=protocols,placing` leaves parts
//! out. With `BARY_TABLE=1` the one that is asked for prints what happened.

use std::io::{self, Write as _};
use std::panic;

use bary_sim::hunt::case::Case;
use bary_sim::hunt::cut::Cut;
use bary_sim::hunt::{self, Finding};
use bary_sim::oracle::Oracle;

/// Seeds that found something once, and what.
const KEPT: &str = include_str!("../seeds/kept.txt");

/// Where the seeds of the daily runs begin.
const FRESH: u64 = 1_000_000;
/// How many of them each of the tests below runs.
const EACH: u64 = 25;

fn found(case: &Case) -> Option<Finding> {
    hunt::run(&case.plan()).finding
}

fn hold(case: &Case, why: &str) {
    if let Some(finding) = found(case) {
        panic!("{why}\n{finding}\nreplay it with: {} --table", case.command());
    }
}

fn fresh(part: u64) {
    for seed in FRESH + part * EACH..FRESH + (part + 1) * EACH {
        hold(&Case::of(seed), "a fresh seed");
    }
}

#[expect(clippy::disallowed_methods, reason = "a seed is handed over from the command line")]
fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The case of a seed as it is asked for.
fn wanted(seed: u64) -> Case {
    let policy = asked("BARY_POLICY");
    let without = asked("BARY_WITHOUT").map_or_else(Vec::new, |cuts| parts(&cuts));
    Case { gossip: asked("BARY_GOSSIP").is_some(), policy, without, ..Case::of(seed) }
}

fn parts(cuts: &str) -> Vec<Cut> {
    let cuts = cuts.split(',').filter(|cut| *cut != "-");
    cuts.map(|cut| cut.parse().expect("a cut can be read")).collect()
}

#[test]
fn one() {
    let seed = asked("BARY_SEED").and_then(|seed| seed.parse().ok());
    let case = wanted(seed.unwrap_or(FRESH));
    if asked("BARY_TABLE").is_some() {
        let (plan, mut table) = (case.plan(), String::new());
        let judged = hunt::judged(&plan, Oracle::new(&plan), Some(&mut table));
        let said = writeln!(io::stdout(), "{table}{:?}", judged.finding);
        said.expect("what was asked for can be printed");
    }
    hold(&case, "asked for");
}

/// A seed as it is kept: `7`, or `7/gossip` where gossip decides who sees whom, or
/// `7/policy=broadcast` where all nodes begin with that policy.
fn named(name: &str) -> Case {
    let mut words = name.split('/');
    let seed = words.next().and_then(|seed| seed.parse().ok()).expect("a line has a seed");
    let mut case = Case::of(seed);
    for word in words {
        match word.split_once('=') {
            Some(("policy", policy)) => case.policy = Some(policy.to_owned()),
            None if word == "gossip" => case.gossip = true,
            _ => panic!("`{word}` says nothing of a seed"),
        }
    }
    case
}

/// Each line: a seed, the parts that are left out (or `-`), and why it is kept.
#[test]
fn kept() {
    let lines = KEPT.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut seeds = 0;
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let case = words.next().map(named).expect("a line has a seed");
        let without = words.next().expect("a line has what is left out");
        let why = words.next().expect("a line says why it is kept");
        hold(&Case { without: parts(without), ..case }, why);
        seeds += 1;
    }
    assert!(seeds > 0, "seeds are kept");
}

#[test]
fn fresh_1() {
    fresh(0);
}

#[test]
fn fresh_2() {
    fresh(1);
}

#[test]
fn fresh_3() {
    fresh(2);
}

#[test]
fn fresh_4() {
    fresh(3);
}

#[test]
fn fresh_5() {
    fresh(4);
}

#[test]
fn fresh_6() {
    fresh(5);
}

#[test]
fn fresh_7() {
    fresh(6);
}

#[test]
fn fresh_8() {
    fresh(7);
}

/// As many seeds as wanted: `BARY_SEEDS=1000..5000`.
#[test]
fn sweep() {
    let Some(range) = asked("BARY_SEEDS") else { return };
    let (first, end) = range.split_once("..").expect("BARY_SEEDS is FIRST..END");
    let number = |text: &str| text.parse::<u64>().expect("seeds are numbers");
    panic::set_hook(Box::new(|_| {}));
    let seeds = number(first)..number(end);
    let bad: Vec<String> =
        seeds.filter_map(|seed| Some(format!("{seed}: {}", found(&wanted(seed))?))).collect();
    drop(panic::take_hook());
    assert!(bad.is_empty(), "these seeds broke something:\n{}", bad.join("\n"));
}
