//! The graph of a cluster as nodes of this world would measure it, found a while after it was asked
//! for.

use bary_engine::input::Input;
use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::topology::{Probe, Topology};
use bary_policy_spectral::plan::{PROBES, plan};

use crate::lot::Lot;
use crate::world::World;
use crate::world::due::Due;

/// How long it takes until the graph is found.
const TAKES: Span = Span::millis(100);
/// By how many hundredths a measured round trip may be longer than it is.
const NOISE: u64 = 20;

/// Nodes, and the graph that was found of them if there was one.
pub(super) type Charted = (Vec<NodeId>, Option<Topology>);

impl World<'_> {
    /// Finds where nodes are, and tells the one that asked when that would be known.
    pub(super) fn chart(&mut self, node: usize, number: u64, nodes: &[(NodeId, Span)]) {
        let nodes: Vec<NodeId> = nodes.iter().map(|(node, _)| *node).collect();
        // Homes that know the same nodes find the same.
        let known = self.charted.as_ref().filter(|(of, _)| *of == nodes);
        let topology = known.map_or_else(|| self.topology(&nodes), |(_, found)| found.clone());
        self.charted = Some((nodes, topology.clone()));
        let topology = topology.map(Box::new);
        let input = Box::new(Input::Planned { number, topology });
        let due = Due::Input { node: node as u32, life: self.nodes[node].life, input };
        self.queue.put(self.now + TAKES, due);
    }

    /// What nodes would find if each measured a few others, drawn by dice of their own.
    fn topology(&self, all: &[NodeId]) -> Option<Topology> {
        let mut lot = Lot::new(self.plan.seed, "probes");
        let mut probes = Vec::new();
        for &from in all {
            for _ in 0..PROBES {
                let to = lot.one_of(all);
                let (there, back) = (
                    self.network.latency(from.index(), to.index()),
                    self.network.latency(to.index(), from.index()),
                );
                let round_trip = Span((there + back).0 * (100 + lot.below(NOISE + 1)) / 100);
                probes.push(Probe { from, to, round_trip });
            }
        }
        plan(all, &probes, &mut Dice::new(self.plan.seed, "plan")).ok()
    }
}
