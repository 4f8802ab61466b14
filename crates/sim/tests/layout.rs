//! Whole jobs are laid out over regions where that pays, and a layout keeps no task waiting whose
//! region is gone.

use std::path::Path;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::time::{Moment, Span};
use bary_policy::layout::{Choice, Layout};
use bary_sim::hunt;
use bary_sim::hunt::case::Case;
use bary_sim::lab::load::load;
use bary_sim::lab::scenario;
use bary_sim::lab::trial;
use bary_sim::plan::{Fault, FaultKind, Keeping, Plan};
use bary_sim::report::{Report, Verdict};
use bary_sim::watch::{Seen, Watch};
use bary_sim::world;

/// The layouts that were found.
#[derive(Default)]
struct Layouts {
    asked: usize,
    found: Vec<Choice>,
}

impl Watch for Layouts {
    fn see(&mut self, _: Moment, _: usize, seen: Seen<'_>) {
        match seen {
            Seen::Effect(Effect::Lay { .. }) => self.asked += 1,
            Seen::Input(Input::Laid { choice: Some(choice), .. }) => {
                self.found.push((**choice).clone());
            }
            _ => {}
        }
    }
}

/// A graph on two regions of eight nodes with 25 MB/s and 50 ms between them.
fn plan(graph: &str, output: &str, policy: &str) -> Plan {
    let width = match graph {
        "map-reduce" => 64,
        "tree" => 256,
        _ => 16,
    };
    let text = format!(
        "[[nodes]]\ncount = 8\nregion = \"a\"\n[[nodes]]\ncount = 8\nregion = \"b\"\n\
         [network]\nbandwidth = \"1GB\"\nbandwidth_between = \"25MB\"\n\
         [[workload]]\ngraph = \"{graph}\"\nwidth = {width}\ndepth = 10\ntasks = 1\n\
         output = \"{output}\"\n"
    );
    let mut none = |_: &str| Err(std::io::Error::other("no traces"));
    let scenario = scenario::read(&text, Path::new("x.toml"), &mut none).expect("it is one");
    let load = load(&scenario, 3);
    let policy = format!("{policy},unit=10ms");
    trial::plan(&scenario, &load, &policy, 3)
}

fn lived(plan: &Plan) -> (Report, Layouts) {
    let mut layouts = Layouts::default();
    let report = world::run(plan, Some(&mut layouts), None);
    assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0), "{report:?}");
    (report, layouts)
}

#[test]
fn each_of_the_three_plans_is_chosen_where_it_pays_and_told_with_what_each_would_take() {
    let chosen = |graph, output| {
        let (_, layouts) = lived(&plan(graph, output, "topology"));
        assert_eq!(layouts.asked, 1);
        layouts.found.into_iter().next().expect("it is found").layout
    };
    assert_eq!(chosen("map-reduce", "100B"), Layout::Spread);
    assert_eq!(chosen("map-reduce", "10MB"), Layout::One(0));
    assert!(matches!(chosen("tree", "1MB"), Layout::Split(_)));
}

#[test]
fn a_layout_moves_fewer_bytes_and_ends_sooner_than_the_least_loaded_node() {
    for (graph, output) in [("stencil", "2MB"), ("chain", "5MB"), ("map-reduce", "1MB")] {
        let (least, _) = lived(&plan(graph, output, "least-loaded"));
        for policy in ["topology", "gravity,layout=three,delay=5s"] {
            let (laid, _) = lived(&plan(graph, output, policy));
            let (bytes, time) = (laid.crossed, laid.makespan);
            assert!(bytes < least.crossed, "{graph} {policy}: {bytes} of {}", least.crossed);
            assert!(time < least.makespan, "{graph} {policy}: {time} of {}", least.makespan);
        }
    }
}

#[test]
fn who_counts_the_way_of_inputs_moves_fewer_than_who_does_not() {
    let (least, _) = lived(&plan("stencil", "2MB", "least-loaded"));
    let (eft, layouts) = lived(&plan("stencil", "2MB", "eft"));
    assert!(eft.crossed < least.crossed, "{} of {}", eft.crossed, least.crossed);
    assert_eq!(layouts.asked, 0, "tasks alone are placed");
}

#[test]
fn jobs_without_bytes_and_policies_without_layouts_ask_for_none() {
    for (output, policy) in [("2MB", "gravity"), ("2MB", "locality")] {
        assert_eq!(lived(&plan("stencil", output, policy)).1.asked, 0);
    }
    let mut none = plan("stencil", "1B", "topology");
    give_outputs(&mut none, 0);
    assert_eq!(lived(&none).1.asked, 0);
}

#[test]
fn a_region_that_dies_keeps_no_task_waiting() {
    for policy in ["topology,layout=split", "topology,layout=one", "gravity,layout=split,delay=60s"]
    {
        let mut plan = plan("stencil", "1MB", policy);
        // The home is the first node: the other region dies in the middle of the job.
        let at = plan.jobs[0].at + Span::millis(400);
        plan.disk.keeping = Keeping::Model;
        plan.faults = (8..16).map(|node| Fault { at, kind: FaultKind::Death { node } }).collect();
        plan.calm = at + Span::millis(1);
        let (report, layouts) = lived(&plan);
        assert_eq!(layouts.found.len(), 1, "{policy}: it was laid out before");
        assert!(report.makespan > Span::millis(400));
    }
}

#[test]
fn a_home_that_begins_anew_has_what_is_left_laid_out_again() {
    let mut plan = plan("stencil", "1MB", "topology,layout=split");
    let at = plan.jobs[0].at + Span::millis(400);
    plan.disk.keeping = Keeping::Model;
    let crash = FaultKind::Crash { node: 0, after: 0, power: false, down: Span::millis(50) };
    plan.faults = vec![Fault { at, kind: crash }];
    plan.calm = at + Span::millis(51);
    let (report, layouts) = lived(&plan);
    assert!(report.makespan > Span::millis(450), "it was over too soon to be cut off");
    assert_eq!((layouts.asked, layouts.found.len()), (2, 2));
    assert_eq!(layouts.found[0].layout, layouts.found[1].layout);
}

/// Lets every task of a plan leave so many bytes.
fn give_outputs(plan: &mut Plan, bytes: u64) {
    for job in &mut plan.jobs {
        let specs = job.spec.specs.iter().map(|spec| {
            let mut spec = (**spec).clone();
            spec.output = bytes;
            Arc::new(spec)
        });
        job.spec.specs = specs.collect();
    }
}

/// All that must always hold holds with layouts too: resources, limits, fences, ends.
#[test]
fn drawn_worlds_with_faults_hold_with_layouts() {
    for seed in 0..30 {
        for policy in ["topology,unit=10ms", "gravity,layout=split"] {
            let mut plan = Case { policy: Some(policy.to_owned()), ..Case::of(seed) }.plan();
            give_outputs(&mut plan, 1_000_000 << (seed % 8));
            let finding = hunt::run(&plan).finding;
            assert!(
                finding.is_none(),
                "seed {seed} with {policy}: {}",
                finding.expect("there is one")
            );
        }
    }
}
