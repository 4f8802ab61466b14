//! Where the nodes of a home are in the graph of the cluster, and how far from it.

use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::topology::Topology;

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// The graph was found, or found anew; a node that is not in it has no scores.
    pub(crate) fn on_placed(
        &mut self,
        topology: &Arc<Topology>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        self.topology = Some(Arc::clone(topology));
        let nodes: Vec<_> = self.accounts.keys().copied().collect();
        for node in nodes {
            if let Some(account) = self.accounts.reshape(&node) {
                account.scores = topology.place(node).map(|place| place.scores);
            }
        }
        self.lay_out_early(out, timers);
    }

    /// A node is as far away as was measured.
    pub(crate) fn set_distance(&mut self, node: NodeId, trip: Span) {
        if let Some(account) = self.accounts.book(&node) {
            account.peer.round_trip = trip;
        }
    }

    /// Whether the policy looks at where nodes are.
    pub(crate) fn needs_graph(&self) -> bool {
        self.policy.needs_graph()
    }

    /// Whether anything is ready here.
    pub(crate) fn has_work(&mut self) -> bool {
        self.is_waiting()
    }
}
