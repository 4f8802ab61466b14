//! Nodes that join and leave at a rule's word, and tasks that are made while there is room.

use std::sync::Arc;

use bary_model::time::{Moment, Span};
use bary_policy::adaptive::Adaptive;
use bary_policy::scale::bounds::Bounds;
use bary_policy::scale::wait::Wait;
use bary_sim::plan::Plan;
use bary_sim::plan::scaling::{AdaptivePlan, ScalePlan};
use bary_sim::report::{Report, Verdict};
use bary_sim::world;

/// A day of work for four nodes on average, for up to 20 of them.
fn day(seed: u64, scaled: bool) -> Report {
    let mut plan = Plan::elastic(seed, if scaled { 1 } else { 20 }, 20);
    plan.wave(6_000, 1, Span::secs(10));
    if scaled {
        let bounds = Bounds { most: 20, ..Bounds::default() };
        let rule = Arc::new(Wait::default());
        let (every, start_up) = (Span::secs(15), Span::secs(60));
        let window = Span::secs(600);
        plan.crew.scale = Some(ScalePlan { rule, bounds, every, window, start_up });
    }
    world::run(&plan, None, None)
}

#[test]
fn a_rule_does_all_the_work_with_fewer_nodes() {
    let (scaled, fixed) = (day(1, true), day(1, false));
    for report in [&scaled, &fixed] {
        assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0));
        assert_eq!(report.executed, report.tasks);
    }
    assert_eq!(fixed.node_time, fixed.makespan.times(20));
    assert!(scaled.scalings > 10, "{scaled:?}");
    assert!(scaled.node_time.0 * 2 < fixed.node_time.0, "{scaled:?} against {fixed:?}");
}

#[test]
fn the_same_seed_scales_alike() {
    assert_eq!(day(2, true), day(2, true));
}

#[test]
fn tasks_are_made_until_nodes_are_loaded_to_the_target() {
    let mut plan = Plan::elastic(1, 4, 4);
    let until = Moment(0) + Span::secs(100);
    let every = Span::secs(1);
    let rule = Adaptive::default();
    let (from, tasks_max, first_row) = (Moment(0), 10_000, 0);
    let capacity = 100_000;
    let adaptive = AdaptivePlan { rule, capacity, from, every, until, tasks_max, first_row };
    plan.crew.adaptive = Some(adaptive);
    plan.patience = Span::secs(600);
    let report = world::run(&plan, None, None);
    // At first up to 80 percent of 400, ten at a time; then as much as four nodes end, and what is
    // left at the end.
    let least = Span::secs(100) + Span::secs(320 / 4 - 10);
    assert!(report.makespan > least && report.makespan < Span::secs(100 + 110), "{report:?}");
    assert!(report.executed >= 32 + 30, "{report:?}");
    assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0));
}
