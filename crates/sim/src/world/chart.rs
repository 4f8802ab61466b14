//! The graph of a cluster from what nodes of this world measured, and layouts of jobs, each found a
//! while after it was asked for.

use bary_engine::input::Input;
use bary_model::id::{JobNo, NodeId, ShardId};
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::layout::Question;
use bary_policy::topology::{Probe, Topology};
use bary_policy_spectral::place;
use bary_policy_spectral::plan::plan;

use crate::world::World;
use crate::world::due::Due;

/// How long it takes until the graph is found.
const TAKES: Span = Span::millis(100);

/// Nodes with what was measured of them, and the graph that was found of them if there was one.
pub(super) type Charted = ((Vec<NodeId>, Vec<Probe>), Option<Topology>);

impl World<'_> {
    /// Finds where nodes are, and tells the one that asked when that would be known.
    pub(super) fn chart(
        &mut self,
        node: usize,
        number: u64,
        nodes: &[(NodeId, Span)],
        probes: &[Probe],
    ) {
        let nodes: Vec<NodeId> = nodes.iter().map(|(node, _)| *node).collect();
        let asked = (nodes, probes.to_vec());
        // What was asked before is answered alike.
        let known = self.charted.as_ref().filter(|(of, _)| *of == asked);
        let topology = match known {
            Some((_, found)) => found.clone(),
            None => plan(&asked.0, probes, &mut Dice::new(self.plan.seed, "plan")).ok(),
        };
        self.charted = Some((asked, topology.clone()));
        let topology = topology.map(Box::new);
        let input = Box::new(Input::Planned { number, topology });
        let due = Due::Input { node: node as u32, life: self.nodes[node].life, input };
        self.queue.put(self.now + TAKES, due);
    }

    /// Finds how a job lies over regions, and tells the home that asked when that would be known.
    pub(super) fn lay(&mut self, node: usize, (shard, job): (ShardId, JobNo), question: &Question) {
        let choice = place::lay(question).map(Box::new);
        let input = Box::new(Input::Laid { shard, job, choice });
        let due = Due::Input { node: node as u32, life: self.nodes[node].life, input };
        self.queue.put(self.now + TAKES, due);
    }
}
