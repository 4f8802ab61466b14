//! What this node knows of the others: who they are, how far, and what their homes have ready.

use std::collections::BTreeMap;

use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::Span;

/// The other nodes, and this one at no distance.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) me: NodeId,
    peers: BTreeMap<NodeId, Peer>,
    /// Homes that have been heard of, with the weight they last said was ready.
    pub(crate) homes: BTreeMap<NodeId, u64>,
}

impl View {
    pub(crate) fn new(info: NodeInfo) -> Self {
        let me = info.id;
        let own = Peer { info, round_trip: Span::ZERO };
        Self { me, peers: BTreeMap::from([(me, own)]), homes: BTreeMap::new() }
    }

    pub(crate) fn join(&mut self, peer: Peer) {
        self.peers.insert(peer.info.id, peer);
    }

    pub(crate) fn info(&self, node: NodeId) -> Option<&NodeInfo> {
        self.peers.get(&node).map(|peer| &peer.info)
    }

    pub(crate) fn round_trip(&self, node: NodeId) -> Span {
        self.peers.get(&node).map_or(Span::ZERO, |peer| peer.round_trip)
    }
}
