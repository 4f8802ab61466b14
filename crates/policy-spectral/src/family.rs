//! Graphs that have names: those with known spectra, and those that rules are compared on.

use bary_policy::dice::Dice;

use crate::graph::Graph;

fn made(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
    let weighed = edges.into_iter().map(|(a, b)| (a, b, 1.0));
    // An empty graph instead of a panic, where somebody asks for more nodes than there can be.
    Graph::new(nodes, weighed).unwrap_or_else(|_| none())
}

fn none() -> Graph {
    match Graph::new(0, []) {
        Ok(graph) => graph,
        Err(error) => panic!("a graph of nothing has nothing wrong: {error}"),
    }
}

/// Nodes in a row.
#[must_use]
pub fn path(nodes: usize) -> Graph {
    made(nodes, (1..nodes).map(|node| (node - 1, node)))
}

/// Nodes in a ring; at least 3.
#[must_use]
pub fn cycle(nodes: usize) -> Graph {
    made(nodes, (0..nodes).map(|node| (node, (node + 1) % nodes)))
}

/// Everybody joined to everybody.
#[must_use]
pub fn complete(nodes: usize) -> Graph {
    made(nodes, pairs(0, nodes))
}

/// Everybody joined to node 0 only.
#[must_use]
pub fn star(nodes: usize) -> Graph {
    made(nodes, (1..nodes).map(|node| (0, node)))
}

/// Rows and columns, each node joined to those beside it.
#[must_use]
pub fn grid(rows: usize, columns: usize) -> Graph {
    let at = move |row: usize, column: usize| row * columns + column;
    let cells = (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)));
    let edges = cells.flat_map(move |(row, column)| {
        let down = (row + 1 < rows).then(|| (at(row, column), at(row + 1, column)));
        let right = (column + 1 < columns).then(|| (at(row, column), at(row, column + 1)));
        down.into_iter().chain(right)
    });
    made(rows * columns, edges)
}

/// A grid whose ends are joined, of at least 3 rows and 3 columns.
#[must_use]
pub fn torus(rows: usize, columns: usize) -> Graph {
    let cells = (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)));
    let edges = cells.flat_map(move |(row, column)| {
        let here = row * columns + column;
        let down = (row + 1) % rows * columns + column;
        [(here, down), (here, row * columns + (column + 1) % columns)]
    });
    made(rows * columns, edges)
}

/// A hypercube of 2^dimension nodes; at most 12 dimensions.
#[must_use]
pub fn hypercube(dimension: usize) -> Graph {
    let nodes = 1_usize << dimension.min(12);
    let edges =
        (0..nodes).flat_map(|node| (0..dimension).map(move |bit| (node, node ^ (1 << bit))));
    made(nodes, edges.filter(|(a, b)| a < b))
}

/// Two complete graphs joined by one edge.
#[must_use]
pub fn barbell(half: usize) -> Graph {
    let bridge = [(half.saturating_sub(1), half)];
    made(2 * half, pairs(0, half).chain(pairs(half, half)).chain(bridge))
}

/// Complete graphs of `size` nodes in a ring; see [`ring_of`].
#[must_use]
pub fn clusters(count: usize, size: usize, bridges: usize) -> Graph {
    ring_of(&vec![complete(size); count], bridges)
}

/// Graphs of equally many nodes in a ring (two of them side by side), each joined to the next by
/// `bridges` edges between nodes of their own.
#[must_use]
pub fn ring_of(graphs: &[Graph], bridges: usize) -> Graph {
    let (count, size) = (graphs.len(), graphs.first().map_or(0, Graph::nodes));
    let inner = graphs.iter().enumerate().flat_map(|(at, graph)| {
        graph.edges().iter().map(move |edge| (at * size + edge.a, at * size + edge.b))
    });
    let gaps = if count < 3 { count.saturating_sub(1) } else { count };
    let bridge = move |gap: usize, at: usize| {
        let next = (gap + 1) % count;
        (gap * size + at % size, next * size + (size - 1 - at % size))
    };
    let outer = (0..gaps).flat_map(move |gap| (0..bridges).map(move |at| bridge(gap, at)));
    made(count * size, inner.chain(outer))
}

/// Stars whose hubs are joined to node 0.
#[must_use]
pub fn star_of_stars(hubs: usize, leaves: usize) -> Graph {
    let hub = move |at: usize| 1 + at * (leaves + 1);
    let spokes = (0..hubs).map(move |at| (0, hub(at)));
    let rays =
        (0..hubs).flat_map(move |at| (1..=leaves).map(move |leaf| (hub(at), hub(at) + leaf)));
    made(1 + hubs * (leaves + 1), spokes.chain(rays))
}

