//! What this node knows of the others: who they are, how far, and what their homes have ready.

use bary_model::id::{Epoch, NodeId, ShardId};
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Moment, Span};

use crate::sorted::Sorted;

/// The other nodes, and this one at no distance.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) me: NodeId,
    pub(crate) peers: Sorted<NodeId, Peer>,
    /// Homes that have been heard of.
    pub(crate) homes: Sorted<ShardId, HomeView>,
    /// Counts what changed of all this, so that what follows from it need not be found anew.
    pub(crate) changes: u64,
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
        let own = Peer { info, round_trip: Span::ZERO, machine: Machine::default() };
        let mut peers = Sorted::default();
        peers.insert(me, own);
        Self { me, peers, homes: Sorted::default(), changes: 0 }
    }

    pub(crate) fn join(&mut self, peer: Peer) {
        self.changes += 1;
        self.peers.insert(peer.info.id, peer);
    }

    /// A node is as far away as was measured; tells whether it is known at all.
    pub(crate) fn set_distance(&mut self, node: NodeId, trip: Span) -> bool {
        let Some(peer) = self.peers.get_mut(&node) else { return false };
        peer.round_trip = trip;
        self.changes += 1;
        true
    }

    /// Forgets a node and the homes that were there.
    pub(crate) fn leave(&mut self, node: NodeId) {
        if node != self.me {
            self.changes += 1;
            self.peers.remove(&node);
            self.homes.retain(|_, home| home.node != node);
        }
    }

    /// A home speaks: tells whether it is the one that reigns, as far as this node has heard.
    pub(crate) fn hear(&mut self, shard: ShardId, node: NodeId, epoch: Epoch) -> bool {
        let known = self.homes.get(&shard).map(|home| home.epoch);
        if known < Some(epoch) {
            self.changes += 1;
            self.homes.insert(shard, HomeView::new(node, epoch));
        }
        known <= Some(epoch)
    }

    /// There is no home where one was heard.
    pub(crate) fn forget(&mut self, shard: ShardId) {
        self.changes += 1;
        self.homes.remove(&shard);
    }

    /// A home has said how much is ready, to all or in a grant.
    pub(crate) fn set_ready(&mut self, shard: ShardId, ready: u64, calls: bool, now: Moment) {
        if let Some(home) = self.homes.get_mut(&shard) {
            self.changes += 1;
            (home.ready, home.calls, home.heard) = (ready, calls, now);
        }
    }

    /// Checks that a home goes by what is known of machines.
    pub(crate) fn check_machines(&self, at_home: impl Fn(NodeId) -> Option<Machine>) {
        for (node, peer) in self.peers.iter() {
            let known = at_home(*node).is_none_or(|machine| machine == peer.machine);
            assert!(known, "a home knows the machine of {node} as its node does");
        }
    }

    pub(crate) fn info(&self, node: NodeId) -> Option<&NodeInfo> {
        self.peers.get(&node).map(|peer| &peer.info)
    }

    pub(crate) fn round_trip(&self, node: NodeId) -> Span {
        self.peers.get(&node).map_or(Span::ZERO, |peer| peer.round_trip)
    }
}
