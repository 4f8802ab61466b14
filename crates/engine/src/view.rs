//! What this node knows of the others: who they are, how far, and what their homes have ready.

use std::collections::BTreeMap;

use bary_model::id::{Epoch, NodeId, ShardId};
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Moment, Span};

/// The other nodes, and this one at no distance.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) me: NodeId,
    pub(crate) peers: BTreeMap<NodeId, Peer>,
    /// Homes that have been heard of.
    pub(crate) homes: BTreeMap<ShardId, HomeView>,
}

/// A shard's home as it looks from here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HomeView {
    pub(crate) node: NodeId,
    pub(crate) epoch: Epoch,
    /// The weight that it last said was ready.
    pub(crate) ready: u64,
    /// Whether it has called for nodes since it last had work for this one.
    pub(crate) calls: bool,
    /// When it said so.
    pub(crate) heard: Moment,
}

impl HomeView {
    fn new(node: NodeId, epoch: Epoch) -> Self {
        Self { node, epoch, ready: 0, calls: false, heard: Moment(0) }
    }
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

    /// Forgets a node and the homes that were there.
    pub(crate) fn leave(&mut self, node: NodeId) {
        if node != self.me {
            self.peers.remove(&node);
            self.homes.retain(|_, home| home.node != node);
        }
    }

    /// A home speaks: tells whether it is the one that reigns, as far as this node has heard.
    pub(crate) fn hear(&mut self, shard: ShardId, node: NodeId, epoch: Epoch) -> bool {
        let home = self.homes.entry(shard).or_insert_with(|| HomeView::new(node, epoch));
        if epoch < home.epoch {
            return false;
        }
        if epoch > home.epoch {
            *home = HomeView::new(node, epoch);
        }
        true
    }

    /// A home has said how much is ready, to all or in a grant.
    pub(crate) fn set_ready(&mut self, shard: ShardId, ready: u64, calls: bool, now: Moment) {
        if let Some(home) = self.homes.get_mut(&shard) {
            (home.ready, home.calls, home.heard) = (ready, calls, now);
        }
    }

    pub(crate) fn info(&self, node: NodeId) -> Option<&NodeInfo> {
        self.peers.get(&node).map(|peer| &peer.info)
    }

    pub(crate) fn round_trip(&self, node: NodeId) -> Span {
        self.peers.get(&node).map_or(Span::ZERO, |peer| peer.round_trip)
    }
}
