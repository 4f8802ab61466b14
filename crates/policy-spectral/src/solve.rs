//! L x = b: directly, by conjugate gradients, and by Chebyshev's iteration, which needs no global
//! sums. Each means L⁺ b: within a part that hangs together only differences of `b` from its mean
//! count, and x has mean 0.

use crate::graph::Graph;
use crate::laplacian::{Inverse, apply, without_mean};

/// Most rounds of an iteration; it stops there however far it is.
pub const ROUNDS_MAX: usize = 100_000;

/// Potentials, and what they took.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The potential of each node; its mean over each part is 0.
    pub potentials: Vec<f64>,
    /// How many times L was applied; 0 for a direct solution.
    pub rounds: usize,
}

/// The direct solution, through a Cholesky factor of each part.
///
/// # Panics
/// Where `b` has not as many entries as the graph nodes.
#[must_use]
pub fn direct(graph: &Graph, b: &[f64]) -> Solution {
    each_part(graph, b, |part, b| {
        let x = Inverse::of(part).map_or_else(|| vec![0.0; b.len()], |inverse| inverse.times(b));
        (x, 0)
    })
}

/// Conjugate gradients (Hestenes and Stiefel, 1952) until what is left of `b` is the `part`th part
/// of it in length. A round takes two sums over all nodes.
///
/// # Panics
/// Where `b` has not as many entries as the graph nodes.
#[must_use]
pub fn conjugate_gradient(graph: &Graph, b: &[f64], part: f64) -> Solution {
    each_part(graph, b, |graph, b| {
        let mut x = vec![0.0; b.len()];
        let mut left = b.to_vec();
        let mut way = left.clone();
        let mut square = dot(&left, &left);
        let goal = part * part * square;
        let mut rounds = 0;
        while square > goal && rounds < ROUNDS_MAX {
            rounds += 1;
            let along = apply(graph, &way);
            let bend = dot(&way, &along);
            // What L maps to nothing is rounding, as `b` has mean 0.
            if bend <= 0.0 {
                break;
            }
            let step = square / bend;
            add(&mut x, step, &way);
            add(&mut left, -step, &along);
            let next = dot(&left, &left);
            let turn = next / square;
            for (way, left) in way.iter_mut().zip(&left) {
                *way = left + turn * *way;
            }
            square = next;
        }
        (without_mean(&x), rounds)
    })
}

/// Chebyshev's iteration between bounds of the eigenvalues past 0 (Golub and Varga, 1961), until
/// what is left of `b` is the `part`th part of it in length. Bounds that are not bounds, or not
/// positive, may keep it from ending before [`ROUNDS_MAX`].
///
/// # Panics
/// Where `b` has not as many entries as the graph nodes.
#[must_use]
pub fn chebyshev(graph: &Graph, b: &[f64], bounds: (f64, f64), part: f64) -> Solution {
    let (middle, half) = ((bounds.1 + bounds.0) / 2.0, (bounds.1 - bounds.0) / 2.0);
    each_part(graph, b, |graph, b| {
        let mut x = vec![0.0; b.len()];
        let mut left = b.to_vec();
        let mut way = vec![0.0; b.len()];
        let goal = part * part * dot(&left, &left);
        let (mut rounds, mut alpha) = (0, 0.0);
        while dot(&left, &left) > goal && rounds < ROUNDS_MAX {
            let beta = match rounds {
                0 => 0.0,
                1 => (half * alpha) * (half * alpha) / 2.0,
                _ => (half * alpha / 2.0) * (half * alpha / 2.0),
            };
            alpha = if rounds == 0 { 1.0 / middle } else { 1.0 / (middle - beta / alpha) };
            rounds += 1;
            for (way, left) in way.iter_mut().zip(&left) {
                *way = left + beta * *way;
            }
            let along = apply(graph, &way);
            add(&mut x, alpha, &way);
            add(&mut left, -alpha, &along);
        }
        (without_mean(&x), rounds)
    })
}

