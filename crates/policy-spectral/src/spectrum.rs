//! The smallest eigenvalues of a graph's Laplacian and their eigenvectors, told in one way only.
//!
//! An eigenvector has no sign, and equal eigenvalues have no vectors of their own but a space:
//! which of them a library gives depends on the processor. So in each space a basis is chosen that
//! depends on the space alone, signs follow a rule, and entries are rounded.

use bary_policy::dice::Dice;
use faer::{Mat, Side};

use crate::graph::Graph;
use crate::lanczos;
use crate::laplacian::{Scale, apply, matrix};

/// Eigenvalues nearer than this part of the largest are one.
const SAME: f64 = 1e-7;
/// Entries are multiples of one over this.
const GRID: f64 = 67_108_864.0;

/// The eigenvalues did not converge: weights are too many powers of ten apart. Nothing is known;
/// the same graph fails again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the eigenvalues of the graph did not converge: its weights are too far apart")]
pub struct SpectrumError;

/// Eigenvalues in rising order, with their vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// The eigenvalues. There is one 0 for each part that hangs together.
    pub values: Vec<f64>,
    /// The unit eigenvector of each; zero outside its own part.
    pub vectors: Vec<Vec<f64>>,
}

impl Spectrum {
    /// The `count` smallest of a graph, or as many as it has nodes.
    ///
    /// The cost is that of a dense decomposition: about 0.2 s for 1,000 nodes.
    ///
    /// # Errors
    /// See [`SpectrumError`].
    pub fn of(graph: &Graph, count: usize, scale: Scale) -> Result<Self, SpectrumError> {
        let mut pairs: Vec<(f64, Vec<f64>)> = Vec::new();
        for part in graph.components() {
            let inner = graph.among(&part);
            for (value, vector) in connected(&inner, count, scale)? {
                let mut whole = vec![0.0; graph.nodes()];
                for (&node, entry) in part.iter().zip(vector) {
                    whole[node] = entry;
                }
                pairs.push((value, whole));
            }
        }
        // The sort is stable: of equal values that of the first part comes first.
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.truncate(count);
        let (values, vectors) = pairs.into_iter().unzip();
        Ok(Self { values, vectors })
    }
}

/// The eigenvector of the second smallest eigenvalue (M. Fiedler, "Algebraic connectivity of
/// graphs", 1973), of each part that hangs together by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Fiedler {
    /// The algebraic connectivity: 0 where the graph falls apart, or has fewer than two nodes.
    pub lambda: f64,
    /// A node's entry in the vector of its own part; 0 where it is alone.
    pub entries: Vec<f64>,
}

impl Fiedler {
    /// The vector of a graph.
    ///
    /// # Errors
    /// See [`SpectrumError`].
    pub fn of(graph: &Graph) -> Result<Self, SpectrumError> {
        let parts = graph.components();
        let whole = parts.len() == 1;
        let mut fiedler = Self { lambda: 0.0, entries: vec![0.0; graph.nodes()] };
        for part in parts.iter().filter(|part| part.len() > 1) {
            let mut pairs = connected(&graph.among(part), 2, Scale::Plain)?;
            let Some((value, vector)) = pairs.pop() else { continue };
            for (&node, entry) in part.iter().zip(vector) {
                fiedler.entries[node] = entry;
            }
            if whole {
                fiedler.lambda = value;
            }
        }
        Ok(fiedler)
    }
}

type Pair = (f64, Vec<f64>);

/// The smallest of a connected graph; the first is 0 with the vector that is known.
fn connected(graph: &Graph, count: usize, scale: Scale) -> Result<Vec<Pair>, SpectrumError> {
    let nodes = graph.nodes();
    if nodes == 0 || count == 0 {
        return Ok(Vec::new());
    }
    let mut pairs = vec![(0.0, still(graph, scale))];
    if nodes == 1 || count == 1 {
        return Ok(pairs);
    }
    if let Some(found) = few(graph, count - 1, scale) {
        pairs.extend(found);
        return Ok(pairs);
    }
    // Weights in units of the largest, so that neither too small nor too large ones spoil it.
    let unit = match scale {
        Scale::Plain => heaviest(graph),
        Scale::Normalised => 1.0,
    };
    let mut whole = matrix(graph, scale);
    if scale == Scale::Plain {
        for column in 0..nodes {
            whole.col_mut(column).iter_mut().for_each(|entry| *entry /= unit);
        }
    }
    let found = whole.self_adjoint_eigen(Side::Lower).map_err(|_| SpectrumError)?;
    let values: Vec<f64> = found.S().column_vector().iter().copied().collect();
    if !values.iter().all(|value| value.is_finite()) {
        return Err(SpectrumError);
    }
    let near = SAME * values[nodes - 1];
    let mut at = 1;
    while at < nodes.min(count) {
        let same = values[at..].iter().take_while(|value| **value - values[at] <= near).count();
        let wanted = same.min(count - at);
        let basis = canonical(found.U(), at, same, wanted);
        let value = (values[at].max(0.0) * GRID).round() / GRID * unit;
        pairs.extend(basis.into_iter().map(|vector| (value, vector)));
        at += same;
    }
    Ok(pairs)
}

