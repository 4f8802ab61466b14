//! Bytes that tasks read take time where a plan says how fast they go, and policies that count
//! them move fewer.

use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::job::JobSpec;
use bary_model::task::{After, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_sim::plan::{JobPlan, Plan};
use bary_sim::report::{Report, Verdict};
use bary_sim::world;

/// Forty results of a megabyte and who reads each, on four nodes of two regions with ten
/// megabytes a second between them.
fn plan(policy: &str, output: u64) -> Plan {
    let mut plan = Plan::plain(4, 1, 1, policy);
    let way = |far: bool| if far { Span::millis(50) } else { Span::millis(1) };
    plan.network.latency = vec![vec![way(false), way(true)], vec![way(true), way(false)]];
    plan.network.jitter = false;
    for (number, node) in plan.nodes.iter_mut().enumerate() {
        node.region = u16::from(number >= 2);
    }
    let body = Arc::clone(&plan.jobs[0].spec.specs[0].body);
    let one = |output, after: Box<[After]>| {
        let made =
            TaskSpec { count: 40, array: true, output, after, ..TaskSpec::new(Arc::clone(&body)) };
        Arc::new(made)
    };
    let aligned = [After { spec: SpecNo(0), aligned: true }].into();
    let specs = vec![one(output, Box::default()), one(0, aligned)];
    plan.jobs = vec![JobPlan::new(Moment(0), 0, JobSpec::new("freight", specs))];
    plan.bandwidth = Some(vec![vec![1_000_000_000, 10_000_000], vec![10_000_000, 1_000_000_000]]);
    plan
}

fn live(plan: &Plan) -> Report {
    let report = world::run(plan, None, None);
    assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0), "{report:?}");
    report
}

#[test]
fn who_counts_bytes_moves_fewer() {
    let blind = live(&plan("order=fifo,queue=fcfs", 1_000_000));
    let counts = live(&plan("order=fifo,delay=5s", 1_000_000));
    assert!(blind.moved > 0 && blind.moved.is_multiple_of(1_000_000), "{blind:?}");
    assert!(counts.moved * 4 < blind.moved, "{} and {} bytes", counts.moved, blind.moved);
}

#[test]
fn without_sizes_a_bandwidth_changes_nothing() {
    let with = plan("gravity", 0);
    let without = Plan { bandwidth: None, ..with.clone() };
    assert_eq!(live(&with), live(&without));
}

#[test]
fn what_has_to_come_first_makes_a_run_longer() {
    let with = plan("order=fifo,queue=fcfs", 10_000_000);
    let without = Plan { bandwidth: None, ..with.clone() };
    assert!(live(&with).makespan > live(&without).makespan);
    assert_eq!(live(&without).moved, 0);
}
