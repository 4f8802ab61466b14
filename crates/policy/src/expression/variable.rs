//! The facts that a formula may name. What is unknown of a node or a task counts as nothing: no
//! bytes, no closeness, nothing in use but what was granted.

use crate::view::{NodeView, TaskView};

/// A task and a node that could run it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The task.
    pub task: &'a TaskView<'a>,
    /// The node.
    pub node: &'a NodeView<'a>,
}

/// A fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`what` says it for people")]
pub enum Variable {
    Load,
    MeanLoad,
    Weight,
    Power,
    Capacity,
    Speed,
    Slots,
    DistanceMs,
    RoundTripMs,
    Granted,
    Queued,
    Cpus,
    Gpus,
    MemoryGib,
    FreeCpus,
    CpuUsed,
    MemoryUsed,
    NeedCpus,
    NeedGpus,
    NeedGib,
    SameRegion,
    BytesMs,
    RunMs,
    Closeness,
    Fiedler,
}

impl Variable {
    /// Every fact there is.
    pub const ALL: &'static [Self] = &[
        Self::Load,
        Self::MeanLoad,
        Self::Weight,
        Self::Power,
        Self::Capacity,
        Self::Speed,
        Self::Slots,
        Self::DistanceMs,
        Self::RoundTripMs,
        Self::Granted,
        Self::Queued,
        Self::Cpus,
        Self::Gpus,
        Self::MemoryGib,
        Self::FreeCpus,
        Self::CpuUsed,
        Self::MemoryUsed,
        Self::NeedCpus,
        Self::NeedGpus,
        Self::NeedGib,
        Self::SameRegion,
        Self::BytesMs,
        Self::RunMs,
        Self::Closeness,
        Self::Fiedler,
    ];

    /// Its name, and what it is.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Load => ("load", "weight that the node holds"),
            Self::MeanLoad => ("mean_load", "its even part of all loads"),
            Self::Weight => ("weight", "the task's weight"),
            Self::Power => ("power", "slots times measured speed, in any unit"),
            Self::Capacity => ("capacity", "slots times declared speed"),
            Self::Speed => ("speed", "declared speed of a slot"),
            Self::Slots => ("slots", "slots"),
            Self::DistanceMs => ("distance_ms", "the way there, in ms"),
            Self::RoundTripMs => ("round_trip_ms", "the way there and back, in ms"),
            Self::Granted => ("granted", "tasks granted so far"),
            Self::Queued => ("queued", "tasks granted that have not ended"),
            Self::Cpus => ("cpus", "cores"),
            Self::Gpus => ("gpus", "GPUs"),
            Self::MemoryGib => ("memory_gib", "memory in GiB"),
            Self::FreeCpus => ("free_cpus", "free cores"),
            Self::CpuUsed => ("cpu_used", "busy share of processors, 0 to 1"),
            Self::MemoryUsed => ("memory_used", "used share of memory, 0 to 1"),
            Self::NeedCpus => ("need_cpus", "cores that the task needs"),
            Self::NeedGpus => ("need_gpus", "GPUs that it needs"),
            Self::NeedGib => ("need_gib", "memory that it needs, in GiB"),
            Self::SameRegion => ("same_region", "1 where the task asks for no other region"),
            Self::BytesMs => ("bytes_ms", "how long missing inputs take to come, in ms"),
            Self::RunMs => ("run_ms", "how long the task should run, in ms"),
            Self::Closeness => ("closeness", "current-flow closeness, 0 to 1"),
            Self::Fiedler => ("fiedler", "component of the Fiedler vector"),
        }
    }

    /// Its name in a formula.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.texts().0
    }

    /// What it is, in a line.
    #[must_use]
    pub fn what(self) -> &'static str {
        self.texts().1
    }

    /// What it is for a task and a node.
    #[inline]
    pub(super) fn of(self, facts: &Facts<'_>) -> f64 {
        let (task, node) = (facts.task, facts.node);
        match self {
            Self::Load => node.load as f64 / 1e3,
            Self::MeanLoad => node.mean_load as f64 / 1e3,
            Self::Weight => task.weight.units(),
            Self::Power => node.power,
            Self::Capacity => node.info.power(),
            Self::Speed => node.info.speed,
            Self::Slots => f64::from(node.info.slots),
            Self::DistanceMs => node.distance_ms(),
            Self::RoundTripMs => node.round_trip.0 as f64 / 1e6,
            Self::Granted => node.granted as f64,
            Self::Queued => node.tasks as f64,
            Self::Cpus => node.info.resources.milli_cpus as f64 / 1e3,
            Self::Gpus => node.info.resources.milli_gpus as f64 / 1e3,
            Self::MemoryGib => gib(node.info.resources.memory),
            Self::FreeCpus => facts.free_cpus(),
            Self::CpuUsed => node.busy(),
            Self::MemoryUsed => node.used.map_or(0.0, |used| used.memory),
            Self::NeedCpus => task.request.resources.milli_cpus as f64 / 1e3,
            Self::NeedGpus => task.request.resources.milli_gpus as f64 / 1e3,
            Self::NeedGib => gib(task.request.resources.memory),
            Self::SameRegion => facts.same_region(),
            Self::BytesMs => facts.bytes_ms(),
            Self::RunMs => task.known.run_time.map_or(0.0, |span| span.0 as f64 / 1e6),
            Self::Closeness => node.scores.map_or(0.0, |scores| scores.closeness),
            Self::Fiedler => node.scores.map_or(0.0, |scores| scores.fiedler),
        }
    }
}

impl Facts<'_> {
    fn free_cpus(&self) -> f64 {
        let whole = self.node.info.resources.milli_cpus as f64;
        let idle = || whole * (1.0 - self.node.occupied());
        self.node.free.map_or_else(idle, |free| free.milli_cpus as f64) / 1e3
    }

    fn same_region(&self) -> f64 {
        match &self.task.request.region {
            Some(region) if *region != self.node.info.region => 0.0,
            _ => 1.0,
        }
    }

    fn bytes_ms(&self) -> f64 {
        let bytes = self.task.known.bytes.unwrap_or(0);
        let missing = bytes.saturating_sub(self.node.bytes_here.unwrap_or(0));
        // A gigabit a second: nobody measures it.
        missing as f64 / 125e6 * 1e3
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / (1_u64 << 30) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fact_has_a_name_of_its_own() {
        for (at, variable) in Variable::ALL.iter().enumerate() {
            let same = |other: &&Variable| other.name() == variable.name();
            assert_eq!(Variable::ALL.iter().position(|other| same(&other)), Some(at));
            assert!(!variable.what().is_empty());
        }
    }
}
