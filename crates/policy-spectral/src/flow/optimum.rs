//! The least load times hops that makes all nodes even: minimum cost flow by successive shortest
//! ways (Busacker and Gowen, 1961), on whole numbers. Slow; for comparison.

use std::collections::VecDeque;

use crate::flow::Flow;
use crate::graph::Graph;

/// Parts of a unit of load that are told apart.
const PARTS: f64 = 1_000.0;

/// A flow of least load times hops for `excess`, within a thousandth of a unit for each node.
///
/// # Panics
/// Where there are not as many entries as nodes.
#[must_use]
pub fn flow(graph: &Graph, excess: &[f64]) -> Flow {
    assert_eq!(excess.len(), graph.nodes(), "one entry for each node");
    let mut over = vec![0_i64; graph.edges().len()];
    for part in graph.components() {
        let mut left = parts(excess, &part);
        while let Some(way) = cheapest(graph, &over, &left) {
            send(&way, &mut over, &mut left);
        }
    }
    Flow { over: over.into_iter().map(|over| over as f64 / PARTS).collect() }
}

/// What each node of a part has too much, as whole numbers of sum 0; others have nothing.
fn parts(excess: &[f64], part: &[usize]) -> Vec<i64> {
    let mean = part.iter().map(|&node| excess[node]).sum::<f64>() / part.len() as f64;
    let mut left = vec![0; excess.len()];
    for &node in part {
        left[node] = ((excess[node] - mean) * PARTS).round() as i64;
    }
    let sum: i64 = left.iter().sum();
    left[part[0]] -= sum;
    left
}

/// A way from one that has too much to one that has too little: the two and the edges between,
/// each with its direction.
struct Way {
    from: usize,
    to: usize,
    edges: Vec<(usize, i64)>,
}

/// A cheapest way: an edge costs 1, or -1 where it takes back what goes over it. By queue, as
/// taking back makes costs negative (Bellman and Ford).
fn cheapest(graph: &Graph, over: &[i64], left: &[i64]) -> Option<Way> {
    let nodes = graph.nodes();
    let mut cost = vec![i64::MAX; nodes];
    let mut before: Vec<Option<(usize, usize, i64)>> = vec![None; nodes];
    let mut waits = vec![false; nodes];
    let mut queue: VecDeque<usize> = (0..nodes).filter(|&node| left[node] > 0).collect();
    for &node in &queue {
        (cost[node], waits[node]) = (0, true);
    }
    while let Some(node) = queue.pop_front() {
        waits[node] = false;
        for near in graph.near(node) {
            let sign = if graph.edges()[near.edge].a == node { 1 } else { -1 };
            let step = if over[near.edge] * sign < 0 { -1 } else { 1 };
            if cost[node] + step < cost[near.node] {
                cost[near.node] = cost[node] + step;
                before[near.node] = Some((node, near.edge, sign));
                if !std::mem::replace(&mut waits[near.node], true) {
                    queue.push_back(near.node);
                }
            }
        }
    }
    let poor = (0..nodes).filter(|&node| left[node] < 0 && cost[node] < i64::MAX);
    let to = poor.min_by_key(|&node| (cost[node], node))?;
    let (mut from, mut edges) = (to, Vec::new());
    while let Some((node, edge, sign)) = before[from] {
        edges.push((edge, sign));
        from = node;
    }
    Some(Way { from, to, edges })
}

fn send(way: &Way, over: &mut [i64], left: &mut [i64]) {
    let mut amount = left[way.from].min(-left[way.to]);
    for &(edge, sign) in &way.edges {
        if over[edge] * sign < 0 {
            amount = amount.min(over[edge].abs());
        }
    }
    for &(edge, sign) in &way.edges {
        over[edge] += sign * amount;
    }
    left[way.from] -= amount;
    left[way.to] += amount;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::flow::greedy;
    use crate::flow::tests::uneven;

    #[test]
    fn on_a_path_there_is_only_one_flow() {
        let graph = family::path(12);
        let b = uneven(12, 3);
        let (least, level) = (flow(&graph, &b), Flow::laplacian(&graph, &b));
        let same = least.over.iter().zip(&level.over);
        assert!(same.into_iter().all(|(a, b)| (a - b).abs() < 0.1));
    }

    #[test]
    fn no_other_flow_costs_less_and_all_give_the_same() {
        let families = [family::grid(4, 6), family::hypercube(5), family::clusters(4, 5, 1)];
        for (seed, graph) in families.iter().enumerate() {
            let b = uneven(graph.nodes(), seed as u64);
            let least = flow(graph, &b);
            let given = least.given(graph);
            assert!(given.iter().zip(&b).all(|(given, b)| (given - b).abs() < 0.1));
            assert!(least.work() <= Flow::laplacian(graph, &b).work() + 0.1);
            assert!(least.work() <= greedy::course(graph, &b).moved + 0.1);
        }
    }

    #[test]
    fn on_a_complete_graph_each_unit_goes_one_hop() {
        let b = uneven(16, 4);
        let above: f64 = b.iter().filter(|b| **b > 0.0).sum();
        assert!((flow(&family::complete(16), &b).work() - above).abs() < 0.1);
    }
}
