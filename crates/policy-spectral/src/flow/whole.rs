//! A flow of whole tasks: what a flow of fractions is rounded to so that every node ends at its
//! own whole share, and in which order the tasks move.

use crate::flow::Flow;
use crate::graph::Graph;
use crate::solve;

/// Tasks that go over one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// From this node.
    pub from: usize,
    /// To this neighbour.
    pub to: usize,
    /// How many; above 0.
    pub tasks: u64,
}

/// The moves after which each node has its share of `tasks` by `powers`, as whole tasks. Done in
/// order, no node gives what it has not got; nothing leaves a part that hangs together.
///
/// # Panics
/// Where there are not as many tasks or powers as nodes.
#[must_use]
pub fn moves(graph: &Graph, tasks: &[u64], powers: &[f64]) -> Vec<Move> {
    assert_eq!(tasks.len(), graph.nodes(), "one number for each node");
    assert_eq!(powers.len(), graph.nodes(), "one power for each node");
    let shares = shares(graph, tasks, powers);
    let excess: Vec<i64> = tasks.iter().zip(&shares).map(|(&t, &s)| t as i64 - s as i64).collect();
    let exact: Vec<f64> = excess.iter().map(|excess| *excess as f64).collect();
    let potentials = solve::direct(graph, &exact).potentials;
    let flow = Flow::of_potentials(graph, &potentials);
    let mut over: Vec<i64> = flow.over.iter().map(|over| over.round() as i64).collect();
    mend(graph, &excess, &mut over);
    ordered(graph, tasks, over)
}

/// Each node's share of what its part has: rounded down, and what is left over one by one to those
/// that lost most by it.
fn shares(graph: &Graph, tasks: &[u64], powers: &[f64]) -> Vec<u64> {
    let mut shares = vec![0; tasks.len()];
    for part in graph.components() {
        let all: u64 = part.iter().map(|&node| tasks[node]).sum();
        let power: f64 = part.iter().map(|&node| powers[node].max(0.0)).sum();
        let mut left = all;
        let mut lost: Vec<(u64, usize)> = Vec::new();
        for &node in &part {
            let even = 1.0 / part.len() as f64;
            let part_of = if power > 0.0 { powers[node].max(0.0) / power } else { even };
            let exact = all as f64 * part_of;
            shares[node] = (exact.floor() as u64).min(left);
            left -= shares[node];
            lost.push(((exact.fract() * 1e6) as u64, node));
        }
        lost.sort_by_key(|&(lost, node)| (u64::MAX - lost, node));
        for (_, node) in lost.into_iter().cycle().take(left as usize) {
            shares[node] += 1;
        }
    }
    shares
}

/// Makes a rounded flow give exactly `excess`, by the edges of a tree, from its leaves up.
fn mend(graph: &Graph, excess: &[i64], over: &mut [i64]) {
    let mut lacks = excess.to_vec();
    for (edge, over) in graph.edges().iter().zip(over.iter()) {
        lacks[edge.a] -= over;
        lacks[edge.b] += over;
    }
    let mut above: Vec<Option<(usize, usize)>> = vec![None; graph.nodes()];
    let mut found = vec![false; graph.nodes()];
    let mut order = Vec::new();
    for root in 0..graph.nodes() {
        if std::mem::replace(&mut found[root], true) {
            continue;
        }
        let mut at = order.len();
        order.push(root);
        while let Some(&node) = order.get(at) {
            at += 1;
            for near in graph.near(node) {
                if !std::mem::replace(&mut found[near.node], true) {
                    above[near.node] = Some((node, near.edge));
                    order.push(near.node);
                }
            }
        }
    }
    for &node in order.iter().rev() {
        let Some((up, edge)) = above[node] else { continue };
        over[edge] += if graph.edges()[edge].a == node { lacks[node] } else { -lacks[node] };
        lacks[up] += std::mem::take(&mut lacks[node]);
    }
}

/// The moves in an order in which everybody has what it gives. What would go round in a circle of
/// which nobody has anything is left out, as it changes nothing.
fn ordered(graph: &Graph, tasks: &[u64], mut over: Vec<i64>) -> Vec<Move> {
    let mut have = tasks.to_vec();
    let mut moves: Vec<Move> = Vec::new();
    loop {
        let mut moved = false;
        for (edge, over) in graph.edges().iter().zip(&mut over) {
            let (from, to) = if *over > 0 { (edge.a, edge.b) } else { (edge.b, edge.a) };
            let amount = over.unsigned_abs().min(have[from]);
            if amount > 0 {
                moved = true;
                have[from] -= amount;
                have[to] += amount;
                *over -= over.signum() * amount as i64;
                moves.push(Move { from, to, tasks: amount });
            }
        }
        if !moved {
            return moves;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    fn after(tasks: &[u64], moves: &[Move]) -> Vec<u64> {
        let mut have = tasks.to_vec();
        for step in moves {
            have[step.from] =
                have[step.from].checked_sub(step.tasks).expect("it has what it gives");
            have[step.to] += step.tasks;
        }
        have
    }

    #[test]
    fn a_row_ends_even() {
        let tasks = [40, 0, 0, 0];
        let moves = moves(&family::path(4), &tasks, &[1.0; 4]);
        assert_eq!(after(&tasks, &moves), [10; 4]);
        assert_eq!(moves.iter().map(|step| step.tasks).sum::<u64>(), 30 + 20 + 10);
    }

    #[test]
    fn faster_nodes_end_with_more() {
        let tasks = [0, 0, 70];
        let moves = moves(&family::path(3), &tasks, &[1.0, 2.0, 4.0]);
        assert_eq!(after(&tasks, &moves), [10, 20, 40]);
    }

    proptest! {
        #[test]
        fn all_end_with_their_shares_and_no_task_is_lost(
            (edges, tasks) in (1..14_usize).prop_flat_map(|nodes| {
                (vec((0..nodes, 0..nodes, 0.1..10.0), 0..40), vec(0..1_000_u64, nodes))
            }),
        ) {
            let edges = edges.into_iter().filter(|(a, b, _)| a != b);
            let graph = Graph::new(tasks.len(), edges).expect("these are edges");
            let powers = vec![1.0; tasks.len()];
            let ends = after(&tasks, &moves(&graph, &tasks, &powers));
            for part in graph.components() {
                let mine = || part.iter().map(|&node| ends[node]);
                prop_assert_eq!(mine().sum::<u64>(), part.iter().map(|&n| tasks[n]).sum::<u64>());
                let (least, most) = (mine().min(), mine().max());
                prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1));
            }
        }
    }
}
