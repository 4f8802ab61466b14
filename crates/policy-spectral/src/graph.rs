//! A weighted undirected graph, checked when it is made: no weight is negative or not a number,
//! no edge leads out of it or back to where it began, and both ways weigh the same.

use std::collections::BTreeMap;

/// Most nodes of a graph: a matrix of them takes 128 MiB.
pub const NODES_MAX: usize = 4_096;
/// Most edges of a graph.
pub const EDGES_MAX: usize = 4_000_000;

/// Why there is no such graph. Nothing was made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// It has too many nodes.
    #[error("{nodes} nodes are more than {NODES_MAX}")]
    TooManyNodes {
        /// How many.
        nodes: usize,
    },
    /// It has too many edges.
    #[error("there are more than {EDGES_MAX} edges")]
    TooManyEdges,
    /// An edge ends outside.
    #[error("edge {a}-{b} leads out of the {nodes} nodes")]
    Outside {
        /// One end.
        a: usize,
        /// The other.
        b: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// An edge leads from a node to itself.
    #[error("node {node} has an edge to itself")]
    Loop {
        /// The node.
        node: usize,
    },
    /// A weight is not a number, not finite, or negative.
    #[error("edge {a}-{b} weighs {weight}; a weight is finite and not negative")]
    Weight {
        /// One end.
        a: usize,
        /// The other.
        b: usize,
        /// The weight.
        weight: f64,
    },
    /// A matrix is not symmetric.
    #[error("entry {a},{b} is {there} and entry {b},{a} is {back}; both ways weigh the same")]
    Uneven {
        /// The row.
        a: usize,
        /// The column.
        b: usize,
        /// The entry.
        there: f64,
        /// The one across the diagonal.
        back: f64,
    },
    /// A row of a matrix is too short or too long.
    #[error("row {row} has {entries} entries; the matrix has {rows} rows")]
    NotSquare {
        /// The row.
        row: usize,
        /// How many entries it has.
        entries: usize,
        /// How many rows there are.
        rows: usize,
    },
}

/// One edge; `a` is below `b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The lower end.
    pub a: usize,
    /// The higher end.
    pub b: usize,
    /// How strongly it joins them (conductance); above 0.
    pub weight: f64,
}

/// A weighted undirected graph of nodes from 0 to `nodes - 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    nodes: usize,
    /// In rising order, each pair once.
    edges: Vec<Edge>,
    /// Where each node's neighbours begin.
    begins: Vec<usize>,
    /// Neighbour, weight and number of the edge.
    near: Vec<Near>,
}

/// A neighbour as a node sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Which node.
    pub node: usize,
    /// How strongly it is joined.
    pub weight: f64,
    /// Which of [`Graph::edges`] joins them.
    pub edge: usize,
}

