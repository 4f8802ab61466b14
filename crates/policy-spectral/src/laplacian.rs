//! The Laplacian L = D - W of a graph, plain or normalised as D^-1/2 L D^-1/2, and the direct
//! solution of L x = b.

use faer::linalg::solvers::{Llt, SolveCore};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Par, Side};

use crate::graph::Graph;

/// Which Laplacian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// L = D - W.
    Plain,
    /// D^-1/2 L D^-1/2, whose eigenvalues lie between 0 and 2 whatever the weights.
    Normalised,
}

/// L x, without a matrix.
///
/// # Panics
/// Where `x` has not as many entries as the graph nodes.
#[must_use]
pub fn apply(graph: &Graph, x: &[f64]) -> Vec<f64> {
    assert_eq!(x.len(), graph.nodes(), "one entry for each node");
    let mut y = vec![0.0; x.len()];
    for edge in graph.edges() {
        let flow = edge.weight * (x[edge.a] - x[edge.b]);
        y[edge.a] += flow;
        y[edge.b] -= flow;
    }
    y
}

/// The Laplacian as a matrix. A node without edges has a row of zeros in either scale.
#[must_use]
pub(crate) fn matrix(graph: &Graph, scale: Scale) -> Mat<f64> {
    let nodes = graph.nodes();
    let mut matrix = Mat::zeros(nodes, nodes);
    let degrees: Vec<f64> = (0..nodes).map(|node| graph.degree(node)).collect();
    for (node, &degree) in degrees.iter().enumerate() {
        matrix[(node, node)] = match scale {
            Scale::Plain => degree,
            Scale::Normalised => f64::from(degree > 0.0),
        };
    }
    for edge in graph.edges() {
        let weight = match scale {
            Scale::Plain => edge.weight,
            // The roots apart, since the product of two degrees may be too large or too small.
            Scale::Normalised => edge.weight / degrees[edge.a].sqrt() / degrees[edge.b].sqrt(),
        };
        matrix[(edge.a, edge.b)] = -weight;
        matrix[(edge.b, edge.a)] = -weight;
    }
    matrix
}

/// The pseudo-inverse of the Laplacian of a connected graph, ready to be applied.
#[derive(Debug)]
pub(crate) struct Inverse {
    nodes: usize,
    factor: Llt<f64>,
    /// The mean weight that all were divided by, so that the constant vector weighs as the rest.
    unit: f64,
}

impl Inverse {
    /// Factors L + J/n, which equals L on vectors of sum 0; `None` for a graph of one node, and
    /// where weights are so far apart that the matrix is not positive in floating point.
    pub(crate) fn of(connected: &Graph) -> Option<Self> {
        let nodes = connected.nodes();
        if nodes < 2 {
            return None;
        }
        let unit = connected.edges().iter().map(|edge| edge.weight / nodes as f64).sum::<f64>();
        let mut whole = matrix(connected, Scale::Plain);
        let share = 1.0 / nodes as f64;
        for column in 0..nodes {
            for row in 0..nodes {
                whole[(row, column)] = whole[(row, column)] / unit + share;
            }
        }
        let factor = whole.llt(Side::Lower).ok()?;
        Some(Self { nodes, factor, unit })
    }

    /// L⁺ b; the sum of `b` does not count, and that of the result is 0.
    pub(crate) fn times(&self, b: &[f64]) -> Vec<f64> {
        let b = without_mean(b);
        let mut x = Mat::from_fn(self.nodes, 1, |row, _| b[row] / self.unit);
        self.factor.solve_in_place_with_conj(faer::Conj::No, x.as_mut());
        let x: Vec<f64> = (0..self.nodes).map(|row| x[(row, 0)]).collect();
        without_mean(&x)
    }

    /// The diagonal of L⁺.
    pub(crate) fn diagonal(&self) -> Vec<f64> {
        // Of (L L*)^-1 only the squares of the columns of L^-1 are needed.
        let mut inverse = Mat::<f64>::zeros(self.nodes, self.nodes);
        invert_lower_triangular(inverse.as_mut(), self.factor.L(), Par::Seq);
        let square = |node: usize| inverse.col(node).iter().map(|entry| entry * entry).sum::<f64>();
        let share = 1.0 / self.nodes as f64;
        (0..self.nodes).map(|node| (square(node) - share) / self.unit).collect()
    }
}

/// Entries less their mean.
pub(crate) fn without_mean(entries: &[f64]) -> Vec<f64> {
    let mean = entries.iter().sum::<f64>() / entries.len().max(1) as f64;
    entries.iter().map(|entry| entry - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;

    #[test]
    fn the_matrix_and_its_action_agree() {
        let graph = family::barbell(4);
        let x: Vec<f64> = (0..graph.nodes()).map(|node| (node * node) as f64).collect();
        let plain = matrix(&graph, Scale::Plain);
        let column = Mat::from_fn(x.len(), 1, |row, _| x[row]);
        let product = &plain * &column;
        let same = apply(&graph, &x).into_iter().enumerate();
        assert!(same.into_iter().all(|(row, entry)| (product[(row, 0)] - entry).abs() < 1e-9));
    }

    #[test]
    fn a_path_of_three_has_its_known_pseudo_inverse() {
        let inverse = Inverse::of(&family::path(3)).expect("a path is connected");
        let diagonal = inverse.diagonal();
        for (found, known) in diagonal.iter().zip([5.0 / 9.0, 2.0 / 9.0, 5.0 / 9.0]) {
            assert!((found - known).abs() < 1e-12, "{diagonal:?}");
        }
        let x = inverse.times(&[1.0, 0.0, -1.0]);
        assert!((x[0] - 1.0).abs() < 1e-12 && x[1].abs() < 1e-12, "{x:?}");
        assert!(Inverse::of(&family::path(1)).is_none());
    }
}
