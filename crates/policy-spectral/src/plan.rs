//! The whole of what a graph of a cluster tells: regions, central nodes and the Fiedler vector,
//! from round trips as nodes measured them.

use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::topology::{Place, Probe, Topology};
use bary_policy::view::GraphScores;

use crate::closeness;
use crate::graph::GraphError;
use crate::regions::{cluster, regions};
use crate::spectrum::{Fiedler, SpectrumError};

/// One node of so many is a key node.
const KEY: usize = 8;
/// Scores are multiples of one over this.
const GRID: f64 = 1e6;

/// Why there is no plan. Nothing was changed; other probes may give one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The probes make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Its eigenvalues did not converge.
    #[error(transparent)]
    Spectrum(#[from] SpectrumError),
}

/// Where each of `nodes` is; probes of others, and of a node by itself, do not count. The same
/// nodes, probes and dice give the same plan on every machine.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(nodes: &[NodeId], probes: &[Probe], dice: &mut Dice) -> Result<Topology, PlanError> {
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable();
    nodes.dedup();
    let place = |node: NodeId| nodes.binary_search(&node).ok();
    let known = probes.iter().filter(|probe| probe.from != probe.to);
    let known =
        known.filter_map(|probe| Some((place(probe.from)?, place(probe.to)?, probe.round_trip)));
    let graph = cluster(nodes.len(), &known.collect::<Vec<_>>())?;
    let regions = regions(&graph, dice)?;
    let fiedler = Fiedler::of(&graph)?;
    let closeness = relative(&closeness::current_flow(&graph));
    let keys = keys(&closeness);
    let scores = |at: usize| GraphScores {
        closeness: closeness[at],
        fiedler: (fiedler.entries[at] * GRID).round() / GRID,
    };
    let places = nodes.iter().enumerate().map(|(at, &node)| {
        let region = regions.of.get(at).copied().unwrap_or(0) as u32;
        Place { node, region, key: keys.contains(&at), scores: scores(at) }
    });
    let connectivity = (fiedler.lambda * GRID).round() / GRID;
    let places: Vec<Place> = places.collect();
    let ways = ways(&places, probes, regions.count);
    Ok(Topology { places, regions: regions.count as u32, ways, connectivity })
}

/// The median of what was measured between any two regions, and the longest of all measures where
/// that is nothing.
fn ways(places: &[Place], probes: &[Probe], regions: usize) -> Vec<Vec<Span>> {
    let region = |node: NodeId| {
        let at = places.binary_search_by_key(&node, |place| place.node).ok()?;
        places.get(at).map(|place| place.region as usize)
    };
    let mut measured = vec![Vec::new(); regions * regions];
    for probe in probes.iter().filter(|probe| probe.from != probe.to) {
        if let Some((from, to)) = region(probe.from).zip(region(probe.to)) {
            measured[from * regions + to].push(probe.round_trip);
            measured[to * regions + from].push(probe.round_trip);
        }
    }
    let longest = measured.iter().flatten().max().copied().unwrap_or_default();
    let median = |mut trips: Vec<Span>| {
        trips.sort_unstable();
        trips.get(trips.len() / 2).copied().unwrap_or(longest)
    };
    let medians: Vec<Span> = measured.into_iter().map(median).collect();
    medians.chunks(regions.max(1)).map(<[Span]>::to_vec).collect()
}

/// Parts of the greatest, rounded.
fn relative(closeness: &[f64]) -> Vec<f64> {
    let most = closeness.iter().copied().fold(0.0, f64::max);
    let part = |closeness: &f64| if most > 0.0 { closeness / most } else { 0.0 };
    closeness.iter().map(|closeness| (part(closeness) * GRID).round() / GRID).collect()
}

/// The most central, of equal ones the first.
fn keys(closeness: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..closeness.len()).collect();
    order.sort_by_key(|&at| (((1.0 - closeness[at]) * GRID) as u64, at));
    order.truncate(closeness.len().div_ceil(KEY));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn probe(from: u64, to: u64, ms: u64) -> Probe {
        Probe { from: NodeId(from), to: NodeId(to), round_trip: Span::millis(ms) }
    }

    fn planned(nodes: u64, probes: &[Probe]) -> Topology {
        let nodes: Vec<NodeId> = (0..nodes).map(NodeId).collect();
        plan(&nodes, probes, &mut Dice::new(1, "plan")).expect("it converges")
    }

    #[test]
    fn two_sites_are_two_regions_on_two_sides_of_the_cut() {
        let near = |a: u64, b: u64| a / 4 == b / 4;
        let pairs = (0..8).flat_map(|a| (a + 1..8).map(move |b| (a, b)));
        let probes: Vec<Probe> =
            pairs.map(|(a, b)| probe(a, b, if near(a, b) { 2 } else { 100 })).collect();
        let topology = planned(8, &probes);
        assert_eq!(topology.regions, 2);
        let side = |at: usize| topology.places[at].scores.fiedler > 0.0;
        assert!((0..8).all(|at| topology.places[at].region as usize == at / 4));
        assert!((0..8).all(|at| side(at) == side(at / 4 * 4)) && side(0) != side(7));
        assert!(topology.connectivity > 0.0);
        let (near, far) = (Span::millis(2), Span::millis(100));
        assert_eq!(topology.ways, [[near, far], [far, near]]);
        assert_eq!(topology.way(NodeId(0), NodeId(7)), Some(far));
    }

    #[test]
    fn the_hub_of_a_star_is_its_key_node() {
        let probes: Vec<Probe> = (0..7).filter(|at| *at != 5).map(|at| probe(5, at, 10)).collect();
        let topology = planned(7, &probes);
        let keys: Vec<u64> =
            topology.places.iter().filter(|place| place.key).map(|place| place.node.0).collect();
        assert_eq!(keys, [5]);
        assert_eq!(topology.places[5].scores.closeness, 1.0);
    }

    #[test]
    fn nodes_that_nobody_measured_are_alone() {
        let topology = planned(3, &[probe(0, 9, 1), probe(1, 1, 1)]);
        assert_eq!(topology.connectivity, 0.0);
        assert!(topology.places.iter().all(|place| place.scores.closeness == 0.0));
        assert_eq!(planned(0, &[]).places, []);
    }

    proptest! {
        #[test]
        fn the_order_of_probes_and_nodes_does_not_matter(
            probes in vec((0..9_u64, 0..9_u64, 1..200_u64), 0..30),
        ) {
            let probes: Vec<Probe> = probes.iter().map(|&(a, b, ms)| probe(a, b, ms)).collect();
            let back: Vec<Probe> = probes.iter().rev().copied().collect();
            let nodes: Vec<NodeId> = (0..9).rev().map(NodeId).collect();
            let there = planned(9, &probes);
            let again = plan(&nodes, &back, &mut Dice::new(1, "plan"));
            prop_assert_eq!(Ok(&there), again.as_ref());
            let closeness = there.places.iter().map(|place| place.scores.closeness);
            prop_assert!(closeness.into_iter().all(|closeness| (0.0..=1.0).contains(&closeness)));
        }
    }
}
