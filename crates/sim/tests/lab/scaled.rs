//! Nodes that come and go, tasks that are made, and parts of traces.

use crate::{measured, refused, scenario};

const WAVES: &str = "unit = \"10s\"\nhomes = 2\nprices = { node_hour = 2, wait_hour = 0.5 }\n\
    [[nodes]]\ncount = 12\n[[workload]]\ntasks = 1500\narrivals = \"wave\"\nevery = \"10s\"\n\
    period = \"2h\"\n";

#[test]
fn a_rule_costs_fewer_node_hours_than_all_nodes_and_more_waits_than_they() {
    let text = format!("{WAVES}[[scaling]]\nrule = \"fixed\"\n[[scaling]]\nrule = \"wait\"\n");
    let lives = scenario(&text).lives();
    let names: Vec<&str> = lives.iter().map(|life| life.name.as_str()).take(6).collect();
    assert_eq!(names[0], "gravity; 12 fixed");
    assert_eq!(lives[5].name, "gravity; wait, 120s");
    let of = |at: usize, measure| measured(&lives[at].scenario, "gravity", measure);
    assert!(of(5, "node_hours") < 0.8 * of(0, "node_hours"));
    assert!(of(5, "wait_mean_seconds") > of(0, "wait_mean_seconds"));
    assert!(of(5, "node_changes") >= 2.0 && of(0, "node_changes") < 1.0);
    let waited = of(5, "wait_mean_seconds") * 1500.0 / 3600.0;
    let cost = 2.0 * of(5, "node_hours") + 0.5 * waited;
    assert!((of(5, "cost") - cost).abs() < 1e-6, "{cost}");
    assert!(of(5, "tasks_left") < 1.0 && of(5, "tasks_done") > 1_499.0);
}

#[test]
fn a_load_that_stays_is_met_once_and_then_no_node_comes_or_goes() {
    let text = "unit = \"10s\"\n[[nodes]]\ncount = 20\n[[workload]]\ntasks = 5000\n\
                arrivals = \"even\"\nevery = \"5s\"\nweights = { law = \"constant\", value = 4 }\n";
    for rule in ["queue", "wait", "cost"] {
        let scenario = scenario(&format!("{text}[[scaling]]\nrule = \"{rule}\"\n"));
        let life = &scenario.lives()[0];
        let changes = measured(&life.scenario, "gravity", "node_changes");
        assert!(changes <= 8.0, "{rule}: {changes} changes in seven hours of the same load");
    }
}

#[test]
fn tasks_are_made_while_there_is_room_and_are_measured_like_others() {
    let text = "[[nodes]]\ncount = 4\n[[workload]]\narrivals = \"adaptive\"\ntasks = 900\n\
                adaptive = { capacity = 50, lasts = \"2s\" }\n";
    let made = scenario(text);
    let done = measured(&made, "gravity", "tasks_done");
    assert!((50.0..900.0).contains(&done), "{done} tasks were made");
    assert!(measured(&made, "gravity", "makespan_over_bound") < 1.5);
    let few = scenario(&text.replace("900", "30"));
    assert!((measured(&few, "gravity", "tasks_done") - 30.0).abs() < 0.5);
    let beside = scenario(&format!("{text}[[workload]]\ntasks = 10\n"));
    assert!(measured(&beside, "gravity", "tasks_done") > 10.0 + done / 2.0);
}

#[test]
fn a_part_of_a_trace_begins_where_it_is_cut_and_wide_tasks_are_split() {
    let text =
        |keys: &str| format!("[[nodes]]\ncount = 2\n[[workload]]\ntrace = \"t.swf\"\n{keys}");
    let took = |keys: &str| measured(&scenario(&text(keys)), "gravity", "makespan_seconds");
    assert!((10.0..10.1).contains(&took("from = \"1m\"")));
    assert!((30.0..30.1).contains(&took("until = \"1m\"")));
    assert!(refused(&text("from = \"1h\"")).contains("write another `from`"));
    let wide = scenario("[[workload]]\ntrace = \"wide.swf\"\nsplit = true");
    assert_eq!(wide.tasks(), 4);
    assert!(refused("[[workload]]\ntrace = \"wide.swf\"").contains("no node has"));
}
