//! Room between homes: greedily, along the level flow, or not at all, all work is done, and room
//! that flows lets tasks wait less.

use std::path::Path;

use bary_sim::hunt;
use bary_sim::hunt::case::Case;
use bary_sim::lab::load::load;
use bary_sim::lab::measures::MEASURES;
use bary_sim::lab::{compare, sample, scenario, trial};

/// The mean wait in seconds where four fifths of the tasks arrive at one of ten homes.
fn wait(flow: &str) -> f64 {
    let sample = sample::named("skew").expect("it is one of the samples");
    let text = sample.text.replace("tasks = 10_000", "tasks = 1_500");
    let mut none = |_: &str| Err(std::io::Error::other("no traces"));
    let scenario = scenario::read(&text, Path::new("x.toml"), &mut none).expect("it is one");
    let load = load(&scenario, 2);
    let lived = trial::run(&scenario, &load, &format!("gravity,flow={flow}"), 2);
    let at = compare::position("wait_mean_seconds").expect("it is a measure");
    (MEASURES[at].of)(&lived.expect("all of it is done").measures)
}

#[test]
fn where_room_flows_tasks_wait_less_than_where_it_does_not() {
    let [none, greedy, laplacian] = ["none", "greedy", "laplacian"].map(wait);
    assert!(greedy < none && laplacian < none, "{greedy} and {laplacian} of {none}");
}

/// All that must always hold holds whichever way room goes.
#[test]
fn drawn_worlds_with_faults_hold_whichever_way_room_goes() {
    for seed in 100..130 {
        for flow in ["none", "laplacian,flow_threshold=0.01"] {
            let policy = Some(format!("gravity,flow={flow}"));
            let finding = hunt::run(&Case { policy, ..Case::of(seed) }.plan()).finding;
            assert!(finding.is_none(), "seed {seed}, {flow}: {}", finding.expect("there is one"));
        }
    }
}