impl Graph {
    /// A graph of `nodes` nodes. Edges between the same two add up, and those of weight 0 are
    /// left out.
    ///
    /// # Errors
    /// Where an edge or a weight is none, or there are too many.
    pub fn new(
        nodes: usize,
        edges: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self, GraphError> {
        if nodes > NODES_MAX {
            return Err(GraphError::TooManyNodes { nodes });
        }
        let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for (a, b, weight) in edges {
            check(nodes, a, b, weight)?;
            let sum = sums.entry((a.min(b), a.max(b))).or_default();
            *sum += weight;
            if !sum.is_finite() {
                return Err(GraphError::Weight { a, b, weight: *sum });
            }
            if sums.len() > EDGES_MAX {
                return Err(GraphError::TooManyEdges);
            }
        }
        let edges = sums.into_iter().filter(|(_, weight)| *weight > 0.0);
        Ok(Self::of(nodes, edges.map(|((a, b), weight)| Edge { a, b, weight }).collect()))
    }

    /// The graph of a symmetric matrix of weights; its diagonal is 0.
    ///
    /// # Errors
    /// As [`Graph::new`], and where the matrix is not square or not symmetric.
    pub fn from_matrix(rows: &[Vec<f64>]) -> Result<Self, GraphError> {
        let short = |(_, row): &(usize, &Vec<f64>)| row.len() != rows.len();
        if let Some((row, entries)) = rows.iter().enumerate().find(short) {
            let (entries, rows) = (entries.len(), rows.len());
            return Err(GraphError::NotSquare { row, entries, rows });
        }
        let mut edges = Vec::new();
        for (a, row) in rows.iter().enumerate() {
            for (b, &there) in row.iter().enumerate().take(a + 1) {
                let back = rows[b][a];
                if there != 0.0 || back != 0.0 {
                    check(rows.len(), a, b, there)?;
                    check(rows.len(), a, b, back)?;
                }
                if there != back {
                    return Err(GraphError::Uneven { a, b, there, back });
                }
                edges.push((b, a, there));
            }
        }
        Self::new(rows.len(), edges.into_iter().filter(|(.., weight)| *weight != 0.0))
    }

    fn of(nodes: usize, edges: Vec<Edge>) -> Self {
        let mut begins = vec![0; nodes + 1];
        for edge in &edges {
            begins[edge.a + 1] += 1;
            begins[edge.b + 1] += 1;
        }
        for node in 0..nodes {
            begins[node + 1] += begins[node];
        }
        let mut next = begins.clone();
        let mut near = vec![Near { node: 0, weight: 0.0, edge: 0 }; 2 * edges.len()];
        for (at, edge) in edges.iter().enumerate() {
            for (from, to) in [(edge.a, edge.b), (edge.b, edge.a)] {
                near[next[from]] = Near { node: to, weight: edge.weight, edge: at };
                next[from] += 1;
            }
        }
        Self { nodes, edges, begins, near }
    }

    /// How many nodes it has.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Its edges, each pair once, in rising order.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The neighbours of a node.
    ///
    /// # Panics
    /// Where there is no such node.
    #[must_use]
    pub fn near(&self, node: usize) -> &[Near] {
        &self.near[self.begins[node]..self.begins[node + 1]]
    }

    /// The sum of the weights at a node.
    ///
    /// # Panics
    /// Where there is no such node.
    #[must_use]
    pub fn degree(&self, node: usize) -> f64 {
        self.near(node).iter().map(|near| near.weight).sum()
    }

    /// The parts that hang together, each in rising order; the part of node 0 first.
    #[must_use]
    pub fn components(&self) -> Vec<Vec<usize>> {
        let mut found = vec![false; self.nodes];
        let mut parts = Vec::new();
        for start in 0..self.nodes {
            if std::mem::replace(&mut found[start], true) {
                continue;
            }
            let mut part = vec![start];
            let mut at = 0;
            while let Some(&node) = part.get(at) {
                at += 1;
                for near in self.near(node) {
                    if !std::mem::replace(&mut found[near.node], true) {
                        part.push(near.node);
                    }
                }
            }
            part.sort_unstable();
            parts.push(part);
        }
        parts
    }

    /// The graph of some of its nodes, which are numbered anew in the order given.
    ///
    /// # Panics
    /// Where there is no such node.
    #[must_use]
    pub fn among(&self, nodes: &[usize]) -> Self {
        let mut place = vec![usize::MAX; self.nodes];
        for (at, &node) in nodes.iter().enumerate() {
            place[node] = at;
        }
        let inner = |edge: &&Edge| place[edge.a] != usize::MAX && place[edge.b] != usize::MAX;
        let placed = |edge: &Edge| {
            let (a, b) = (place[edge.a], place[edge.b]);
            Edge { a: a.min(b), b: a.max(b), weight: edge.weight }
        };
        let mut edges: Vec<Edge> = self.edges.iter().filter(inner).map(placed).collect();
        edges.sort_by_key(|edge| (edge.a, edge.b));
        Self::of(nodes.len(), edges)
    }

    /// Whether every node is joined to every other with the same weight, or all to one only: there
    /// a hop-blind rule does as well as any.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        let nodes = self.nodes;
        let even = self.edges.iter().all(|edge| edge.weight == self.edges[0].weight);
        let complete = even && self.edges.len() == nodes * nodes.saturating_sub(1) / 2;
        let hub = (0..nodes).any(|node| self.near(node).len() + 1 == nodes);
        complete || (hub && self.edges.len() + 1 == nodes)
    }
}

