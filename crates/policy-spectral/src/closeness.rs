//! How central a node is: current-flow closeness, and how far two rankings agree.
//!
//! A unit of current that enters at i and leaves evenly everywhere meets the resistance L⁺_ii, so
//! that 1/L⁺_ii is large where all are near by many ways (Brandes and Fleischer, "Centrality
//! measures based on current flow", 2005, up to a constant that ranks nothing).

use crate::graph::Graph;
use crate::laplacian::Inverse;

/// The current-flow closeness of each node within its own part; 0 for a node that is alone, and
/// where weights are too far apart to tell.
#[must_use]
pub fn current_flow(graph: &Graph) -> Vec<f64> {
    let mut closeness = vec![0.0; graph.nodes()];
    for part in graph.components() {
        let Some(inverse) = Inverse::of(&graph.among(&part)) else { continue };
        for (node, resistance) in part.into_iter().zip(inverse.diagonal()) {
            if resistance > 0.0 {
                closeness[node] = 1.0 / resistance;
            }
        }
    }
    closeness
}

/// How far two rankings of the same things agree, from -1 to 1: Spearman's rank correlation, with
/// mean ranks for what is equal to within a billionth. 0 where one ranks nothing.
///
/// # Panics
/// Where they are not of the same length.
#[must_use]
pub fn spearman(one: &[f64], other: &[f64]) -> f64 {
    assert_eq!(one.len(), other.len(), "two rankings of the same things");
    let [one, other] = [ranks(one), ranks(other)];
    let mean = (one.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let spread = (product(&one, &one) * product(&other, &other)).sqrt();
    if spread > 0.0 { product(&one, &other) / spread } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let most = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * most;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let first = values[order[at]];
        let tied = order[at..].iter().take_while(|node| same(values[**node], first)).count();
        for &node in &order[at..at + tied] {
            ranks[node] = at as f64 + (tied as f64 - 1.0) / 2.0;
        }
        at += tied;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::spectrum::Fiedler;

    fn agreement(graph: &Graph) -> f64 {
        let fiedler = Fiedler::of(graph).expect("it converges");
        let sizes: Vec<f64> = fiedler.entries.iter().map(|entry| entry.abs()).collect();
        spearman(&sizes, &current_flow(graph))
    }

    #[test]
    fn the_hub_of_a_star_and_the_middle_of_a_path_are_closest() {
        let star = current_flow(&family::star(6));
        assert!(star[1..].iter().all(|leaf| *leaf < star[0]));
        let path = current_flow(&family::path(7));
        assert!(path.iter().enumerate().all(|(at, node)| at == 3 || *node < path[3]));
    }

    #[test]
    fn the_size_of_fiedlers_entries_ranks_the_periphery_first() {
        assert!((agreement(&family::path(21)) + 1.0).abs() < 1e-9);
        assert!(agreement(&family::karate()) < -0.5, "{}", agreement(&family::karate()));
        assert!(agreement(&family::barbell(8)) < -0.5);
    }

    #[test]
    fn a_node_that_is_alone_is_not_central() {
        let graph = Graph::new(3, [(0, 1, 2.0)]).expect("this is an edge");
        let closeness = current_flow(&graph);
        assert_eq!(closeness[2], 0.0);
        assert!(closeness[0] > 0.0);
    }

    #[test]
    fn rankings_agree_with_themselves_and_not_with_their_reverse() {
        let ranking = [3.0, 1.0, 2.0, 2.0];
        let reverse = ranking.map(|value| -value);
        assert!((spearman(&ranking, &ranking) - 1.0).abs() < 1e-12);
        assert!((spearman(&ranking, &reverse) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&ranking, &[1.0; 4]), 0.0);
    }
}
