//! Level flow: how much load goes over each edge so that all nodes stand even. With potentials
//! x = L⁺ b the flow w (x_u - x_v) is the shortest in Euclid's sense that there is (Hu, Blake and
//! Emerson, "An optimal migration algorithm for dynamic load balancing", 1998); it is computed on
//! numbers alone and tasks move once, as Diekmann, Frommer and Monien (1999) advise.

pub mod diffusion;
pub mod greedy;
pub mod optimum;
pub mod rebalance;
pub mod whole;

use crate::graph::Graph;
use crate::solve;

/// What goes over each edge of a graph, from its lower to its higher end; negative the other way.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// In the order of the graph's edges.
    pub over: Vec<f64>,
}

/// What a rule moved, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// What went over each edge, all rounds together; there and back cancel.
    pub flow: Flow,
    /// What went over all edges, all rounds together; there and back add up.
    pub moved: f64,
    /// How many rounds there were, or transfers.
    pub rounds: usize,
}

impl Flow {
    /// Nothing over any edge.
    #[must_use]
    pub fn none(graph: &Graph) -> Self {
        Self { over: vec![0.0; graph.edges().len()] }
    }

    /// The Laplacian flow for `excess`: by how much each node is above its share.
    ///
    /// # Panics
    /// Where there are not as many entries as nodes.
    #[must_use]
    pub fn laplacian(graph: &Graph, excess: &[f64]) -> Self {
        Self::of_potentials(graph, &solve::direct(graph, excess).potentials)
    }

    /// The flow down from higher potentials to lower ones.
    ///
    /// # Panics
    /// Where there are not as many potentials as nodes.
    #[must_use]
    pub fn of_potentials(graph: &Graph, x: &[f64]) -> Self {
        assert_eq!(x.len(), graph.nodes(), "one potential for each node");
        let down = graph.edges().iter().map(|edge| edge.weight * (x[edge.a] - x[edge.b]));
        Self { over: down.collect() }
    }

    /// All load times the hops that it goes.
    #[must_use]
    pub fn work(&self) -> f64 {
        self.over.iter().map(|over| over.abs()).sum()
    }

    /// What goes over the busiest edge.
    #[must_use]
    pub fn busiest(&self) -> f64 {
        self.over.iter().fold(0.0, |most, over| over.abs().max(most))
    }

    /// By how much each node gives away more than it gets.
    ///
    /// # Panics
    /// Where it is the flow of a graph with fewer edges.
    #[must_use]
    pub fn given(&self, graph: &Graph) -> Vec<f64> {
        let mut given = vec![0.0; graph.nodes()];
        for (edge, over) in graph.edges().iter().zip(&self.over) {
            given[edge.a] += over;
            given[edge.b] -= over;
        }
        given
    }
}

/// By how much each node of the given `powers` is above its share of all load.
///
/// # Panics
/// Where there are not as many powers as loads.
#[must_use]
pub fn excess(loads: &[f64], powers: &[f64]) -> Vec<f64> {
    assert_eq!(loads.len(), powers.len(), "one power for each load");
    let all: f64 = powers.iter().sum();
    let level = if all > 0.0 { loads.iter().sum::<f64>() / all } else { 0.0 };
    loads.iter().zip(powers).map(|(load, power)| load - power * level).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::family;
    use bary_policy::dice::Dice;

    /// Random loads of mean 100, less their mean.
    pub(crate) fn uneven(nodes: usize, seed: u64) -> Vec<f64> {
        let mut dice = Dice::new(seed, "loads");
        let loads: Vec<f64> = (0..nodes).map(|_| dice.below(200) as f64).collect();
        excess(&loads, &vec![1.0; nodes])
    }

    #[test]
    fn everybody_gives_what_is_too_much() {
        let graph = family::grid(4, 5);
        let b = uneven(20, 1);
        let given = Flow::laplacian(&graph, &b).given(&graph);
        assert!(given.iter().zip(&b).all(|(given, b)| (given - b).abs() < 1e-9));
    }

    #[test]
    fn a_hot_spot_of_a_torus_flows_evenly_to_all_four_sides() {
        let graph = family::torus(8, 8);
        let mut loads = vec![0.0; 64];
        loads[9] = 6_400.0;
        let flow = Flow::laplacian(&graph, &excess(&loads, &[1.0; 64]));
        assert!((flow.busiest() - 6_300.0 / 4.0).abs() < 1e-6, "{}", flow.busiest());
    }

    #[test]
    fn shares_go_by_power() {
        assert_eq!(excess(&[30.0, 0.0], &[1.0, 2.0]), [20.0, -20.0]);
        assert_eq!(excess(&[0.0, 0.0], &[0.0, 0.0]), [0.0, 0.0]);
    }
}
