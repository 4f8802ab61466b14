//! Worlds whose policy looks at the graph of the cluster.

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::time::{Moment, Span};
use bary_policy::topology::Topology;
use bary_sim::plan::Plan;
use bary_sim::report::Verdict;
use bary_sim::watch::{Seen, Watch};
use bary_sim::world;

/// How often a graph was asked for and found, and the most regions that were found.
#[derive(Default)]
struct Charts {
    asked: usize,
    found: usize,
    regions: u32,
}

impl Watch for Charts {
    fn see(&mut self, _: Moment, _: usize, seen: Seen<'_>) {
        match seen {
            Seen::Effect(Effect::Plan { .. }) => self.asked += 1,
            Seen::Input(Input::Planned { topology: Some(topology), .. }) => {
                self.found += 1;
                self.regions = self.regions.max(topology.regions);
            }
            _ => {}
        }
    }
}

fn plan(policy: &str) -> Plan {
    Plan::placement(3, 8, 2, 400, policy)
}

#[test]
fn the_graph_is_found_where_a_policy_looks_at_it() {
    let mut charts = Charts::default();
    let report = world::run(&plan("gravity,force=central"), Some(&mut charts), None);
    assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0));
    assert!(charts.asked > 0 && charts.found > 0, "{} {}", charts.asked, charts.found);
    assert!(charts.regions > 0);
}

#[test]
fn it_is_not_asked_for_where_no_policy_does() {
    let mut charts = Charts::default();
    world::run(&plan("gravity"), Some(&mut charts), None);
    assert_eq!((charts.asked, charts.found), (0, 0));
}

#[test]
fn a_world_with_a_graph_is_the_same_twice() {
    let lived = || world::run(&plan("binding=push,force=fiedler,steal=none"), None, None);
    assert_eq!(lived(), lived());
}

/// The last graph that was found.
#[derive(Default)]
struct Last(Option<Topology>);

impl Watch for Last {
    fn see(&mut self, _: Moment, _: usize, seen: Seen<'_>) {
        if let Seen::Input(Input::Planned { topology: Some(topology), .. }) = seen {
            self.0 = Some((**topology).clone());
        }
    }
}

/// Two regions of eight nodes, 50 ms apart, whose nodes believe that all are a millisecond away.
fn misled(policy: &str) -> Plan {
    let mut plan = Plan { guess: Some(Span::millis(1)), ..Plan::placement(5, 16, 2, 400, policy) };
    let (near, far) = (Span::millis(1), Span::millis(50));
    plan.network.latency = vec![vec![near, far], vec![far, near]];
    for (number, node) in plan.nodes.iter_mut().enumerate() {
        node.region = u16::from(number >= 8);
    }
    plan
}

#[test]
fn regions_are_found_by_what_nodes_measure_whatever_they_believed() {
    for policy in ["gravity,distances=measured", "binding=push,force=central,steal=none"] {
        let mut last = Last::default();
        let report = world::run(&misled(policy), Some(&mut last), None);
        assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0));
        let topology = last.0.expect("it is found");
        let regions: Vec<u32> = topology.places.iter().map(|place| place.region).collect();
        assert_eq!(regions, (0..16).map(|node| node / 8).collect::<Vec<u32>>());
        let way = topology.ways[0][1];
        assert!((Span::millis(90)..Span::millis(150)).contains(&way), "{way}");
    }
}

#[test]
fn who_measures_lets_less_work_go_far_than_who_was_misled() {
    let told = world::run(&misled("gravity"), None, None);
    let measured = world::run(&misled("gravity,distances=measured"), None, None);
    let right = Plan { guess: None, ..misled("gravity") };
    let right = world::run(&right, None, None);
    assert_eq!([&told, &measured, &right].map(|report| report.unfinished), [0; 3]);
    assert!(measured.makespan <= told.makespan, "{} {}", measured.makespan, told.makespan);
}

#[test]
fn lost_messages_and_dead_nodes_keep_no_graph_from_being_found() {
    let mut plan = misled("gravity,distances=measured");
    plan.network.loss = 200_000;
    plan.calm = Moment(0) + Span::secs(60);
    let mut charts = Charts::default();
    let report = world::run(&plan, Some(&mut charts), None);
    assert_eq!((report.verdict, report.unfinished), (Verdict::Rest, 0));
    assert!(charts.found > 0);
}