/// From so many nodes on, a few pairs are found without decomposing the whole matrix.
const FEW_OF: usize = 256;

/// The `count` smallest beyond 0 of a large graph; none where that is not certain, or not worth it.
fn few(graph: &Graph, count: usize, scale: Scale) -> Option<Vec<Pair>> {
    let nodes = graph.nodes();
    if nodes < FEW_OF || count * 8 > nodes {
        return None;
    }
    let degrees: Vec<f64> = (0..nodes).map(|node| graph.degree(node)).collect();
    let most = degrees.iter().fold(0.0_f64, |most, degree| most.max(*degree));
    let most = if scale == Scale::Plain { 2.0 * most } else { 2.0 };
    let roots: Vec<f64> = degrees.iter().map(|degree| degree.sqrt()).collect();
    let image = |x: &[f64]| match scale {
        Scale::Plain => apply(graph, x),
        Scale::Normalised => {
            let inner: Vec<f64> = x.iter().zip(&roots).map(|(x, root)| x / root).collect();
            apply(graph, &inner).into_iter().zip(&roots).map(|(y, root)| y / root).collect()
        }
    };
    // Not rounded as what is told: what is left of it would count as one more vector.
    let mut still = if scale == Scale::Plain { vec![1.0; nodes] } else { roots.clone() };
    normalise(&mut still);
    let found = lanczos::smallest(image, &still, count, (most, SAME * most))?;
    let unit = if scale == Scale::Plain { heaviest(graph) } else { 1.0 };
    let told = |(value, mut vector): Pair| {
        normalise(&mut vector);
        turn(&mut vector);
        vector.iter_mut().for_each(rounded);
        ((value.max(0.0) / unit * GRID).round() / GRID * unit, vector)
    };
    Some(found.into_iter().map(told).collect())
}

fn heaviest(graph: &Graph) -> f64 {
    graph.edges().iter().map(|edge| edge.weight).fold(0.0, f64::max)
}

/// The vector of eigenvalue 0: all alike, or as the roots of degrees.
fn still(graph: &Graph, scale: Scale) -> Vec<f64> {
    let mut entries = vec![1.0; graph.nodes()];
    if scale == Scale::Normalised && graph.nodes() > 1 {
        for (node, entry) in entries.iter_mut().enumerate() {
            *entry = graph.degree(node).sqrt();
        }
    }
    normalise(&mut entries);
    entries.iter_mut().for_each(rounded);
    entries
}

/// The first `wanted` vectors of a basis of the space of columns `first..first + same`, which
/// depends on the space alone: what is left of drawn vectors in it, made orthogonal.
fn canonical(
    columns: faer::MatRef<'_, f64>,
    first: usize,
    same: usize,
    wanted: usize,
) -> Vec<Vec<f64>> {
    let nodes = columns.nrows();
    let space = columns.subcols(first, same);
    let mut dice = Dice::new(1, "eigenspace");
    let mut basis: Vec<Vec<f64>> = Vec::new();
    while basis.len() < wanted {
        let mut vector: Vec<f64> = if same == 1 {
            (0..nodes).map(|row| space[(row, 0)]).collect()
        } else {
            let drawn = Mat::from_fn(nodes, 1, |_, _| dice.unit() - 0.5);
            let left = space * (space.transpose() * &drawn);
            (0..nodes).map(|row| left[(row, 0)]).collect()
        };
        for before in &basis {
            let along: f64 = before.iter().zip(&vector).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(before).for_each(|(entry, b)| *entry -= along * b);
        }
        normalise(&mut vector);
        turn(&mut vector);
        basis.push(vector);
    }
    basis.iter_mut().flatten().for_each(rounded);
    basis
}

fn normalise(vector: &mut [f64]) {
    let length = vector.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|entry| *entry /= length);
}

/// Gives a vector its sign: the first of its large entries is positive.
fn turn(vector: &mut [f64]) {
    // No simple fraction, as entries of graphs that people draw are simple fractions of others.
    const LARGE: f64 = 0.7317;
    let most = vector.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    if vector.iter().find(|entry| entry.abs() >= LARGE * most).is_some_and(|entry| *entry < 0.0) {
        vector.iter_mut().for_each(|entry| *entry = -*entry);
    }
}

