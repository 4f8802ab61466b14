//! What people see of the graph of the cluster.

use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::atlas::Atlas;
use crate::cluster::Cluster;
use crate::surveyor;

impl Cluster {
    /// The graph that was drawn last.
    pub(crate) fn atlas(&self) -> &Arc<Atlas> {
        &self.crew.atlas
    }

    /// How long a message from a node of this process to another and its answer are made to take,
    /// at least what a machine takes anyway.
    pub(crate) fn ways(&self) -> impl Fn(NodeId, NodeId) -> Span + 'static {
        let ways = surveyor::ways(&self.options);
        move |from, to| ways(from, to).times(2)
    }
}