/// Solves each part by itself; parts work at the same time, so that the longest counts.
fn each_part(
    graph: &Graph,
    b: &[f64],
    solve: impl Fn(&Graph, &[f64]) -> (Vec<f64>, usize),
) -> Solution {
    assert_eq!(b.len(), graph.nodes(), "one entry for each node");
    let mut solution = Solution { potentials: vec![0.0; b.len()], rounds: 0 };
    for part in graph.components() {
        let of_part: Vec<f64> = part.iter().map(|&node| b[node]).collect();
        let (x, rounds) = solve(&graph.among(&part), &without_mean(&of_part));
        solution.rounds = solution.rounds.max(rounds);
        for (node, x) in part.into_iter().zip(x) {
            solution.potentials[node] = x;
        }
    }
    solution
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// a += factor b
fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::laplacian::Scale;
    use crate::spectrum::Spectrum;
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, prop_assert, proptest};

    fn bounds(graph: &Graph) -> (f64, f64) {
        let found = Spectrum::of(graph, graph.nodes(), Scale::Plain).expect("it converges");
        (found.values[1], found.values[graph.nodes() - 1])
    }

    fn apart(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).fold(0.0, |most, (a, b)| f64::max(most, (a - b).abs()))
    }

    #[test]
    fn all_three_find_the_same_potentials() {
        let graph = family::grid(5, 6);
        let b: Vec<f64> = (0..30).map(|node| f64::from(node * node % 17)).collect();
        let known = direct(&graph, &b).potentials;
        assert!(apart(&apply(&graph, &known), &without_mean(&b)) < 1e-10);
        assert!(apart(&conjugate_gradient(&graph, &b, 1e-12).potentials, &known) < 1e-8);
        assert!(apart(&chebyshev(&graph, &b, bounds(&graph), 1e-12).potentials, &known) < 1e-8);
    }

    #[test]
    fn conjugate_gradients_take_as_many_rounds_as_there_are_eigenvalues() {
        let b: Vec<f64> = (0..64).map(|node| f64::from(node * node % 17)).collect();
        assert_eq!(conjugate_gradient(&family::complete(64), &b, 1e-9).rounds, 1);
        assert_eq!(conjugate_gradient(&family::star(64), &b, 1e-9).rounds, 2);
        assert!(conjugate_gradient(&family::hypercube(6), &b, 1e-9).rounds <= 6);
    }

    #[test]
    fn parts_are_solved_apart_and_who_is_alone_gets_nothing() {
        let graph = Graph::new(5, [(0, 2, 2.0), (1, 3, 1.0)]).expect("these are edges");
        let b = [4.0, 7.0, 0.0, 5.0, 9.0];
        for solution in [direct(&graph, &b), conjugate_gradient(&graph, &b, 1e-12)] {
            assert!(apart(&solution.potentials, &[0.5, 0.5, -0.5, -0.5, 0.0]) < 1e-9);
        }
    }

    #[test]
    fn bounds_that_are_none_end_at_the_limit() {
        let b = [1.0, 0.0, 0.0, -1.0];
        let solution = chebyshev(&family::path(4), &b, (0.0, 0.0), 1e-9);
        assert!(solution.rounds <= ROUNDS_MAX);
    }

    proptest! {
        #[test]
        fn what_is_solved_is_the_pseudo_inverse(
            (edges, b) in (2..15_usize).prop_flat_map(|nodes| {
                let edges = vec((0..nodes, 0..nodes, 0.1..10.0), 0..40);
                (edges, vec(-100.0..100.0, nodes), Just(()))
            }).prop_map(|(edges, b, ())| (edges, b)),
        ) {
            let edges = edges.into_iter().filter(|(a, b, _)| a != b);
            let graph = Graph::new(b.len(), edges).expect("these are edges");
            let solution = direct(&graph, &b);
            for part in graph.components() {
                let mean = part.iter().map(|&node| b[node]).sum::<f64>() / part.len() as f64;
                let current = apply(&graph, &solution.potentials);
                prop_assert!(part.iter().all(|&n| (current[n] - b[n] + mean).abs() < 1e-6));
            }
        }
    }
}
