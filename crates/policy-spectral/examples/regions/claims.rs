//! The six advantages that the HIDRS document claims, each measured once.

use bary_policy::dice::Dice;
use bary_policy_spectral::spectrum::Fiedler;

use crate::level;
use crate::placing;
use crate::recovery::probed;
use crate::sums::mean;

const TRIALS: u64 = 2_000;

/// The table.
pub(crate) fn print() {
    let cases = placing::cases();
    let over = |rule: usize| placing::overall(&cases, rule);
    let (key, turn, lot, choice) = (over(5), over(6), over(7), over(4));
    println!("## What the HIDRS document claims, and what was measured\n");
    println!("| claim | measured |\n|---|---|");
    println!(
        "| nodes found peer to peer, not in a registry | no matter of graphs: the example \
         `thousand` of `bary-gossip` measures it |"
    );
    println!(
        "| Fiedler vector, not round-robin or random | key nodes by abs. Fiedler take {key:.2} of \
         least-loaded's makespan, round-robin {turn:.2}, random {lot:.2} (48 cases) |"
    );
    let (first, even) = key_first();
    println!(
        "| key nodes first, not an even split | 1,000 tasks without data on 4x8 nodes: {first:.2} \
         times the bound in proportion to abs. Fiedler, {even:.2} evenly |"
    );
    let flows = level::figures();
    println!(
        "| Laplacian flow, not greedy | {:.2} of greedy's load times hops over six graphs, {:.2} \
         of the least; no better on a star or a complete graph |",
        flows[2].1, flows[0].1
    );
    let [plain, weighted, samples] = errors();
    println!(
        "| results weighted, not a plain mean | error of π on 5x2 nodes: plain {plain:.5}, \
         by abs. Fiedler {weighted:.5}, by samples {samples:.5} |"
    );
    println!(
        "| the network's topology known, not ignored | T3 takes {choice:.2} of least-loaded's \
         makespan (48 cases) |\n"
    );
}

/// 1,000 tasks of 10 to 100 ms given out in proportion to |Fiedler|, and evenly; makespan over the
/// mean load.
fn key_first() -> (f64, f64) {
    let entries = Fiedler::of(&probed(4, 8, 8, 1)).expect("it converges").entries;
    let all: f64 = entries.iter().map(|entry| entry.abs()).sum();
    let shares: Vec<f64> = entries.iter().map(|entry| entry.abs() / all).collect();
    let given = |shares: &[f64]| {
        let mut dice = Dice::new(1, "tasks");
        let (mut loads, mut counts) = (vec![0.0; 32], vec![0.0; 32]);
        for task in 1..=1_000 {
            let behind = |node: usize| shares[node] * f64::from(task) - counts[node];
            let node = (0..32).max_by(|a, b| behind(*a).total_cmp(&behind(*b))).unwrap_or(0);
            counts[node] += 1.0;
            loads[node] += 10.0 + 90.0 * dice.unit();
        }
        loads.iter().copied().fold(0.0, f64::max) / mean(&loads)
    };
    (given(&shares), given(&[1.0 / 32.0; 32]))
}

/// The root mean square error of π from five pairs of nodes, of which node k throws 1,000 k
/// darts: plain mean, weighted by |Fiedler|, weighted by darts.
fn errors() -> [f64; 3] {
    let entries = Fiedler::of(&probed(5, 2, 8, 1)).expect("it converges").entries;
    let fiedler: Vec<f64> = entries.iter().map(|entry| entry.abs()).collect();
    let darts: Vec<f64> = (1..=10).map(|k| 1_000.0 * f64::from(k)).collect();
    let weights = [vec![1.0; 10], fiedler, darts.clone()];
    let mut squares = [0.0; 3];
    for trial in 0..TRIALS {
        let mut dice = Dice::new(trial, "darts");
        let mut hit = |_: &u64| dice.unit().powi(2) + dice.unit().powi(2) < 1.0;
        let mut results = Vec::new();
        for count in &darts {
            let hits = (0..*count as u64).filter(&mut hit).count();
            results.push(4.0 * hits as f64 / count);
        }
        for (square, weights) in squares.iter_mut().zip(&weights) {
            let sum: f64 = weights.iter().zip(&results).map(|(w, r)| w * r).sum();
            let error = sum / weights.iter().sum::<f64>() - std::f64::consts::PI;
            *square += error * error / TRIALS as f64;
        }
    }
    squares.map(f64::sqrt)
}
