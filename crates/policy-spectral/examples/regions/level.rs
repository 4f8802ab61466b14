//! Evening out 64 nodes: the least load times hops, Laplacian flow and greedy, and how many rounds
//! rules without a centre take.
//!
//! Loads are exponential of mean 100 (20 seeds), or 6,400 on one node in the middle.

use bary_policy::dice::Dice;
use bary_policy_spectral::family;
use bary_policy_spectral::flow::{Flow, diffusion, excess, greedy, optimum};
use bary_policy_spectral::graph::Graph;
use bary_policy_spectral::laplacian::Scale;
use bary_policy_spectral::solve;
use bary_policy_spectral::spectrum::Spectrum;

use crate::sums::{exponential, geomean, mean};

const SEEDS: u64 = 20;
/// What is left of the unevenness when rounds are no longer counted.
const PART: f64 = 0.01;

fn graphs() -> Vec<(&'static str, Graph, usize)> {
    let mut dice = Dice::new(1, "level");
    vec![
        ("mesh 8x8", family::grid(8, 8), 27),
        ("torus 8x8", family::torus(8, 8), 27),
        ("hypercube 6", family::hypercube(6), 27),
        ("random 4-regular", family::regular(64, 4, &mut dice), 27),
        ("2 clusters, 2 bridges", clusters(2, 32, 2, &mut dice), 27),
        ("4 clusters in a ring", clusters(4, 16, 1, &mut dice), 27),
        ("star", family::star(64), 27),
        ("complete", family::complete(64), 27),
    ]
}

/// Clusters that are random 4-regular graphs.
fn clusters(count: usize, size: usize, bridges: usize, dice: &mut Dice) -> Graph {
    let graphs: Vec<Graph> = (0..count).map(|_| family::regular(size, 4, dice)).collect();
    family::ring_of(&graphs, bridges)
}

fn random(seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed, "loads");
    let loads: Vec<f64> = (0..64).map(|_| 100.0 * exponential(&mut dice)).collect();
    excess(&loads, &[1.0; 64])
}

fn hot(at: usize) -> Vec<f64> {
    let loads: Vec<f64> = (0..64).map(|node| if node == at { 6_400.0 } else { 0.0 }).collect();
    excess(&loads, &[1.0; 64])
}

/// Load times hops of the three, mean over seeds.
fn works(graph: &Graph) -> [f64; 3] {
    let runs: Vec<[f64; 3]> = (0..SEEDS)
        .map(|seed| {
            let b = random(seed);
            let [least, level] = [optimum::flow(graph, &b), Flow::laplacian(graph, &b)];
            [least.work(), level.work(), greedy::course(graph, &b).moved]
        })
        .collect();
    [0, 1, 2].map(|rule| mean(&runs.iter().map(|run| run[rule]).collect::<Vec<_>>()))
}

fn flows(graph: &Graph, b: &[f64]) -> [Flow; 3] {
    [optimum::flow(graph, b), Flow::laplacian(graph, b), greedy::course(graph, b).flow]
}

/// Rounds of first order, second order, Chebyshev, conjugate gradients, dimension exchange.
fn rounds(graph: &Graph, b: &[f64]) -> [usize; 5] {
    let values = Spectrum::of(graph, 64, Scale::Plain).expect("it converges").values;
    let most = (0..64).map(|node| graph.degree(node)).fold(0.0, f64::max);
    let alpha = 1.0 / (most + 1.0);
    let slowest = (1.0 - alpha * values[1]).abs().max((1.0 - alpha * values[63]).abs());
    let beta = 2.0 / (1.0 + (1.0 - slowest * slowest).sqrt());
    [
        diffusion::first_order(graph, b, alpha, PART).rounds,
        diffusion::second_order(graph, b, alpha, beta, PART).rounds,
        solve::chebyshev(graph, b, (values[1], values[63]), PART).rounds,
        solve::conjugate_gradient(graph, b, PART).rounds,
        diffusion::dimension_exchange(graph, b, PART).rounds,
    ]
}

