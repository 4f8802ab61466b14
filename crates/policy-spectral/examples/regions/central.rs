//! How far |Fiedler| and current-flow closeness rank nodes alike.

use bary_policy::dice::Dice;
use bary_policy_spectral::closeness::{current_flow, spearman};
use bary_policy_spectral::family;
use bary_policy_spectral::graph::Graph;
use bary_policy_spectral::spectrum::Fiedler;

use crate::recovery::probed;

fn graphs() -> Vec<(&'static str, Graph)> {
    let mut dice = Dice::new(1, "central");
    vec![
        ("path of 20", family::path(20)),
        ("barbell, 2 x 10", family::barbell(10)),
        ("two bridged stars, 2 x 10", bridged_stars(10)),
        ("star of 5 stars of 6", family::star_of_stars(5, 6)),
        ("karate club", family::karate()),
        ("mesh, 8 x 8", family::grid(8, 8)),
        ("4 cliques of 8 in a ring", family::clusters(4, 8, 1)),
        ("preferential, 100 nodes, 2 links", family::preferential(100, 2, &mut dice)),
        ("random 4-regular, 64 nodes", family::regular(64, 4, &mut dice)),
        ("cluster of 2 x 16, 8 probes", probed(2, 16, 8, 1)),
        ("cluster of 4 x 8, 8 probes", probed(4, 8, 8, 1)),
    ]
}

/// Two stars whose hubs are joined through one node between them.
fn bridged_stars(leaves: usize) -> Graph {
    let hubs = [0, leaves + 1];
    let rays = hubs.into_iter().flat_map(|hub| (1..=leaves).map(move |leaf| (hub, hub + leaf)));
    let bridge = 2 * (leaves + 1);
    let edges = rays.chain(hubs.map(|hub| (hub, bridge)));
    Graph::new(bridge + 1, edges.map(|(a, b)| (a, b, 1.0))).expect("these are edges")
}

/// The table.
pub(crate) fn print() {
    println!("## |Fiedler| against current-flow closeness (Spearman; -1 is the reverse order)\n");
    println!("| graph | Spearman | λ₂ | first by abs. Fiedler is this central, of all |");
    println!("|---|---|---|---|");
    for (name, graph) in graphs() {
        let fiedler = Fiedler::of(&graph).expect("it converges");
        let sizes: Vec<f64> = fiedler.entries.iter().map(|entry| entry.abs()).collect();
        let closeness = current_flow(&graph);
        let top = (0..sizes.len()).max_by(|a, b| sizes[*a].total_cmp(&sizes[*b])).unwrap_or(0);
        let place = 1 + closeness.iter().filter(|other| **other > closeness[top] + 1e-9).count();
        let agree = spearman(&sizes, &closeness);
        println!("| {name} | {agree:.2} | {:.4} | {place} of {} |", fiedler.lambda, sizes.len());
    }
    println!();
}