fn check(nodes: usize, a: usize, b: usize, weight: f64) -> Result<(), GraphError> {
    if a >= nodes || b >= nodes {
        Err(GraphError::Outside { a, b, nodes })
    } else if a == b {
        Err(GraphError::Loop { node: a })
    } else if !weight.is_finite() || weight < 0.0 {
        Err(GraphError::Weight { a, b, weight })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn what_is_no_graph_is_refused_by_name() {
        let told = |edge| Graph::new(3, [edge]).map_err(|error| error.to_string());
        assert!(told((0, 3, 1.0)).is_err_and(|text| text.contains("leads out")));
        assert!(told((1, 1, 1.0)).is_err_and(|text| text.contains("to itself")));
        for weight in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(told((0, 1, weight)).is_err_and(|text| text.contains("weighs")));
        }
        let huge = Graph::new(NODES_MAX + 1, []);
        assert_eq!(huge, Err(GraphError::TooManyNodes { nodes: NODES_MAX + 1 }));
        let sum = Graph::new(2, [(0, 1, f64::MAX), (1, 0, f64::MAX)]);
        assert!(sum.is_err(), "weights that add up to infinity are none");
    }

    #[test]
    fn a_matrix_has_to_be_square_symmetric_and_without_loops() {
        let uneven = Graph::from_matrix(&[vec![0.0, 1.0], vec![2.0, 0.0]]);
        assert_eq!(uneven, Err(GraphError::Uneven { a: 1, b: 0, there: 2.0, back: 1.0 }));
        let short = Graph::from_matrix(&[vec![0.0, 1.0], vec![1.0]]);
        assert_eq!(short, Err(GraphError::NotSquare { row: 1, entries: 1, rows: 2 }));
        assert!(Graph::from_matrix(&[vec![f64::NAN]]).is_err());
        assert_eq!(Graph::from_matrix(&[vec![1.0]]), Err(GraphError::Loop { node: 0 }));
        let good = Graph::from_matrix(&[vec![0.0, 2.0], vec![2.0, 0.0]]);
        assert_eq!(good, Graph::new(2, [(1, 0, 2.0)]));
    }

    #[test]
    fn parts_that_do_not_hang_together_are_told_apart() {
        let edges = [(0, 2, 1.0), (2, 4, 1.0), (1, 3, 1.0), (3, 5, 0.0)];
        let graph = Graph::new(6, edges).expect("these are edges");
        assert_eq!(graph.components(), [vec![0, 2, 4], vec![1, 3], vec![5]]);
        let part = graph.among(&[4, 2, 0]);
        assert_eq!(part.edges().len(), 2);
        assert!(part.near(1).iter().map(|near| near.node).eq([0, 2]));
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_graph_or_a_word(
            nodes in 0..40_usize,
            edges in vec((0..45_usize, 0..45_usize, any::<f64>()), 0..40),
        ) {
            if let Ok(graph) = Graph::new(nodes, edges) {
                prop_assert!(graph.edges().iter().all(|edge| edge.a < edge.b && edge.weight > 0.0));
                let ends: usize = (0..nodes).map(|node| graph.near(node).len()).sum();
                prop_assert_eq!(ends, 2 * graph.edges().len());
                let parts: usize = graph.components().iter().map(Vec::len).sum();
                prop_assert_eq!(parts, nodes);
            }
        }
    }
}