/// A random graph in which each node has `degree` neighbours: pairs of free ends are drawn until
/// none is a loop or double (Steger and Wormald, "Generating random regular graphs quickly",
/// 1999). `nodes * degree` has to be even and `degree` below `nodes`.
#[must_use]
pub fn regular(nodes: usize, degree: usize, dice: &mut Dice) -> Graph {
    const ATTEMPTS: usize = 1_000;
    for _ in 0..ATTEMPTS {
        if let Some(edges) = paired(nodes, degree, dice) {
            return made(nodes, edges);
        }
    }
    none()
}

fn paired(nodes: usize, degree: usize, dice: &mut Dice) -> Option<Vec<(usize, usize)>> {
    let mut ends: Vec<usize> = (0..nodes).flat_map(|node| vec![node; degree]).collect();
    let mut edges: Vec<(usize, usize)> = Vec::new();
    while !ends.is_empty() {
        let mut tries = 0;
        loop {
            tries += 1;
            if tries > 100 {
                return None;
            }
            let [a, b] = [0, 1].map(|_| dice.below(ends.len() as u64) as usize);
            let edge = (ends[a].min(ends[b]), ends[a].max(ends[b]));
            if edge.0 != edge.1 && !edges.contains(&edge) {
                edges.push(edge);
                ends.swap_remove(a.max(b));
                ends.swap_remove(a.min(b));
                break;
            }
        }
    }
    Some(edges)
}

/// Each new node is joined to `links` of those before it, drawn by their number of neighbours
/// (Barabási and Albert, "Emergence of scaling in random networks", 1999).
#[must_use]
pub fn preferential(nodes: usize, links: usize, dice: &mut Dice) -> Graph {
    let mut edges: Vec<(usize, usize)> = pairs(0, links + 1).collect();
    let mut ends: Vec<usize> = edges.iter().flat_map(|&(a, b)| [a, b]).collect();
    for node in links + 1..nodes {
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < links {
            let to = ends[dice.below(ends.len() as u64) as usize];
            if !chosen.contains(&to) {
                chosen.push(to);
            }
        }
        edges.extend(chosen.iter().map(|&to| (to, node)));
        ends.extend(chosen.iter().flat_map(|&to| [to, node]));
    }
    made(nodes, edges)
}

/// The karate club of W. W. Zachary ("An information flow model for conflict and fission in small
/// groups", 1977): 34 members, 78 friendships.
#[must_use]
pub fn karate() -> Graph {
    made(34, KARATE.iter().flat_map(|&(from, to)| to.iter().map(move |&to| (from, to))))
}

/// Each member with those friends that have a higher number.
const KARATE: &[(usize, &[usize])] = &[
    (0, &[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31]),
    (1, &[2, 3, 7, 13, 17, 19, 21, 30]),
    (2, &[3, 7, 8, 9, 13, 27, 28, 32]),
    (3, &[7, 12, 13]),
    (4, &[6, 10]),
    (5, &[6, 10, 16]),
    (6, &[16]),
    (8, &[30, 32, 33]),
    (9, &[33]),
    (13, &[33]),
    (14, &[32, 33]),
    (15, &[32, 33]),
    (18, &[32, 33]),
    (19, &[33]),
    (20, &[32, 33]),
    (22, &[32, 33]),
    (23, &[25, 27, 29, 32, 33]),
    (24, &[25, 27, 31]),
    (25, &[31]),
    (26, &[29, 33]),
    (27, &[33]),
    (28, &[31, 33]),
    (29, &[32, 33]),
    (30, &[32, 33]),
    (31, &[32, 33]),
    (32, &[33]),
];

/// Every pair of `count` nodes from `first` on.
fn pairs(first: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
    let last = first + count;
    (first..last).flat_map(move |a| (a + 1..last).map(move |b| (a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_nodes_and_edges_that_its_name_says() {
        let mut dice = Dice::new(1, "family");
        let sizes = [
            (path(9), 9, 8),
            (cycle(9), 9, 9),
            (complete(7), 7, 21),
            (star(7), 7, 6),
            (grid(3, 5), 15, 22),
            (torus(8, 8), 64, 128),
            (hypercube(6), 64, 192),
            (barbell(5), 10, 21),
            (clusters(2, 32, 2), 64, 994),
            (clusters(4, 16, 1), 64, 484),
            (star_of_stars(4, 5), 25, 24),
            (regular(64, 4, &mut dice), 64, 128),
            (preferential(50, 2, &mut dice), 50, 97),
            (karate(), 34, 78),
        ];
        for (at, (graph, nodes, edges)) in sizes.into_iter().enumerate() {
            assert_eq!((graph.nodes(), graph.edges().len()), (nodes, edges), "graph {at}");
            assert_eq!(graph.components().len(), 1, "graph {at}");
        }
    }

    #[test]
    fn everybody_in_a_regular_graph_has_as_many_neighbours() {
        let graph = regular(64, 4, &mut Dice::new(3, "family"));
        assert!((0..64).all(|node| graph.near(node).len() == 4));
    }
}
