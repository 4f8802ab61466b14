//! Where tasks that read each other's data go: which node would end one first, its fetching
//! counted (Topcuoglu, Hariri and Wu, 2002), and whether a whole job spreads over all regions,
//! stays in one, or is split along its graph.

use bary_policy::layout::{Choice, Layout, Link, Network, Plans, Question};

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

/// How much of what could overlap with something longer adds to it all the same.
const OVERLAP: f64 = 0.25;

/// Chooses how to run a job, from its work, its longest way and the bytes that would cross.
///
/// # Errors
/// See [`BisectError`].
pub fn choose(dag: &Dag, network: &Network) -> Result<Choice, BisectError> {
    let powers = &network.powers;
    let Some(best) = soonest(dag, network) else {
        let none = Choice { layout: Layout::Spread, spread: 0.0, one: 0.0, split: 0.0 };
        return Ok(none);
    };
    let parts = bisect::parts(dag, powers)?;
    let spread = spread(dag, network);
    let one = one(dag, network, best);
    let split = split(dag, network, &parts);
    let rounded = [spread, one, split].map(|span| (span * 1e3).round() as u64);
    let layout = match rounded.iter().min() {
        Some(least) if rounded[0] == *least => Layout::Spread,
        Some(least) if rounded[1] == *least => Layout::One(best),
        _ => Layout::Split(parts),
    };
    Ok(Choice { layout, spread, one, split })
}

/// Answers how a job would lie over regions; none where its tasks are no graph, or their graph
/// cannot be cut.
#[must_use]
pub fn lay(question: &Question) -> Option<Choice> {
    let dag = Dag::new(question.work.clone(), question.links.clone()).ok()?;
    let network = &question.network;
    let choice = choose(&dag, network).ok()?;
    let layout = match question.plans {
        Plans::None => Layout::Spread,
        Plans::Three => return Some(choice),
        Plans::One => Layout::One(soonest(&dag, network)?),
        Plans::Split => Layout::Split(bisect::parts(&dag, &network.powers).ok()?),
    };
    Some(Choice { layout, ..choice })
}

/// The region that would be through with a whole job first; of equal ones the first.
fn soonest(dag: &Dag, network: &Network) -> Option<usize> {
    let able = (0..network.powers.len()).filter(|&at| network.powers[at] > 0.0);
    able.min_by_key(|&at| ((one(dag, network, at) * 1e3).round() as u64, at))
}

/// All tasks in one region.
fn one(dag: &Dag, network: &Network, region: usize) -> f64 {
    let work: f64 = dag.work().iter().sum();
    let far = far(network, region);
    (work / network.powers[region]).max(longest(dag, |_| 2.0 * far * network.latency))
}

/// 1 where word and grants have to go to a region from another, and 0 where not.
fn far(network: &Network, region: usize) -> f64 {
    f64::from(network.home.is_some_and(|home| home != region))
}

fn longest(dag: &Dag, delay: impl Fn(&Link) -> f64) -> f64 {
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
    let all: f64 = network.powers.iter().sum();
    let away = network.powers.iter().enumerate().map(|(at, power)| far(network, at) * power / all);
    let step = 2.0 * away.sum::<f64>() * network.latency;
    work.max(longest(dag, |_| step)).max(carried) + OVERLAP * work.min(carried)
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
    let way = longest(dag, |link| {
        let (from, to) = (parts[link.from], parts[link.to]);
        let data = match from == to {
            true => 0.0,
            false => network.latency + link.bytes as f64 / network.bandwidth,
        };
        data + (far(network, from) + far(network, to)) * network.latency
    });
    work.max(way).max(carried) + OVERLAP * work.min(carried)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Fetch = Fetch { latency: 50.0, bytes: 25_000, bandwidth: 25_000.0 };

    #[test]
    fn a_task_begins_when_its_node_is_free_and_its_inputs_are_there() {
        assert_eq!(begin_at(10.0, 0.0, &[]), 10_000);
        assert_eq!(begin_at(10.0, 90.0, &[FAR]), 90_001);
        assert_eq!(begin_at(10.0, 20.0, &[FAR, FAR]), 61_002);
    }

    fn network() -> Network {
        Network { powers: vec![8.0, 8.0], latency: 50.0, bandwidth: 25_000.0, home: None }
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
    fn a_home_that_is_far_away_keeps_long_chains_near_it() {
        let links = (0..99).map(|from| Link { from, to: from + 1, bytes: 1 });
        let dag = Dag::new(vec![10.0; 100], links.collect()).expect("one chain");
        let at = |home| choose(&dag, &Network { home, ..network() }).expect("it converges");
        assert_eq!(at(None).one, 1_000.0);
        assert_eq!((at(Some(1)).layout, at(Some(1)).one), (Layout::One(1), 1_000.0));
        assert!(at(Some(1)).spread > 5_000.0, "{:?}", at(Some(1)));
    }

    #[test]
    fn what_may_be_chosen_is_chosen_from() {
        let links = (0..63).map(|from| Link { from, to: from + 1, bytes: 9 }).collect::<Vec<_>>();
        let asked = |plans| {
            let (work, links) = (vec![5.0; 64], links.clone());
            lay(&Question { work, links, network: network(), plans }).expect("it is a graph")
        };
        assert_eq!(asked(Plans::One).layout, Layout::One(0));
        let Layout::Split(parts) = asked(Plans::Split).layout else { panic!("it is split") };
        assert_eq!(parts.iter().sum::<usize>(), 32);
        assert_eq!(asked(Plans::Three).spread, asked(Plans::One).spread);
        let wrong = Question {
            work: vec![1.0],
            links: vec![Link { from: 0, to: 0, bytes: 1 }],
            network: network(),
            plans: Plans::Three,
        };
        assert_eq!(lay(&wrong), None);
    }

    #[test]
    fn no_network_and_no_tasks_take_no_time() {
        let nowhere = Network { powers: Vec::new(), latency: 0.0, bandwidth: 1.0, home: None };
        assert!(choose(&chains(1), &nowhere).is_ok());
        let nothing = Dag::new(Vec::new(), Vec::new()).expect("nothing is a graph");
        let choice = choose(&nothing, &network()).expect("it converges");
        assert_eq!((choice.layout, choice.one), (Layout::Spread, 0.0));
    }
}
