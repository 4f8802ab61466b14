//! What the graph of a cluster tells of its nodes, and from what it is found. It is computed beside
//! an engine, which takes too long within; this is how question and answer are written down.

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::view::GraphScores;

/// How many others each node should measure: with fewer, regions are not found.
pub const PROBES: usize = 8;

/// How far two nodes are apart, as one of them measured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// One of them.
    pub from: NodeId,
    /// The other.
    pub to: NodeId,
    /// How long a message there and its answer take.
    pub round_trip: Span,
}

/// One node in the graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Which node.
    pub node: NodeId,
    /// Its region; regions are numbered from 0 by their first nodes.
    pub region: u32,
    /// Whether it is among the most central: one node in eight, rounded up.
    pub key: bool,
    /// Where it is in the graph.
    pub scores: GraphScores,
}

/// All nodes of a cluster in their graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    /// The nodes, by their ids.
    pub places: Vec<Place>,
    /// How many regions there are.
    pub regions: u32,
    /// How long a message from a region to another and its answer take: the median of what was
    /// measured, and the longest of all where nothing was; inside a region too.
    pub ways: Vec<Vec<Span>>,
    /// The algebraic connectivity: the second smallest eigenvalue of the Laplacian of 1/RTT in
    /// 1/ms; 0 where the graph falls apart.
    pub connectivity: f64,
}

impl Topology {
    /// A node's place, where it was there when this was found.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<&Place> {
        let at = self.places.binary_search_by_key(&node, |place| place.node).ok()?;
        self.places.get(at)
    }

    /// How long a message from a node to another and its answer take by their regions; none where
    /// one of them has no place.
    #[must_use]
    pub fn way(&self, from: NodeId, to: NodeId) -> Option<Span> {
        let (from, to) = (self.place(from)?.region, self.place(to)?.region);
        self.ways.get(from as usize)?.get(to as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_came_later_has_no_place() {
        let scores = GraphScores { closeness: 1.0, fiedler: 0.0 };
        let place = |node| Place { node: NodeId(node), region: 0, key: false, scores };
        let (places, ways) = (vec![place(1), place(4)], vec![vec![Span::ZERO]]);
        let topology = Topology { places, regions: 1, ways, connectivity: 0.5 };
        assert_eq!(topology.place(NodeId(4)), Some(&place(4)));
        assert_eq!(topology.place(NodeId(3)), None);
    }
}
