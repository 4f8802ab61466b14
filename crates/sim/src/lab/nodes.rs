//! The nodes of a scenario: groups of equal ones.

use std::collections::BTreeMap;

use bary_jobfile::document::Section;
use bary_model::id::NodeId;
use bary_model::node::{Busy, NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::time::Span;

use crate::lab::machines::Machines;
use crate::lab::workload::Need;
use crate::plan::NodePlan;
use crate::plan::chores::Chores;
use crate::plan::machines::Probe;

/// The memory of a node of which nothing is said.
const MEMORY: u64 = 64 << 30;

/// Nodes that are alike, apart from their speeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// The speeds, which they have one after another; at least one.
    pub speeds: Vec<f64>,
    /// How many tasks of one core each runs at a time.
    pub slots: u32,
    /// Its cores.
    pub cpus: u32,
    /// Its memory in bytes.
    pub memory: u64,
    /// Its GPUs.
    pub gpus: u32,
    /// What their machines are found to be.
    pub machines: Machines,
    /// Where they are.
    pub region: Box<str>,
    /// What tasks may ask for.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// By how many millionths their clocks run fast, which they have one after another; at least
    /// one.
    pub drifts: Vec<i32>,
    /// What their machines do besides; each begins with the turn after that of the one before.
    pub chores: Chores,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            count: 1,
            speeds: vec![1.0],
            slots: 1,
            cpus: 1,
            memory: MEMORY,
            gpus: 0,
            machines: Machines::default(),
            region: "r0".into(),
            labels: BTreeMap::new(),
            drifts: vec![0],
            chores: Chores::default(),
        }
    }
}

impl Group {
    /// How many tasks with such a need its nodes together can run at a time.
    pub(crate) fn room(&self, need: Need) -> u64 {
        let cores = u64::from(self.cpus) * 1_000 / need.milli_cpus.max(1);
        let memory = self.memory.checked_div(need.memory).unwrap_or(u64::MAX);
        let gpus = self.gpus.checked_div(need.gpus).map_or(u64::MAX, u64::from);
        cores.min(memory).min(gpus).min(self.slots.into()) * self.count as u64
    }

    pub(crate) fn read(from: &Section<'_>) -> Self {
        let usual = Self::default();
        let whole = |key, usual: u32| from.integer(key).map_or(usual, |number| number as u32);
        let mut speeds = from.numbers("speed");
        if speeds.is_empty() {
            speeds = usual.speeds;
        }
        let mut drifts: Vec<i32> =
            from.numbers("drift").iter().map(|drift| *drift as i32).collect();
        if drifts.is_empty() {
            drifts = usual.drifts;
        }
        let slots = whole("slots", 1);
        Self {
            count: whole("count", 1) as usize,
            speeds,
            slots,
            cpus: whole("cpus", slots),
            memory: from.size("memory").unwrap_or(MEMORY),
            gpus: whole("gpus", 0),
            machines: Machines::read(from),
            region: from.text("region").map_or(usual.region, Into::into),
            labels: from.map("labels").iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            drifts,
            chores: chores(from),
        }
    }

    /// The node of this number, which is the group's `own`-th.
    fn node(&self, id: usize, own: usize, region: u16) -> NodePlan {
        let info = NodeInfo {
            offers: Offers::default(),
            id: NodeId(id as u64),
            name: format!("n{id}").into(),
            region: self.region.clone(),
            resources: Resources {
                memory: self.memory,
                milli_gpus: u64::from(self.gpus) * 1_000,
                ..Resources::cpus(self.cpus)
            },
            slots: self.slots,
            speed: self.speeds[own % self.speeds.len()],
            labels: self.labels.clone(),
        };
        let mut chores = self.chores.clone();
        let turns = chores.turns.len().max(1);
        chores.turns.rotate_left(own % turns);
        let drift = self.drifts[own % self.drifts.len()];
        let probe = Probe { machine: self.machines.of(own, self.gpus), takes: Span::ZERO };
        NodePlan { info, region, home: false, drift, chores, probe }
    }
}

/// What machines do besides.
fn chores(from: &Section<'_>) -> Chores {
    let (cpus, memory) = (from.numbers("busy"), from.numbers("full"));
    let turns = cpus.len().max(memory.len());
    let of = |shares: &[f64], turn: usize| shares.get(turn % shares.len().max(1)).copied();
    let turns = (0..turns)
        .map(|turn| Busy::of(of(&cpus, turn).unwrap_or(0.0), of(&memory, turn).unwrap_or(0.0)));
    let noise = Busy::of(from.number("busy_noise").unwrap_or(0.0), 0.0).cpus;
    let each = from.time("busy_turn").unwrap_or(Span::ZERO);
    Chores { turns: turns.collect(), each, noise }
}

/// The regions in the order in which groups name them.
#[must_use]
pub fn regions(groups: &[Group]) -> Vec<Box<str>> {
    let mut regions: Vec<Box<str>> = Vec::new();
    for group in groups {
        if !regions.contains(&group.region) {
            regions.push(group.region.clone());
        }
    }
    regions
}

/// All nodes, of which these are homes.
pub(crate) fn plans(groups: &[Group], homes: &[usize]) -> Vec<NodePlan> {
    let regions = regions(groups);
    let mut nodes = Vec::new();
    for group in groups {
        let region = regions.iter().position(|one| *one == group.region).unwrap_or(0) as u16;
        nodes.extend((0..group.count).map(|own| (group, own, region)));
    }
    let numbered = nodes.into_iter().enumerate();
    let mut plans: Vec<NodePlan> =
        numbered.map(|(id, (group, own, region))| group.node(id, own, region)).collect();
    for home in homes {
        plans[*home].home = true;
    }
    plans
}

/// Which nodes are homes: so many, spread evenly, or the first ones where others come and go.
pub(crate) fn homes_of(nodes: usize, homes: usize, first: bool) -> Vec<usize> {
    (0..homes).map(|home| if first { home } else { home * nodes / homes }).collect()
}
