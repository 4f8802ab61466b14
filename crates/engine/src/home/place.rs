//! Where the nodes of a home are in the graph of the cluster.

use bary_policy::topology::Topology;

use crate::home::Home;

impl Home {
    /// The graph was found, or found anew; a node that is not in it has no scores.
    pub(crate) fn on_placed(&mut self, topology: &Topology) {
        let nodes: Vec<_> = self.accounts.keys().copied().collect();
        for node in nodes {
            if let Some(account) = self.accounts.book(&node) {
                account.scores = topology.place(node).map(|place| place.scores);
            }
        }
    }

    /// Whether the policy looks at where nodes are.
    pub(crate) fn needs_graph(&self) -> bool {
        self.policy.force.needs_graph()
    }
}