fn mean_rounds(graph: &Graph) -> [f64; 5] {
    let runs: Vec<[usize; 5]> = (0..SEEDS).map(|seed| rounds(graph, &random(seed))).collect();
    [0, 1, 2, 3, 4].map(|at| mean(&runs.iter().map(|run| run[at] as f64).collect::<Vec<_>>()))
}

/// The table.
pub(crate) fn print() {
    println!("## Evening out 64 nodes (load times hops: mean of {SEEDS} random loads)\n");
    println!(
        "| graph | least | Laplacian | greedy | Laplacian / least | greedy / least | busiest edge \
         of a hot spot: least / Laplacian / greedy | rounds to 1 %: first order / second order / \
         Chebyshev / CG / dimension exchange |\n|---|---|---|---|---|---|---|---|"
    );
    for (name, graph, at) in graphs() {
        let [least, level, greedy] = works(&graph);
        let busiest = flows(&graph, &hot(at)).map(|flow| format!("{:.0}", flow.busiest()));
        let rounds = mean_rounds(&graph).map(|rounds| format!("{rounds:.0}"));
        println!(
            "| {name} | {least:.0} | {level:.0} | {greedy:.0} | {:.2} | {:.2} | {} | {} |",
            level / least,
            greedy / least,
            busiest.join(" / "),
            rounds.join(" / ")
        );
    }
    println!();
    thresholds();
}

/// What the two thresholds of the rule move on a mesh of nodes that are nearly even.
fn thresholds() {
    use bary_model::time::Span;
    use bary_policy_spectral::flow::rebalance::Rebalance;
    println!("## Act at 30 % or at 10 %: mesh 8x8, tasks of 50 ms, moves of 1 ms, 20 seeds\n");
    println!(
        "| loads | threshold | acts in | tasks moved | makespan / even |\n|---|---|---|---|---|"
    );
    let graph = family::grid(8, 8);
    for (name, spread) in [("100 ± 10 %", 10.0), ("100 ± 25 %", 25.0), ("100 ± 50 %", 50.0)] {
        for threshold in [0.3, 0.1] {
            let rule = Rebalance { threshold, move_span: Span::millis(1) };
            let (mut acted, mut moved, mut ratios) = (0, Vec::new(), Vec::new());
            for seed in 0..SEEDS {
                let mut dice = Dice::new(seed, "thresholds");
                let mut draw = |_| (100.0 + spread * (2.0 * dice.unit() - 1.0)) as u64;
                let mut tasks: Vec<u64> = (0..64).map(&mut draw).collect();
                let moves = rule.moves(&graph, &tasks, &[1.0; 64], Span::millis(50));
                acted += u32::from(moves.is_ok());
                let moves = moves.unwrap_or_default();
                moved.push(moves.iter().map(|step| step.tasks as f64).sum::<f64>() + 0.0);
                for step in moves {
                    tasks[step.from] -= step.tasks;
                    tasks[step.to] += step.tasks;
                }
                let most = tasks.iter().max().copied().unwrap_or(0) as f64;
                ratios.push(64.0 * most / tasks.iter().sum::<u64>() as f64);
            }
            let (moved, ratio) = (mean(&moved), mean(&ratios));
            println!("| {name} | {threshold} | {acted} of 20 | {moved:.0} | {ratio:.3} |");
        }
    }
    println!();
}

/// How much more than the least Laplacian flow moves, and how much less than greedy, as geometric
/// means over the graphs that are neither complete nor a star.
pub(crate) fn figures() -> Vec<(&'static str, f64)> {
    let works: Vec<[f64; 3]> = graphs()[..6].iter().map(|(_, graph, _)| works(graph)).collect();
    let ratio = |a: usize, b: usize| -> Vec<f64> {
        works.iter().map(|works| works[a] / works[b]).collect()
    };
    let worst = ratio(1, 0).into_iter().fold(0.0, f64::max);
    vec![
        ("level_to_least", geomean(&ratio(1, 0))),
        ("level_to_least_worst", worst),
        ("level_to_greedy", geomean(&ratio(1, 2))),
    ]
}
