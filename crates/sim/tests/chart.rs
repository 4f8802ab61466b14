//! Worlds whose policy looks at the graph of the cluster.

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::time::Moment;
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
