//! Where tasks that read each other's data go: which node would end one first, its fetching
//! counted (Topcuoglu, Hariri and Wu, 2002), and whether a whole job spreads over all regions,
//! stays in one, or is split along its graph.

use crate::bisect::{self, BisectError};
use crate::dag::Dag;

/// One input that a node would have to fetch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fetch {
    /// How far it is, one way, in milliseconds.
    pub latency: f64,
    /// How much there is to fetch.
    pub bytes: u64,
    /// How many bytes come in a millisecond; not 0.
    pub bandwidth: f64,
}

impl Fetch {
    /// How long it takes, in milliseconds.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.latency + self.bytes as f64 / self.bandwidth
    }
}

/// When a task could begin on a node that is free at `free`, in microseconds, if it fetches these
/// inputs at once from `now` on. Of equal moments the one with less to fetch is lower.
#[must_use]
pub fn begin_at(now: f64, free: f64, inputs: &[Fetch]) -> u64 {
    let longest = inputs.iter().map(Fetch::span).fold(0.0, f64::max);
    let transfer: f64 = inputs.iter().map(|fetch| fetch.bytes as f64 / fetch.bandwidth).sum();
    ((free.max(now + longest) + 1e-3 * transfer) * 1e3).round() as u64
}

/// Regions and what lies between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What each region does in a millisecond, in milliseconds of work of a node of speed 1.
    pub powers: Vec<f64>,
    /// One way between regions, in milliseconds.
    pub latency: f64,
    /// Bytes in a millisecond from one region to another; all that goes there shares them.
    pub bandwidth: f64,
}

/// A way to run a whole job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each task wherever it could begin first.
    Spread,
    /// All tasks in this region.
    One(usize),
    /// Each task in the region that stands here.
    Split(Vec<usize>),
}

/// A layout and what made it the choice: how long each would take, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The one that would be over first; of equal ones the simpler.
    pub layout: Layout,
    /// Spread over all.
    pub spread: f64,
    /// All in one region.
    pub one: f64,
    /// Split along the graph.
    pub split: f64,
}

/// How much of what could overlap with something longer adds to it all the same.
const OVERLAP: f64 = 0.25;

/// Chooses how to run a job, from its work, its longest way and the bytes that would cross.
///
/// # Errors
/// See [`BisectError`].
pub fn choose(dag: &Dag, network: &Network) -> Result<Choice, BisectError> {
    let powers = &network.powers;
    let best = (0..powers.len()).max_by_key(|&at| ((powers[at] * 1e6) as u64, powers.len() - at));
    let Some(best) = best else {
        let none = Choice { layout: Layout::Spread, spread: 0.0, one: 0.0, split: 0.0 };
        return Ok(none);
    };
    let parts = bisect::parts(dag, powers)?;
    let spread = spread(dag, network);
    let work: f64 = dag.work().iter().sum();
    let one = (work / powers[best]).max(longest(dag, |_| 0.0));
    let split = split(dag, network, &parts);
    let rounded = [spread, one, split].map(|span| (span * 1e3).round() as u64);
    let layout = match rounded.iter().min() {
        Some(least) if rounded[0] == *least => Layout::Spread,
        Some(least) if rounded[1] == *least => Layout::One(best),
        _ => Layout::Split(parts),
    };
    Ok(Choice { layout, spread, one, split })
}

fn longest(dag: &Dag, delay: impl Fn(&crate::dag::Link) -> f64) -> f64 {
    dag.b_levels(delay).into_iter().fold(0.0, f64::max)
}

/// All regions at work on all: of each link's bytes the part between regions crosses, evenly over
/// all links.
fn spread(dag: &Dag, network: &Network) -> f64 {
    let regions = network.powers.len() as f64;
    let work = dag.work().iter().sum::<f64>() / network.powers.iter().sum::<f64>();
    let bytes: f64 = dag.links().iter().map(|link| link.bytes as f64).sum();
    let crossing = if regions > 1.0 { bytes / (regions * regions) } else { 0.0 };
    let carried = crossing / network.bandwidth;
    work.max(longest(dag, |_| 0.0)).max(carried) + OVERLAP * work.min(carried)
}

fn split(dag: &Dag, network: &Network, parts: &[usize]) -> f64 {
    let regions = network.powers.len();
    let mut work = vec![0.0; regions];
    for (task, part) in parts.iter().enumerate() {
        work[*part] += dag.work()[task];
    }
    let work = work.iter().zip(&network.powers).map(|(work, power)| match *work {
        0.0 => 0.0,
        work => work / power,
    });
    let work = work.fold(0.0, f64::max);
    let mut crossing = vec![0.0; regions * regions];
    for link in dag.links().iter().filter(|link| parts[link.from] != parts[link.to]) {
        crossing[parts[link.from] * regions + parts[link.to]] += link.bytes as f64;
    }
    let carried = crossing.into_iter().fold(0.0, f64::max) / network.bandwidth;
    let way = longest(dag, |link| match parts[link.from] == parts[link.to] {
        true => 0.0,
        false => network.latency + link.bytes as f64 / network.bandwidth,
    });
    work.max(way).max(carried) + OVERLAP * work.min(carried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::Link;

    const FAR: Fetch = Fetch { latency: 50.0, bytes: 25_000, bandwidth: 25_000.0 };

    #[test]
    fn a_task_begins_when_its_node_is_free_and_its_inputs_are_there() {
        assert_eq!(begin_at(10.0, 0.0, &[]), 10_000);
        assert_eq!(begin_at(10.0, 90.0, &[FAR]), 90_001);
        assert_eq!(begin_at(10.0, 20.0, &[FAR, FAR]), 61_002);
    }

    fn network() -> Network {
        Network { powers: vec![8.0, 8.0], latency: 50.0, bandwidth: 25_000.0 }
    }

    fn all_to_all(bytes: u64) -> Dag {
        let links = (0..32).flat_map(|from| (32..64).map(move |to| Link { from, to, bytes }));
        Dag::new(vec![55.0; 64], links.collect()).expect("maps and reduces")
    }

    /// Chains that have nothing to do with each other.
    fn chains(bytes: u64) -> Dag {
        let inner = (0..64).filter(|task| task % 4 != 3);
        let links = inner.map(|from| Link { from, to: from + 1, bytes });
        Dag::new(vec![55.0; 64], links.collect()).expect("sixteen chains")
    }

    #[test]
    fn little_data_is_spread_and_much_stays_in_one_region() {
        let light = choose(&all_to_all(100), &network()).expect("it converges");
        assert_eq!(light.layout, Layout::Spread);
        let heavy = choose(&all_to_all(10_000_000), &network()).expect("it converges");
        assert_eq!(heavy.layout, Layout::One(0));
        assert!(heavy.split > heavy.one && heavy.spread > heavy.one);
    }

    #[test]
    fn what_falls_apart_is_split() {
        let choice = choose(&chains(50_000_000), &network()).expect("it converges");
        let Layout::Split(parts) = choice.layout else { panic!("{choice:?}") };
        assert!((0..64).all(|task| parts[task] == parts[task / 4 * 4]));
    }

    #[test]
    fn no_network_and_no_tasks_take_no_time() {
        let nowhere = Network { powers: Vec::new(), latency: 0.0, bandwidth: 1.0 };
        assert!(choose(&chains(1), &nowhere).is_ok());
        let nothing = Dag::new(Vec::new(), Vec::new()).expect("nothing is a graph");
        let choice = choose(&nothing, &network()).expect("it converges");
        assert_eq!((choice.layout, choice.one), (Layout::Spread, 0.0));
    }
}
