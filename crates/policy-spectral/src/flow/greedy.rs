//! The rule that sees no hops: the richest gives to the poorest as much as makes one of them even,
//! over a shortest way, until all are even.

use crate::flow::{Course, Flow};
use crate::graph::Graph;

/// What is less than this part of the largest excess is even.
const EVEN: f64 = 1e-9;

/// What greedy moves for `excess`; two transfers that meet on an edge do not know of each other, so
/// that both count as moved. Of equally rich or poor nodes the first counts, and a way goes by
/// the neighbours that stand first.
///
/// # Panics
/// Where there are not as many entries as nodes.
#[must_use]
pub fn course(graph: &Graph, excess: &[f64]) -> Course {
    assert_eq!(excess.len(), graph.nodes(), "one entry for each node");
    let mut course = Course { flow: Flow::none(graph), moved: 0.0, rounds: 0 };
    for part in graph.components() {
        let mut left: Vec<f64> = part.iter().map(|&node| excess[node]).collect();
        let mean = left.iter().sum::<f64>() / left.len() as f64;
        left.iter_mut().for_each(|left| *left -= mean);
        let even = EVEN * left.iter().fold(0.0, |most: f64, left| most.max(left.abs()));
        // Each move makes one of the two even.
        for _ in 0..part.len() {
            let (Some(rich), Some(poor)) = (largest(&left, 1.0), largest(&left, -1.0)) else {
                break;
            };
            let amount = left[rich].min(-left[poor]);
            if amount <= even {
                break;
            }
            left[rich] -= amount;
            left[poor] += amount;
            course.rounds += 1;
            carry(graph, (part[rich], part[poor]), amount, &mut course);
        }
    }
    course
}

fn largest(left: &[f64], sign: f64) -> Option<usize> {
    let best = |best: usize, at: usize| if sign * left[at] > sign * left[best] { at } else { best };
    (0..left.len()).reduce(best)
}

fn carry(graph: &Graph, (from, to): (usize, usize), amount: f64, course: &mut Course) {
    let next = ways_to(graph, to);
    let mut at = from;
    while let Some((node, edge)) = next[at] {
        let down = graph.edges()[edge].a == at;
        course.flow.over[edge] += if down { amount } else { -amount };
        course.moved += amount;
        at = node;
    }
}

/// For each node the next one on a shortest way to `to`, and the edge there; none at `to` itself
/// and where no way leads there.
fn ways_to(graph: &Graph, to: usize) -> Vec<Option<(usize, usize)>> {
    let mut next = vec![None; graph.nodes()];
    let mut found = vec![to];
    let mut at = 0;
    while let Some(&node) = found.get(at) {
        at += 1;
        for near in graph.near(node) {
            if near.node != to && next[near.node].is_none() {
                next[near.node] = Some((node, near.edge));
                found.push(near.node);
            }
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::flow::tests::uneven;

    #[test]
    fn everybody_gives_what_is_too_much() {
        for graph in [family::grid(4, 5), family::star(20), family::cycle(20)] {
            let b = uneven(20, 2);
            let given = course(&graph, &b).flow.given(&graph);
            assert!(given.iter().zip(&b).all(|(given, b)| (given - b).abs() < 1e-4));
        }
    }

    #[test]
    fn nothing_leaves_its_part() {
        let graph = Graph::new(4, [(0, 1, 1.0), (2, 3, 1.0)]).expect("these are edges");
        assert_eq!(course(&graph, &[6.0, 0.0, 0.0, 0.0]).flow.over, [3.0, 0.0]);
    }
}
