//! How long what a plan is made of takes.

use std::time::Instant;

use bary_policy::dice::Dice;
use bary_policy_spectral::closeness::current_flow;
use bary_policy_spectral::flow::Flow;
use bary_policy_spectral::graph::Graph;
use bary_policy_spectral::regions::regions;
use bary_policy_spectral::spectrum::Fiedler;

use crate::recovery::probed;

fn took(what: impl FnOnce()) -> f64 {
    let began = Instant::now();
    what();
    began.elapsed().as_secs_f64() * 1e3
}

fn parts(graph: &Graph) -> [f64; 4] {
    let b: Vec<f64> = (0..graph.nodes()).map(|node| (node % 17) as f64).collect();
    [
        took(|| drop(regions(graph, &mut Dice::new(1, "regions")))),
        took(|| drop(Fiedler::of(graph))),
        took(|| drop(current_flow(graph))),
        took(|| drop(Flow::laplacian(graph, &b))),
    ]
}

/// The table.
pub(crate) fn print() {
    println!("## Time of the parts of a plan, ms\n");
    println!("| nodes | regions | Fiedler | closeness | level flow |\n|---|---|---|---|---|");
    for nodes in [10, 100, 300, 1_000, 2_000] {
        let times = parts(&probed(5, nodes / 5, 8, 1)).map(|time| format!("{time:.1}"));
        println!("| {nodes} | {} |", times.join(" | "));
    }
    println!();
}

/// The whole plan of 1,000 nodes, in seconds.
pub(crate) fn figures() -> Vec<(&'static str, f64)> {
    let [regions, fiedler, closeness, _] = parts(&probed(5, 200, 8, 1));
    vec![("plan_1000", (regions + fiedler + closeness) / 1e3)]
}
