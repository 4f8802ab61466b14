//! Regions of a cluster, from a few round trips of each node: near nodes are joined strongly
//! (1/RTT), the largest gap among the smallest eigenvalues of the normalised Laplacian says how
//! many regions there are, and k-means on the rows of the eigenvectors says which node is where
//! (Ng, Jordan and Weiss, 2001; von Luxburg, "A tutorial on spectral clustering", 2007).

use std::collections::BTreeMap;

use bary_model::time::Span;
use bary_policy::dice::Dice;

use crate::graph::{Graph, GraphError};
use crate::laplacian::Scale;
use crate::spectrum::{Spectrum, SpectrumError};

/// Most regions that are told apart.
pub const REGIONS_MAX: usize = 16;
/// Nodes that a region has on average, where there are more regions than four: a few round trips of
/// each node show gaps between smaller ones that are not there.
const NODES_MIN: usize = 5;
/// How often k-means begins anew; the tightest result counts.
const STARTS: usize = 8;
/// Most steps of one k-means.
const STEPS_MAX: usize = 100;
/// Round trips below this are equal: what a machine does in between takes as long.
const NEAR: Span = Span::micros(50);

/// The graph of a cluster: W = 1/RTT in 1/ms. Of two that measured each other the shorter counts.
///
/// # Errors
/// Where a probe leads to nobody or to itself, or there are too many.
pub fn cluster(nodes: usize, probes: &[(usize, usize, Span)]) -> Result<Graph, GraphError> {
    let mut least: BTreeMap<(usize, usize), Span> = BTreeMap::new();
    for &(a, b, trip) in probes {
        let known = least.entry((a.min(b), a.max(b))).or_insert(trip);
        *known = trip.min(*known);
    }
    let weight = |trip: Span| 1e-3 / trip.max(NEAR).as_secs_f64();
    Graph::new(nodes, least.into_iter().map(|((a, b), trip)| (a, b, weight(trip))))
}

/// Which node is in which region.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// The region of each node; regions are numbered by their first nodes.
    pub of: Vec<usize>,
    /// How many there are.
    pub count: usize,
}

/// The regions of a cluster's graph, as many as the largest gap among its eigenvalues says, and at
/// most [`REGIONS_MAX`].
///
/// # Errors
/// See [`SpectrumError`].
pub fn regions(graph: &Graph, dice: &mut Dice) -> Result<Regions, SpectrumError> {
    let spectrum = Spectrum::of(graph, REGIONS_MAX + 1, Scale::Normalised)?;
    let parts = spectrum.values.iter().filter(|value| **value == 0.0).count();
    let most = (graph.nodes() / NODES_MIN).clamp(4, REGIONS_MAX).max(parts);
    let known = &spectrum.values[..spectrum.values.len().min(most + 1)];
    let count = widest(known, parts.max(1));
    Ok(split(&spectrum, count, dice))
}

/// The regions of a cluster's graph where it is known how many there are; at least 1, and at most
/// [`REGIONS_MAX`].
///
/// # Errors
/// See [`SpectrumError`].
pub fn regions_of(graph: &Graph, count: usize, dice: &mut Dice) -> Result<Regions, SpectrumError> {
    let count = count.clamp(1, REGIONS_MAX);
    let spectrum = Spectrum::of(graph, count, Scale::Normalised)?;
    Ok(split(&spectrum, count, dice))
}

/// After how many values, at least `least`, the next is furthest.
fn widest(values: &[f64], least: usize) -> usize {
    let mut best = (least.min(values.len()), 0.0);
    for at in least..values.len() {
        let gap = values[at] - values[at - 1];
        if gap > best.1 {
            best = (at, gap);
        }
    }
    best.0.min(REGIONS_MAX)
}

fn split(spectrum: &Spectrum, count: usize, dice: &mut Dice) -> Regions {
    let nodes = spectrum.vectors.first().map_or(0, Vec::len);
    let columns = &spectrum.vectors[..count.min(spectrum.vectors.len())];
    let rows: Vec<Vec<f64>> = (0..nodes)
        .map(|node| {
            let row: Vec<f64> = columns.iter().map(|column| column[node]).collect();
            let length = row.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
            row.into_iter().map(|entry| if length > 0.0 { entry / length } else { 0.0 }).collect()
        })
        .collect();
    let mut best: Option<(u64, Vec<usize>)> = None;
    for _ in 0..STARTS {
        let found = k_means(&rows, count, dice);
        if best.as_ref().is_none_or(|best| found.0 < best.0) {
            best = Some(found);
        }
    }
    numbered(&best.map_or_else(Vec::new, |(_, of)| of))
}

/// Gives regions the numbers 0, 1, 2 ... in the order of their first nodes.
fn numbered(of: &[usize]) -> Regions {
    let mut names: Vec<usize> = Vec::new();
    let of = of.iter().map(|region| {
        names.iter().position(|name| name == region).unwrap_or_else(|| {
            names.push(*region);
            names.len() - 1
        })
    });
    let of = of.collect();
    Regions { of, count: names.len() }
}

