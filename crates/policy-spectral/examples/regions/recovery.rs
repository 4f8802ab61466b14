//! How many nodes are put into the region that they are in, from a few round trips of each.
//!
//! Regions of equal size; a round trip is 2 ms inside and 100 ms between them, times 1 + 0.2 N(0,1)
//! (at least 0.1), measured once. Each node probes so many others, drawn without repetition.

use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy_spectral::graph::Graph;
use bary_policy_spectral::regions::{cluster, regions};

use crate::sums::{mean, normal};

const SEEDS: u64 = 10;
const SHAPES: [(usize, usize); 5] = [(2, 16), (2, 50), (3, 16), (4, 12), (5, 6)];

/// A cluster's graph from `probes` round trips of each node.
pub(crate) fn probed(count: usize, size: usize, probes: usize, seed: u64) -> Graph {
    let nodes = count * size;
    let mut dice = Dice::new(seed, "probes");
    let mut trips = Vec::new();
    for node in 0..nodes {
        let mut others: Vec<usize> = (0..nodes).filter(|other| *other != node).collect();
        for _ in 0..probes.min(others.len()) {
            let other = others.swap_remove(dice.below(others.len() as u64) as usize);
            let trip = if node / size == other / size { 2.0 } else { 100.0 };
            let noise = (1.0 + 0.2 * normal(&mut dice)).max(0.1);
            trips.push((node, other, Span::from_secs_f64(trip * noise / 1e3)));
        }
    }
    cluster(nodes, &trips).expect("probes lead to other nodes")
}

/// Which part of the nodes is in its own region; each region counts as one found region at most.
fn right(of: &[usize], size: usize) -> f64 {
    let (found, known) = (1 + of.iter().max().unwrap_or(&0), of.len() / size);
    let both = |f: usize, k: usize| of[k * size..][..size].iter().filter(|of| **of == f).count();
    let mut pairs: Vec<(usize, usize, usize)> =
        (0..found).flat_map(|f| (0..known).map(move |k| (both(f, k), f, k))).collect();
    pairs.sort_by(|a, b| b.cmp(a));
    let (mut sum, mut taken) = (0, (vec![false; found], vec![false; known]));
    for (nodes, f, k) in pairs {
        if !taken.0[f] && !taken.1[k] {
            (taken.0[f], taken.1[k]) = (true, true);
            sum += nodes;
        }
    }
    sum as f64 / of.len() as f64
}

/// The mean over seeds in percent, and how many regions were found on average.
fn recovered((count, size): (usize, usize), probes: usize) -> (f64, f64) {
    let runs: Vec<(f64, f64)> = (0..SEEDS)
        .map(|seed| {
            let graph = probed(count, size, probes, seed);
            let found = regions(&graph, &mut Dice::new(seed, "regions")).expect("it converges");
            (100.0 * right(&found.of, size), found.count as f64)
        })
        .collect();
    let (parts, counts): (Vec<f64>, Vec<f64>) = runs.into_iter().unzip();
    (mean(&parts), mean(&counts))
}

/// The table.
pub(crate) fn print() {
    println!("## Nodes put into their region, % of all (mean number of regions found)\n");
    println!("| regions x nodes | 3 probes | 5 | 8 | 12 |\n|---|---|---|---|---|");
    for (count, size) in SHAPES {
        print!("| {count} x {size} |");
        for probes in [3, 5, 8, 12] {
            let (right, found) = recovered((count, size), probes);
            print!(" {right:.1} ({found:.1}) |");
        }
        println!();
    }
    println!();
}

/// With eight probes, the mean over all but the smallest regions.
pub(crate) fn figures() -> Vec<(&'static str, f64)> {
    let all: Vec<f64> = SHAPES[..4].iter().map(|&shape| recovered(shape, 8).0).collect();
    vec![("recovered", mean(&all))]
}
