//! Chaos from one number: a drawn world, drawn jobs, fates, cancels and changes of policy, judged
//! from outside after each step. `BARY_SEED=7 cargo test -p bary-engine --test engine chaos::one`
//! replays one and leaves its log beside the other build outputs.

mod draw;
mod oracle;
mod stage;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bary_engine::input::Input;
use bary_ledger::ledger::Ledger;

use crate::chaos::draw::Plan;
use crate::chaos::oracle::Oracle;
use crate::world::World;

/// Seeds that found something once, and what.
const KEPT: &[(u64, &str)] = &[
    (1, "word of new work overtook the grant that said that none was left"),
    (10, "a steal took what another home had granted"),
    (35, "a run far past its expected end was looked at every few nanoseconds"),
    (46, "a range before the one asked for was measured below zero"),
    (72, "a node about to run dry looked at itself without end"),
    (77, "a soft cancel took the tasks of another home's job of the same number"),
    (98, "two thieves stole one task from each other without end"),
    (147, "an overdue run was looked at ten thousand times a second"),
    (352, "thieves without room kept a task from ever starting"),
    (401, "little work far away attracted no more than a home without any"),
];

/// Where the seeds of the daily runs begin.
const FRESH: u64 = 20_000;
/// How many of them each of the tests below runs.
const EACH: u64 = 50;
/// Moments after which a world that has not come to rest never will.
const MOMENTS_MAX: u64 = 400_000;

/// Whole engines are checked after every so many steps; a replay checks after each.
const CHECK_EVERY: u64 = 8;

/// Lives one world to its end and judges it.
fn live(seed: u64, logs: bool) -> String {
    let plan = Plan::of(seed);
    let mut world = World::with(&plan.nodes, &plan.policy, &plan.limits, plan.distances);
    world.logs = logs;
    world.check_every = if logs { 1 } else { CHECK_EVERY };
    world.journal = plan.journal;
    world.unit = plan.unit;
    let fates = plan.fates;
    world.fate = Box::new(move |item, task| fates.course(item, task));
    let oracle = Rc::new(RefCell::new(Oracle::new(&plan.nodes, &plan.limits)));
    let eyes = Rc::clone(&oracle);
    world.watch = Some(Box::new(move |_, node, seen| eyes.borrow_mut().see(node, &seen)));
    for (ticket, (at, node, request)) in (1..).zip(plan.acts) {
        world.put(at, node, Input::Request { ticket, request });
    }
    let end = catch_unwind(AssertUnwindSafe(|| {
        let mut moments = 0;
        while let Some(next) = world.next_moment() {
            world.advance_to(next);
            moments += 1;
            assert!(moments < MOMENTS_MAX, "the world does not come to rest");
        }
        let oracle = oracle.borrow();
        assert!(oracle.jobs() > 0, "there was something to do");
        oracle.at_rest();
        for (node, records) in world.nodes.iter().zip(&oracle.records) {
            node.engine.check();
            assert!(node.engine.is_idle(), "nothing is held at rest");
            let ledger = node.engine.ledgers().next().expect("each node is home of a shard");
            let mut again = Ledger::replay(ledger.shard(), records);
            again.forget_finished();
            assert!(again == *ledger, "I9: the records make the state");
        }
    }));
    let log = std::mem::take(&mut world.log);
    if let Err(why) = end {
        if logs {
            let path = format!("{}/chaos-{seed}.log", env!("CARGO_TARGET_TMPDIR"));
            let engines = world.nodes.iter().map(|node| format!("{:?}\n", node.engine));
            let text = log + &engines.collect::<String>();
            save(&path, &text);
        }
        std::panic::resume_unwind(why);
    }
    log
}

#[expect(clippy::disallowed_methods, reason = "the log of a failure is for people to read")]
fn save(path: &str, text: &str) {
    std::fs::write(path, text).expect("the build directory can be written to");
}

#[expect(clippy::disallowed_methods, reason = "a seed is handed over from the command line")]
fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn try_seed(seed: u64, why: &str) {
    if catch_unwind(|| live(seed, false)).is_err() {
        let command =
            format!("BARY_SEED={seed} cargo test -p bary-engine --test engine chaos::one");
        panic!("seed {seed} failed {why}; replay it with: {command}");
    }
}

fn fresh(part: u64) {
    for seed in FRESH + part * EACH..FRESH + (part + 1) * EACH {
        try_seed(seed, "");
    }
}

#[test]
fn one() {
    let seed = asked("BARY_SEED").and_then(|seed| seed.parse().ok());
    live(seed.unwrap_or(FRESH), true);
}

#[test]
fn kept() {
    for (seed, why) in KEPT {
        try_seed(*seed, why);
    }
}

#[test]
fn fresh_first() {
    fresh(0);
}

#[test]
fn fresh_second() {
    fresh(1);
}

#[test]
fn fresh_third() {
    fresh(2);
}

#[test]
fn fresh_fourth() {
    fresh(3);
}

/// A sweep over as many seeds as wanted: `BARY_SEEDS=1000..5000`.
#[test]
fn sweep() {
    let Some(range) = asked("BARY_SEEDS") else { return };
    let (first, end) = range.split_once("..").expect("BARY_SEEDS is FIRST..END");
    let number = |text: &str| text.parse::<u64>().expect("seeds are numbers");
    let bad =
        (number(first)..number(end)).filter(|seed| catch_unwind(|| live(*seed, false)).is_err());
    assert_eq!(bad.collect::<Vec<_>>(), [0; 0], "these seeds failed");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in FRESH..FRESH + 5 {
        assert!(live(seed, true) == live(seed, true), "seed {seed} differs between two runs");
    }
}