/// One run of Lloyd's iteration from centres that are drawn far apart (Arthur and Vassilvitskii,
/// "k-means++", 2007); tells how tight it is, in millionths, too.
fn k_means(rows: &[Vec<f64>], count: usize, dice: &mut Dice) -> (u64, Vec<usize>) {
    let mut centres = seeded(rows, count, dice);
    let mut of = vec![0; rows.len()];
    for _ in 0..STEPS_MAX {
        let nearest: Vec<usize> = rows.iter().map(|row| nearest(row, &centres).0).collect();
        let same = nearest == of;
        of = nearest;
        for (region, centre) in centres.iter_mut().enumerate() {
            let mine = || rows.iter().zip(&of).filter(|(_, of)| **of == region).map(|(row, _)| row);
            let size = mine().count() as f64;
            // One that has lost all its nodes stays where it is.
            if size > 0.0 {
                for (column, entry) in centre.iter_mut().enumerate() {
                    *entry = mine().map(|row| row[column]).sum::<f64>() / size;
                }
            }
        }
        if same {
            break;
        }
    }
    let spread: u64 = rows.iter().map(|row| nearest(row, &centres).1).sum();
    (spread, of)
}

fn seeded(rows: &[Vec<f64>], count: usize, dice: &mut Dice) -> Vec<Vec<f64>> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    while centres.len() < count && !rows.is_empty() {
        let far: Vec<u64> = match centres.len() {
            0 => vec![1; rows.len()],
            _ => rows.iter().map(|row| nearest(row, &centres).1).collect(),
        };
        let all: u64 = far.iter().sum();
        if all == 0 {
            break;
        }
        let mut drawn = dice.below(all);
        let node = far.iter().position(|far| {
            let here = drawn < *far;
            drawn = drawn.saturating_sub(*far);
            here
        });
        centres.extend(node.map(|node| rows[node].clone()));
    }
    centres
}

/// The nearest centre, and its squared distance in millionths; of equally near ones the first.
fn nearest(row: &[f64], centres: &[Vec<f64>]) -> (usize, u64) {
    let far = |centre: &Vec<f64>| {
        let square: f64 = row.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum();
        (square * 1e6).round() as u64
    };
    let nearest = centres.iter().map(far).enumerate().min_by_key(|(at, far)| (*far, *at));
    nearest.unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn dice() -> Dice {
        Dice::new(1, "regions")
    }

    #[test]
    fn clusters_are_found_and_counted() {
        for (count, size) in [(2, 8), (3, 8), (4, 6)] {
            let found = regions(&family::clusters(count, size, 1), &mut dice());
            let known: Vec<usize> = (0..count * size).map(|node| node / size).collect();
            assert_eq!(found, Ok(Regions { of: known, count }));
        }
    }

    #[test]
    fn parts_that_do_not_hang_together_are_regions() {
        let edges = [(0, 3, 1.0), (3, 5, 1.0), (0, 5, 1.0), (1, 2, 1.0), (2, 4, 1.0), (1, 4, 1.0)];
        let graph = Graph::new(6, edges).expect("these are edges");
        let found = regions(&graph, &mut dice()).expect("it converges");
        assert_eq!((found.of, found.count), (vec![0, 1, 1, 0, 1, 0], 2));
    }

    #[test]
    fn a_cluster_without_structure_is_one_region() {
        let found = regions(&family::complete(9), &mut dice()).expect("it converges");
        assert_eq!(found.count, 1);
    }

    #[test]
    fn the_shorter_of_two_round_trips_counts() {
        let probes = [(0, 1, Span::millis(4)), (1, 0, Span::millis(2)), (1, 2, Span::ZERO)];
        let graph = cluster(3, &probes).expect("these are probes");
        let weights: Vec<f64> = graph.edges().iter().map(|edge| edge.weight).collect();
        assert!((weights[0] - 0.5).abs() < 1e-9 && (weights[1] - 20.0).abs() < 1e-9);
        assert!(cluster(2, &[(1, 1, Span::millis(1))]).is_err());
    }

    proptest! {
        #[test]
        fn every_node_is_in_one_region_and_the_same_dice_give_the_same(
            probes in vec((0..20_usize, 0..20_usize, 1..200_u64), 0..80),
        ) {
            let probes = probes.into_iter().filter(|(a, b, _)| a != b);
            let probes: Vec<_> = probes.map(|(a, b, ms)| (a, b, Span::millis(ms))).collect();
            let graph = cluster(20, &probes).expect("these are probes");
            let found = regions(&graph, &mut dice()).expect("it converges");
            prop_assert_eq!(found.of.len(), 20);
            prop_assert!(found.of.iter().all(|region| *region < found.count));
            prop_assert_eq!(Ok(found), regions(&graph, &mut dice()));
        }
    }
}
