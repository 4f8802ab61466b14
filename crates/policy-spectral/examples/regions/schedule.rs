//! A compact schedule of one job on nodes in regions.
//!
//! A task is placed when all that it reads has been made, the one with the longest way to the end
//! first. Its inputs then leave at once: between regions they queue for the one link in their
//! direction and take its latency after; inside a region they take 1 ms. A node runs one task at a
//! time in the order of placement. Not modelled: messages, asking, jitter, failures, copies that
//! are already there, and links inside a region.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bary_policy::dice::Dice;
use bary_policy_spectral::dag::Dag;
use bary_policy_spectral::place::{Fetch, begin_at};

/// One way inside a region, in milliseconds.
const NEAR: f64 = 1.0;

/// Where a job runs.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// How many regions.
    pub(crate) regions: usize,
    /// How many nodes in each, of speed 1.
    pub(crate) nodes: usize,
    /// One way between regions, in milliseconds.
    pub(crate) latency: f64,
    /// Bytes in a millisecond from one region to another.
    pub(crate) bandwidth: f64,
}

/// Which nodes a task may go to, and how one is chosen.
pub(crate) enum Rule<'a> {
    /// The one that is free first.
    LeastLoaded(&'a [usize]),
    /// The one where it could begin first, its fetching counted.
    First(&'a [usize]),
    /// The same, among the nodes of the task's own region.
    Within(&'a [usize]),
    /// Each in turn.
    Turn,
    /// Any.
    Lot(u64),
}

/// How a schedule went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// When the last task ended, in milliseconds.
    pub(crate) makespan: f64,
    /// Bytes that went between regions.
    pub(crate) traffic: f64,
}

struct Run<'a> {
    site: &'a Site,
    dag: &'a Dag,
    free: Vec<f64>,
    busy: Vec<f64>,
    node: Vec<usize>,
    traffic: f64,
    turn: usize,
    dice: Dice,
}

/// Runs a job.
pub(crate) fn run(site: &Site, dag: &Dag, rule: &Rule<'_>) -> Ran {
    let tasks = dag.work().len();
    let nodes = site.regions * site.nodes;
    let seed = if let Rule::Lot(seed) = rule { *seed } else { 0 };
    let mut run = Run {
        site,
        dag,
        free: vec![0.0; nodes],
        busy: vec![0.0; site.regions * site.regions],
        node: vec![0; tasks],
        traffic: 0.0,
        turn: 0,
        dice: Dice::new(seed, "lot"),
    };
    let levels = dag.b_levels(|_| 0.0);
    let urgency = |task: usize| Reverse((levels[task] * 1e3) as u64);
    let mut waits: Vec<usize> = (0..tasks).map(|task| dag.into(task).count()).collect();
    let mut ready: Vec<f64> = vec![0.0; tasks];
    let mut due = BinaryHeap::new();
    for task in (0..tasks).filter(|&task| waits[task] == 0) {
        due.push(Reverse((0, urgency(task), task)));
    }
    let mut makespan: f64 = 0.0;
    while let Some(Reverse((_, _, task))) = due.pop() {
        let end = run.place(task, ready[task], rule);
        makespan = makespan.max(end);
        for link in dag.out(task) {
            ready[link.to] = ready[link.to].max(end);
            waits[link.to] -= 1;
            if waits[link.to] == 0 {
                let micros = (ready[link.to] * 1e3) as u64;
                due.push(Reverse((micros, urgency(link.to), link.to)));
            }
        }
    }
    Ran { makespan, traffic: run.traffic }
}

impl Run<'_> {
    /// Places a task at `now` and tells when it ends.
    fn place(&mut self, task: usize, now: f64, rule: &Rule<'_>) -> f64 {
        let node = self.choose(task, now, rule);
        self.node[task] = node;
        let mut there = now;
        for link in self.dag.into(task) {
            let (from, to) = (self.region(self.node[link.from]), self.region(node));
            let arrives = if from != to {
                let busy = &mut self.busy[from * self.site.regions + to];
                *busy = busy.max(now) + link.bytes as f64 / self.site.bandwidth;
                self.traffic += link.bytes as f64;
                *busy + self.site.latency
            } else if self.node[link.from] != node {
                now + NEAR
            } else {
                now
            };
            there = there.max(arrives);
        }
        self.free[node] = self.free[node].max(there) + self.dag.work()[task];
        self.free[node]
    }

    fn region(&self, node: usize) -> usize {
        node / self.site.nodes
    }

    fn choose(&mut self, task: usize, now: f64, rule: &Rule<'_>) -> usize {
        let first = |nodes: &mut dyn Iterator<Item = usize>| {
            nodes.min_by_key(|&node| (self.begins(task, node, now), node))
        };
        let chosen = match rule {
            Rule::LeastLoaded(nodes) => nodes
                .iter()
                .copied()
                .min_by_key(|&node| ((self.free[node].max(now) * 1e3) as u64, node)),
            Rule::First(nodes) => first(&mut nodes.iter().copied()),
            Rule::Within(of) => {
                let begin = of[task] * self.site.nodes;
                first(&mut (begin..begin + self.site.nodes))
            }
            Rule::Turn => {
                self.turn += 1;
                Some(self.turn % self.free.len())
            }
            Rule::Lot(_) => Some(self.dice.below(self.free.len() as u64) as usize),
        };
        chosen.unwrap_or(0)
    }

    /// When a task could begin on a node, as far as is known without the links' queues.
    fn begins(&self, task: usize, node: usize, now: f64) -> u64 {
        let fetch = |link: &bary_policy::layout::Link| {
            let from = self.node[link.from];
            match (self.region(from) == self.region(node), from == node) {
                (_, true) => Fetch { latency: 0.0, bytes: 0, bandwidth: 1.0 },
                (true, false) => Fetch { latency: NEAR, bytes: 0, bandwidth: 1.0 },
                _ => Fetch {
                    latency: self.site.latency,
                    bytes: link.bytes,
                    bandwidth: self.site.bandwidth,
                },
            }
        };
        let inputs: Vec<Fetch> = self.dag.into(task).map(fetch).collect();
        begin_at(now, self.free[node], &inputs)
    }
}