fn rounded(entry: &mut f64) {
    // Zero is added so that there is no negative zero.
    *entry = (*entry * GRID).round() / GRID + 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::laplacian::apply;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};
    use std::f64::consts::PI;

    fn plain(graph: &Graph) -> Spectrum {
        Spectrum::of(graph, graph.nodes(), Scale::Plain).expect("a small graph converges")
    }

    fn assert_values(graph: &Graph, mut known: Vec<f64>) {
        known.sort_by(f64::total_cmp);
        let found = plain(graph).values;
        for (found, known) in found.iter().zip(&known) {
            assert!((found - known).abs() < 1e-6, "{found} is {known}");
        }
    }

    #[test]
    fn paths_cycles_and_grids_have_their_closed_forms() {
        let cosine = |at: usize, of: f64| 2.0 - 2.0 * (PI * at as f64 / of).cos();
        assert_values(&family::path(9), (0..9).map(|at| cosine(at, 9.0)).collect());
        assert_values(&family::cycle(8), (0..8).map(|at| cosine(2 * at, 8.0)).collect());
        let cells = (0..15).map(|at| cosine(at / 5, 3.0) + cosine(at % 5, 5.0));
        assert_values(&family::grid(3, 5), cells.collect());
    }

    #[test]
    fn complete_graphs_stars_and_hypercubes_have_theirs() {
        let mut complete = vec![7.0; 7];
        complete[0] = 0.0;
        assert_values(&family::complete(7), complete);
        let mut star = vec![1.0; 7];
        (star[0], star[6]) = (0.0, 7.0);
        assert_values(&family::star(7), star);
        let bits = (0..16_u32).map(|node| 2.0 * f64::from(node.count_ones()));
        assert_values(&family::hypercube(4), bits.collect());
    }

    #[test]
    fn a_path_has_large_entries_at_its_ends_and_none_in_the_middle() {
        let fiedler = Fiedler::of(&family::path(9)).expect("a path converges");
        assert!((fiedler.entries[0] - 0.464).abs() < 0.001, "{fiedler:?}");
        assert!(fiedler.entries[4].abs() < 1e-6 && fiedler.entries[8] < -0.46);
        assert!((fiedler.lambda - (2.0 - 2.0 * (PI / 9.0).cos())).abs() < 1e-6);
    }

    #[test]
    fn parts_have_vectors_of_their_own() {
        let edges = [(0, 2, 1.0), (1, 3, 5.0), (3, 4, 5.0)];
        let graph = Graph::new(6, edges).expect("these are edges");
        let spectrum = plain(&graph);
        assert!(spectrum.values.iter().take(3).all(|value| *value == 0.0));
        assert!(spectrum.values[3] > 1.0);
        let fiedler = Fiedler::of(&graph).expect("it converges");
        assert_eq!((fiedler.lambda, fiedler.entries[5]), (0.0, 0.0));
        assert!((fiedler.entries[0].abs() - 0.5_f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_space_has_one_basis_however_its_nodes_are_weighed_alike() {
        // A complete graph has but one eigenvalue past 0: any basis would do for a library.
        let whole = plain(&family::complete(12));
        let doubled = Graph::new(12, (0..12).flat_map(|a| (0..a).map(move |b| (a, b, 2.0))));
        let doubled = plain(&doubled.expect("these are edges"));
        assert_eq!(whole.vectors, doubled.vectors);
    }

    #[test]
    fn nothing_and_one_node_have_no_vector_to_speak_of() {
        let none = Fiedler::of(&family::path(0)).expect("nothing converges");
        assert_eq!((none.lambda, none.entries.len()), (0.0, 0));
        let alone = Fiedler::of(&family::path(1)).expect("one converges");
        assert_eq!((alone.lambda, alone.entries), (0.0, vec![0.0]));
    }

    #[test]
    fn of_a_large_graph_the_few_that_are_asked_for_are_those_of_the_whole() {
        let graph = family::clusters(5, 60, 1);
        for scale in [Scale::Plain, Scale::Normalised] {
            let some = Spectrum::of(&graph, 12, scale).expect("it converges");
            let all = Spectrum::of(&graph, 300, scale).expect("it converges");
            let most = all.values[299];
            for at in 0..12 {
                assert!((some.values[at] - all.values[at]).abs() < 1e-6 * most, "{at}");
                let (some, all) = (&some.vectors[at], &all.vectors[at]);
                let far = some.iter().zip(all).fold(0.0_f64, |far, (a, b)| far.max((a - b).abs()));
                assert!(far < 1e-6, "{scale:?} {at}: {far}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_pair_is_an_eigenpair(
            edges in vec((0..12_usize, 0..12_usize, 0.01..100.0), 1..40),
        ) {
            let edges = edges.into_iter().filter(|(a, b, _)| a != b);
            let graph = Graph::new(12, edges).expect("these are edges");
            let spectrum = plain(&graph);
            let most = spectrum.values.iter().fold(1.0_f64, |most, value| most.max(*value));
            for (value, vector) in spectrum.values.iter().zip(&spectrum.vectors) {
                let same = apply(&graph, vector).into_iter().zip(vector);
                prop_assert!(same.into_iter().all(|(l, v)| (l - value * v).abs() < 1e-5 * most));
            }
        }

        #[test]
        fn the_normalised_ones_lie_between_0_and_2(
            edges in vec((0..12_usize, 0..12_usize, 1e-6..1e6), 1..40),
        ) {
            let edges = edges.into_iter().filter(|(a, b, _)| a != b);
            let graph = Graph::new(12, edges).expect("these are edges");
            let spectrum = Spectrum::of(&graph, 12, Scale::Normalised).expect("it converges");
            prop_assert!(spectrum.values.iter().all(|value| (0.0..=2.0 + 1e-7).contains(value)));
        }
    }
}
