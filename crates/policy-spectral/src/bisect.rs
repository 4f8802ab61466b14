//! Parts of a task graph that talk little with each other: it is cut in two along its Fiedler
//! vector where the work on both sides is as the powers are, and so on (Pothen, Simon and Liou,
//! "Partitioning sparse matrices with eigenvectors of graphs", 1990).

use crate::dag::Dag;
use crate::graph::{Graph, GraphError};
use crate::spectrum::{Fiedler, SpectrumError};

/// Why a task graph could not be cut. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BisectError {
    /// What joins the tasks is no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Its eigenvalues did not converge.
    #[error(transparent)]
    Spectrum(#[from] SpectrumError),
}

/// For each task one of the parts, whose work is about as `powers`. With no power at all, all is
/// in part 0.
///
/// # Errors
/// See [`BisectError`].
pub fn parts(dag: &Dag, powers: &[f64]) -> Result<Vec<usize>, BisectError> {
    let graph = dag.joined()?;
    let mut parts = vec![0; graph.nodes()];
    let tasks: Vec<usize> = (0..graph.nodes()).collect();
    let regions: Vec<usize> = (0..powers.len()).filter(|&part| powers[part] > 0.0).collect();
    cut(&graph, dag.work(), tasks, powers, &regions, &mut parts)?;
    Ok(parts)
}

fn cut(
    graph: &Graph,
    work: &[f64],
    tasks: Vec<usize>,
    powers: &[f64],
    regions: &[usize],
    parts: &mut [usize],
) -> Result<(), SpectrumError> {
    let [_, _, ..] = regions else {
        let region = regions.first().copied().unwrap_or(0);
        tasks.into_iter().for_each(|task| parts[task] = region);
        return Ok(());
    };
    let (first, second) = regions.split_at(regions.len() / 2);
    let power = |regions: &[usize]| regions.iter().map(|&region| powers[region]).sum::<f64>();
    let ordered = ordered(graph, &tasks)?;
    let at = cheapest(graph, work, &ordered, power(first) / power(regions));
    let (left, right) = ordered.split_at(at);
    cut(graph, work, left.to_vec(), powers, first, parts)?;
    cut(graph, work, right.to_vec(), powers, second, parts)
}

/// How far from the wanted share of work a cut may be, as a part of all work, if fewer bytes cross.
const SLACK: f64 = 0.03;

/// Before which task the order is cut: where about `share` of the work is, and fewest bytes cross.
fn cheapest(graph: &Graph, work: &[f64], ordered: &[usize], share: f64) -> usize {
    let all: f64 = ordered.iter().map(|&task| work[task]).sum();
    let mut side = vec![0.0; graph.nodes()];
    ordered.iter().for_each(|&task| side[task] = 1.0);
    let (mut done, mut crossing) = (0.0, 0.0);
    let mut best = (f64::MAX, f64::MAX, f64::MAX, 0);
    for at in 0..=ordered.len() {
        let off = (done - all * share).abs();
        // Outside of the slack only nearness counts, so that there is always a cut.
        let far = if off <= SLACK * all { 0.0 } else { off };
        if (far, crossing, off) < (best.0, best.1, best.2) {
            best = (far, crossing, off, at);
        }
        let Some(&task) = ordered.get(at) else { break };
        side[task] = -1.0;
        crossing += graph.near(task).iter().map(|near| near.weight * side[near.node]).sum::<f64>();
        done += work[task];
    }
    best.3
}

/// The tasks along their Fiedler vector; what does not hang together one part after the other.
fn ordered(graph: &Graph, tasks: &[usize]) -> Result<Vec<usize>, SpectrumError> {
    let inner = graph.among(tasks);
    let fiedler = Fiedler::of(&inner)?;
    let mut ordered = Vec::new();
    for mut part in inner.components() {
        part.sort_by(|a, b| fiedler.entries[*a].total_cmp(&fiedler.entries[*b]).then(a.cmp(b)));
        ordered.extend(part.into_iter().map(|at| tasks[at]));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_policy::layout::Link;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    fn chains(count: usize, length: usize) -> Dag {
        let next = |task: usize| Link { from: task, to: task + 1, bytes: 100 };
        let tasks = (0..count * length).filter(|task| (task + 1) % length != 0);
        Dag::new(vec![1.0; count * length], tasks.map(next).collect()).expect("these are chains")
    }

    fn cuts(dag: &Dag, parts: &[usize]) -> usize {
        dag.links().iter().filter(|link| parts[link.from] != parts[link.to]).count()
    }

    #[test]
    fn chains_stay_whole() {
        let dag = chains(4, 5);
        let parts = parts(&dag, &[1.0, 1.0]).expect("it converges");
        assert_eq!(cuts(&dag, &parts), 0);
        assert_eq!(parts.iter().filter(|part| **part == 0).count(), 10);
    }

    #[test]
    fn one_chain_is_cut_once_for_each_region_past_the_first() {
        let dag = chains(1, 40);
        let parts = parts(&dag, &[1.0; 4]).expect("it converges");
        assert_eq!(cuts(&dag, &parts), 3);
    }

    #[test]
    fn a_region_without_power_gets_nothing() {
        let dag = chains(2, 5);
        let only = parts(&dag, &[0.0, 1.0, 0.0]).expect("it converges");
        assert!(only.iter().all(|part| *part == 1));
        assert!(parts(&dag, &[]).is_ok_and(|parts| parts.iter().all(|part| *part == 0)));
    }

    proptest! {
        #[test]
        fn work_is_split_as_powers_are(
            work in vec(1.0..2.0, 40..41),
            links in vec((0..39_usize, 1..1_000_u64), 0..80),
            power in 1.0..4.0,
        ) {
            let links = links.into_iter().map(|(from, bytes)| Link { from, to: 39, bytes });
            let dag = Dag::new(work.clone(), links.collect()).expect("all lead to the last");
            let parts = parts(&dag, &[power, 1.0]).expect("it converges");
            let all: f64 = work.iter().sum();
            let zero = work.iter().zip(&parts).filter(|(_, part)| **part == 0);
            let share = zero.map(|(work, _)| work).sum::<f64>() / all;
            prop_assert!((share - power / (power + 1.0)).abs() < 0.05, "{}", share);
        }
    }
}
