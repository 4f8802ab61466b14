//! Finds where nodes are in the graph of the cluster, on a thread beside the loop that asked.

use std::fmt;
use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::topology::{Probe, Topology};
use bary_policy_spectral::plan::{PROBES, plan};
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};

use crate::inbox::Control;
use crate::options::{ClusterOptions, Membership};

/// How long a message takes from one node to another, one way.
pub(crate) type Between = Arc<dyn Fn(NodeId, NodeId) -> Span + Send + Sync>;

/// How long messages between the nodes of one process are made to take.
pub(crate) fn ways(options: &ClusterOptions) -> impl Fn(NodeId, NodeId) -> Span + 'static {
    let (nodes, latency) = (options.nodes.clone(), options.latency.clone());
    let first = options.id(0);
    // A state may name nodes that only an earlier run had.
    let at = move |node: NodeId| usize::try_from(node.0.checked_sub(first.0)?).ok();
    move |from: NodeId, to: NodeId| {
        let of = |node| nodes.get(at(node)?);
        of(from).zip(of(to)).map_or(Span::ZERO, |(from, to)| latency.between(from, to))
    }
}

/// How long messages take between nodes of this process, and of other members of its cluster.
pub(crate) fn all_ways(options: &ClusterOptions) -> impl Fn(NodeId, NodeId) -> Span + 'static {
    let (near, peers) = (ways(options), options.peers.clone());
    move |from: NodeId, to: NodeId| match &peers {
        Some(Membership(peers)) if from.member() != to.member() => peers.between(from, to),
        _ => near(from, to),
    }
}

/// Answers the questions of one host.
pub(crate) struct Surveyor {
    between: Between,
    /// Weak, so that the host's door closes when all others have gone.
    door: WeakUnboundedSender<Control>,
}

impl fmt::Debug for Surveyor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surveyor").finish_non_exhaustive()
    }
}

impl Surveyor {
    /// One that answers through a host's door.
    pub(crate) fn new(between: Between, door: &UnboundedSender<Control>) -> Self {
        Self { between, door: door.downgrade() }
    }

    /// Has the graph of these nodes found. There is one question of a host at a time, so that one
    /// thread is enough.
    pub(crate) fn find(&self, number: u64, nodes: Vec<NodeId>) {
        let (between, door) = (Arc::clone(&self.between), self.door.clone());
        drop(tokio::task::spawn_blocking(move || {
            let topology = found(&nodes, &*between).map(Box::new);
            if let Some(door) = door.upgrade() {
                // A host that has ended asks no more.
                drop(door.send(Control::Planned { number, topology }));
            }
        }));
    }
}

/// What the nodes of one process measure of each other: what their messages are made to take.
fn found(nodes: &[NodeId], between: &dyn Fn(NodeId, NodeId) -> Span) -> Option<Topology> {
    let mut dice = Dice::new(nodes.len() as u64, "probes");
    let mut probes = Vec::new();
    for &from in nodes {
        for _ in 0..PROBES {
            let to = nodes[dice.below(nodes.len() as u64) as usize];
            let round_trip = between(from, to) + between(to, from);
            probes.push(Probe { from, to, round_trip });
        }
    }
    // Without a graph nodes have no scores, and policies say so.
    plan(nodes, &probes, &mut Dice::new(1, "plan")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    fn ways(from: NodeId, to: NodeId) -> Span {
        if from.0 / 8 == to.0 / 8 { Span::millis(1) } else { Span::millis(50) }
    }

    #[tokio::test]
    async fn an_answer_comes_through_the_hosts_door() {
        let (door, mut control) = unbounded_channel();
        let surveyor = Surveyor::new(Arc::new(ways), &door);
        surveyor.find(7, (0..16).map(NodeId).collect());
        let Some(Control::Planned { number, topology }) = control.recv().await else {
            panic!("nothing else is told")
        };
        let topology = topology.expect("sixteen nodes make a graph");
        assert_eq!((number, topology.regions, topology.places.len()), (7, 2, 16));
    }

    #[tokio::test]
    async fn it_does_not_keep_the_door_open() {
        let (door, mut control) = unbounded_channel();
        let surveyor = Surveyor::new(Arc::new(ways), &door);
        drop(door);
        surveyor.find(1, vec![NodeId(0), NodeId(1)]);
        assert!(control.recv().await.is_none());
    }
}
