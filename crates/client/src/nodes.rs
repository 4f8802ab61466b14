//! Calls about the nodes that run tasks.

use bary_api::v1::{
    ChangeNodeRequest, ChangedReply, GraphReply, GraphRequest, ListNodesReply, ListNodesRequest,
    ScaleReply, ScaleRequest,
};

use crate::call::CallError;
use crate::client::Client;

impl Client {
    /// The nodes that run tasks: those that are named, or all.
    ///
    /// # Errors
    /// Where one that is named is not there.
    pub async fn list_nodes(&self, nodes: &[&str]) -> Result<ListNodesReply, CallError> {
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        self.answer(self.node().list_nodes(self.ask(ListNodesRequest { nodes })).await)
    }

    /// The graph of the cluster.
    ///
    /// # Errors
    /// Where it cannot be drawn.
    pub async fn graph(&self) -> Result<GraphReply, CallError> {
        self.answer(self.node().graph(self.ask(GraphRequest {})).await)
    }

    /// What the autoscaler is told, and its last decisions at all members, so many at most.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn scale(&self, decisions: u32) -> Result<ScaleReply, CallError> {
        self.answer(self.node().scale(self.ask(ScaleRequest { decisions })).await)
    }

    /// Drains a node, takes it up again, or sets labels. Needs an operator.
    ///
    /// # Errors
    /// Where it is not there or the change is none; nothing was changed.
    pub async fn change_node(&self, change: ChangeNodeRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().change_node(self.ask(change)).await)
    }
}
