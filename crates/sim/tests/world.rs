//! Worlds run to their ends: the same from one seed, with no fault and with each alone.

use bary_sim::plan::Plan;
use bary_sim::plan::faults::{Faults, KINDS};
use bary_sim::plan::swarm::Sizes;
use bary_sim::report::{Report, Verdict};
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

#[test]
fn worlds_without_faults_end() {
    for seed in 0..40 {
        live(&Plan::asked(seed, Sizes::default(), Faults::NONE));
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
