//! Worlds run to their ends: the same from one seed, with no fault and with each alone.

use bary_engine::effect::Effect;
use bary_engine::input::Reply;
use bary_model::time::{Moment, Span};
use bary_sim::hunt::case::Case;
use bary_sim::oracle::Oracle;
use bary_sim::plan::Plan;
use bary_sim::plan::faults::{Faults, KINDS};
use bary_sim::plan::swarm::Sizes;
use bary_sim::report::{Report, Verdict};
use bary_sim::watch::{Seen, Watch};
use bary_sim::world;

fn live(plan: &Plan) -> Report {
    let report = world::run(plan, None, None);
    assert_eq!(report.verdict, Verdict::Rest, "{report:?}");
    assert_eq!(report.unfinished, 0, "{report:?}");
    report
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..10 {
        let lived = || {
            let mut words = String::new();
            let report = world::run(&Plan::of(seed), None, Some(&mut words));
            (report, words)
        };
        let (first, second) = (lived(), lived());
        assert!(first.1.len() > 1_000, "there is something to compare");
        assert!(first == second, "seed {seed} differs between two runs");
    }
}

#[test]
fn the_same_seed_gossips_the_same_bytes() {
    for seed in 0..5 {
        let sizes = Sizes { nodes: Some(3), ..Sizes::default() };
        let plan = Case { sizes, gossip: true, ..Case::of(seed) }.plan();
        let mut words = String::new();
        let first = world::run(&plan, None, Some(&mut words));
        let mut again = String::new();
        assert_eq!(first, world::run(&plan, None, Some(&mut again)));
        assert!(words.contains(" gossip "), "seed {seed} does not gossip");
        assert!(words == again, "seed {seed} differs between two runs");
    }
}

#[test]
fn nodes_that_gossip_find_each_other() {
    for seed in 0..20 {
        let plan = Case { gossip: true, faults: Some(Faults::NONE), ..Case::of(seed) }.plan();
        live(&plan);
    }
}

#[test]
fn nodes_that_cannot_find_each_other_are_found_out() {
    let sizes = Sizes { nodes: Some(3), ..Sizes::default() };
    let faults = Some(Faults::NONE);
    let mut plan = Case { sizes, gossip: true, faults, ..Case::of(1) }.plan();
    // Who comes late is told whom to ask.
    plan.faults.clear();
    let presence = plan.presence.as_mut().expect("it was asked for");
    // Nobody knows whom to ask.
    presence.seeds = 0;
    assert_eq!(world::run(&plan, None, None).verdict, Verdict::Apart);
}

#[test]
fn the_table_does_not_change_what_happens() {
    let plan = Plan::of(3);
    let quiet = world::run(&plan, None, None);
    assert_eq!(quiet, world::run(&plan, None, Some(&mut String::new())));
}

#[test]
fn other_seeds_give_other_worlds() {
    let hash = |seed| world::run(&Plan::of(seed), None, None).hash;
    assert_ne!(hash(1), hash(2));
}

#[test]
fn plain_worlds_of_several_sizes_end() {
    for (nodes, homes, tasks) in
        [(1, 1, 1), (1, 1, 10_000), (3, 3, 100), (10, 1, 5_000), (40, 5, 4_000)]
    {
        let report = live(&Plan::plain(nodes, homes, tasks, "gravity"));
        assert_eq!(report.executed, u64::from(tasks));
    }
}

/// Judges a world in which everything that is asked for can be done.
struct Strict(Oracle);

impl Watch for Strict {
    fn see(&mut self, at: Moment, node: usize, seen: Seen<'_>) {
        if let Seen::Effect(Effect::Reply { reply: Reply::Refused(why), .. }) = &seen {
            // A retry may come when its job was forgotten or goes on, a hold when it is over, and a
            // job while every node has other labels by decree.
            let kept = ["there is no job", "is closed", "is no longer kept", "no node has zone"];
            let gone = [&kept[..], &["has finished", "has not finished"]].concat();
            let over = gone.iter().any(|words| why.to_string().contains(words));
            assert!(over, "everything that is drawn can be done, but it was refused: {why}");
        }
        if let Seen::Rest(engine) = &seen {
            assert!(engine.is_idle(), "nothing is held at rest");
        }
        self.0.see(at, node, seen);
    }
}

#[test]
fn worlds_without_faults_end() {
    for seed in 0..40 {
        let mut plan = Plan::asked(seed, Sizes::default(), Faults::NONE);
        // A home that has yet to meet who can run a task refuses it.
        plan.presence = None;
        let mut strict = Strict(Oracle::new(&plan));
        let report = world::run(&plan, Some(&mut strict), None);
        assert_eq!(report.verdict, Verdict::Rest, "{seed}: {report:?}");
        assert_eq!(report.unfinished, 0, "{seed}: {report:?}");
        assert_eq!(strict.0.finish(report.until).broken(), None, "{seed}");
    }
}

#[test]
fn each_fault_alone_ends() {
    for (name, _) in KINDS {
        let on = Faults::parse(name).expect("the kinds are names");
        for seed in 0..8 {
            let report = world::run(&Plan::asked(seed, Sizes::default(), on), None, None);
            assert_eq!(report.verdict, Verdict::Rest, "{name} {seed}: {report:?}");
            assert!(report.unfinished == 0, "{name} {seed}: {report:?}");
            assert!(report.orphans == 0 || *name == "rot", "{name} {seed}: {report:?}");
        }
    }
}

#[test]
fn tasks_that_arrive_stay_in_their_region_where_nodes_are_soon_free() {
    let plan = Plan::arrivals(3, 50, 4, 10_000, 0.8);
    let near = live(&plan);
    let far = live(&plan.across(2, Span::millis(50)));
    let waits = (near.wait_mean, far.wait_mean);
    assert!(far.wait_mean < Span::millis(5), "one way to the other region is 50 ms: {waits:?}");
}

#[test]
fn a_region_that_has_too_much_work_gets_nodes_of_another() {
    let mut plan = Plan::arrivals(3, 20, 2, 5_000, 0.7).across(2, Span::millis(20));
    plan.acquainted = true;
    for node in plan.nodes.iter_mut().step_by(2) {
        node.info.speed = 0.5;
    }
    for node in plan.nodes.iter_mut().skip(1).step_by(2) {
        node.info.speed = 1.5;
    }
    // Alone, the slow half could do 10/14 of what arrives there, and the queue would only grow.
    let report = live(&plan);
    let work = report.bound.as_secs_f64();
    assert!(report.wait_mean.as_secs_f64() < work.max(1.0) / 4.0, "{:?}", report.wait_mean);
}

#[test]
fn tasks_are_pushed_to_all_nodes_from_the_first_on() {
    for policy in ["least-loaded", "round-robin", "work-stealing"] {
        let report = live(&Plan::placement(1, 10, 1, 1_000, policy));
        assert!(report.balance > 90.0, "{policy}: {}", report.balance);
    }
}
