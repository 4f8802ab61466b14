//! Every parameter there is. A rule reads the constants named here, so none can be misspelt.

use bary_model::time::Span;

use crate::latency::LatencyMap;
use crate::parameter::bounds::{
    QUEUE_MAX, STEAL_AT, STEAL_BY, STEAL_COUNT, STEAL_MIN, STEAL_TASKS,
};
use crate::parameter::network::{BETWEEN, DISTANCES, FLOW, FLOW_THRESHOLD, LAYOUT, UNIT};
use crate::parameter::waiting::{AGE_MIN, COPIES_MAX, DELAY, JOBS, SLOW_SHARE, SPECULATE, WEIGHTS};
use crate::parameter::{Domain, Parameter, Part};

pub(super) const fn number(min: f64, max: f64, usual: f64) -> Domain {
    Domain::Number { min, max, usual }
}

pub(super) const fn whole(min: u64, max: u64, usual: u64) -> Domain {
    Domain::Whole { min, max, usual }
}

/// A time of at most an hour.
pub(super) const fn time(min: Span, usual: Span) -> Domain {
    Domain::Time { min, max: Span::secs(3_600), usual }
}

/// The share of a node's fair part that one answer holds. Lower means better balance and more
/// messages; a half takes about 2 N log2(T/N) messages for T tasks on N nodes.
pub const ALPHA: Parameter = Parameter {
    key: "alpha",
    part: Part::Pull,
    of: &[],
    domain: number(1e-6, 1.0, 0.5),
    unit: "",
    what: "the share of its fair part that a node is given at once",
};

/// How many round trips before it runs dry a node asks: one for the message and its answer, and
/// a half for how much it varies.
pub const AHEAD: Parameter = Parameter {
    key: "ahead",
    part: Part::Pull,
    of: &[],
    domain: number(1.0, 100.0, 1.5),
    unit: "round trips",
    what: "how long before it runs dry a node asks",
};

/// The round trip at which a home attracts an ask a quarter as strongly.
pub const HOME_QUARTER: Parameter = Parameter {
    key: "home_quarter",
    part: Part::Pull,
    of: &[],
    domain: time(Span(1), Span::millis(1)),
    unit: "",
    what: "the round trip at which a home attracts a quarter as strongly",
};

/// A node may have a task only where that would end within so many times the soonest end there
/// is; infinity where any node may.
pub const GIANTS: Parameter = Parameter {
    key: "giants",
    part: Part::Guard,
    of: &[],
    domain: number(1.0, f64::INFINITY, f64::INFINITY),
    unit: "times",
    what: "how much later than the soonest a task may end where it goes",
};

/// How many of the nodes that can run a task are looked at; a thousand nodes cost a thousand
/// looks otherwise.
pub const LOOKS: Parameter = Parameter {
    key: "looks",
    part: Part::Guard,
    of: &[],
    domain: whole(1, 1_000_000, 1_000_000),
    unit: "nodes",
    what: "how many nodes are looked at for a task, drawn by lot",
};

/// The round trip at which a quarter of gravity's pull is left; the median of the cluster is
/// sensible.
pub const QUARTER: Parameter = Parameter {
    key: "quarter",
    part: Part::Force,
    of: &["gravity"],
    domain: time(Span(1), Span::millis(1)),
    unit: "",
    what: "the round trip at which a quarter of the pull is left",
};

/// How much farther a node counts that is not in the region that the task asks for.
pub const REGION_PENALTY: Parameter = Parameter {
    key: "region_penalty",
    part: Part::Force,
    of: &["gravity"],
    domain: time(Span::ZERO, Span::millis(50)),
    unit: "",
    what: "how much farther a node outside the task's region counts",
};

/// The constant G of the published force.
pub const G: Parameter = Parameter {
    key: "G",
    part: Part::Force,
    of: &["pids-classic", "magnetic", "geo", "quantum"],
    domain: number(1e-9, 1e9, 1.0),
    unit: "",
    what: "the gravitational constant of the published force",
};

/// What the published force adds to a distance, so that it is never zero.
pub const DISTANCE_OFFSET: Parameter = Parameter {
    key: "distance_offset",
    part: Part::Force,
    of: &["pids-classic", "geo"],
    domain: number(1e-9, 1e9, 1.0),
    unit: "ms",
    what: "what is added to a distance, so that it is never zero",
};

/// The published threshold's share of mean load times weight.
pub const FACTOR: Parameter = Parameter {
    key: "factor",
    part: Part::Force,
    of: &["pids-classic"],
    domain: number(0.0, 1e9, 0.8),
    unit: "",
    what: "the threshold as a share of mean load times weight",
};

/// The capacity in the mended force `G * w * (load + w) / capacity`.
pub const WORKER_CAPACITY: Parameter = Parameter {
    key: "worker_capacity",
    part: Part::Force,
    of: &["magnetic", "geo", "quantum"],
    domain: number(1e-9, 1e9, 100.0),
    unit: "of weight",
    what: "the load that fills a node of power 1",
};

/// What the force is multiplied with where kinds match.
pub const ATTRACT: Parameter = Parameter {
    key: "attract",
    part: Part::Force,
    of: &["magnetic"],
    domain: number(1e-9, 1e9, 0.5),
    unit: "",
    what: "what the force is multiplied with at a node of the kind",
};

/// What the force is multiplied with where kinds do not match.
pub const REPEL: Parameter = Parameter {
    key: "repel",
    part: Part::Force,
    of: &["magnetic"],
    domain: number(1e-9, 1e9, 2.0),
    unit: "",
    what: "what the force is multiplied with at a node of another kind",
};

/// Latencies between regions; those given replace the published ones as a whole.
pub const LATENCY: Parameter = Parameter {
    key: "latency",
    part: Part::Force,
    of: &["geo"],
    domain: Domain::Latencies { usual: LatencyMap::published },
    unit: "",
    what: "one-way latencies between regions",
};

/// The threshold below which a node always claims.
pub const THETA: Parameter = Parameter {
    key: "theta",
    part: Part::Force,
    of: &["quantum"],
    domain: number(0.0, 1e9, 1.0),
    unit: "",
    what: "the threshold as a share of the force at the mean load",
};

/// How easily a node claims above the threshold.
pub const TEMPERATURE: Parameter = Parameter {
    key: "temperature",
    part: Part::Force,
    of: &["quantum"],
    domain: number(1e-9, 1e9, 0.1),
    unit: "",
    what: "how far above the threshold one node in e still claims",
};

/// How many nodes are drawn by lot; a thousand bounds what one placement costs.
pub const D: Parameter = Parameter {
    key: "d",
    part: Part::Force,
    of: &["power-of-d"],
    domain: whole(1, 1_000, 2),
    unit: "nodes",
    what: "how many nodes are looked at",
};

/// The bandwidth where a node's is unknown.
pub const BANDWIDTH: Parameter = Parameter {
    key: "bandwidth",
    part: Part::Force,
    of: &["locality", "eft"],
    domain: number(1e-6, 1e9, 125.0),
    unit: "MB/s",
    what: "how fast inputs come to a node",
};

/// The run time where a task's is unknown.
pub const RUN_TIME: Parameter = Parameter {
    key: "run_time",
    part: Part::Force,
    of: &["locality"],
    domain: time(Span(1), Span::secs(1)),
    unit: "",
    what: "how long a task runs where that is unknown",
};

/// The weight of processors in a capability.
pub const CPU_SHARE: Parameter = Parameter {
    key: "cpu_share",
    part: Part::Force,
    of: &["capability", "mixed"],
    domain: number(0.0, 1e3, 0.4),
    unit: "",
    what: "the weight of processors in the score",
};

/// The weight of GPUs in a capability.
pub const GPU_SHARE: Parameter = Parameter {
    key: "gpu_share",
    part: Part::Force,
    of: &["capability", "mixed"],
    domain: number(0.0, 1e3, 0.3),
    unit: "",
    what: "the weight of GPUs in the score",
};

/// The weight of memory in a capability.
pub const MEMORY_SHARE: Parameter = Parameter {
    key: "memory_share",
    part: Part::Force,
    of: &["capability", "mixed"],
    domain: number(0.0, 1e3, 0.2),
    unit: "",
    what: "the weight of memory in the score",
};

/// The weight of the network in a capability.
pub const NETWORK_SHARE: Parameter = Parameter {
    key: "network_share",
    part: Part::Force,
    of: &["capability", "mixed"],
    domain: number(0.0, 1e3, 0.1),
    unit: "",
    what: "the weight of the network in the score",
};

/// The part of capability where both count.
pub const MIX: Parameter = Parameter {
    key: "mix",
    part: Part::Force,
    of: &["mixed"],
    domain: number(0.0, 1.0, 0.5),
    unit: "",
    what: "the part of capability for tasks of a mixed kind",
};

/// The round trip at which a victim's backlog counts a quarter.
pub const STEAL_QUARTER: Parameter = Parameter {
    key: "steal_quarter",
    part: Part::Steal,
    of: &["half", "three", "bounded"],
    domain: time(Span(1), Span::millis(10)),
    unit: "",
    what: "the round trip at which a backlog counts a quarter",
};

/// How many nodes are asked to keep room for a task.
pub const PROBES: Parameter = Parameter {
    key: "probes",
    part: Part::Binding,
    of: &["sample"],
    domain: whole(1, 64, 2),
    unit: "nodes a task",
    what: "how many nodes are asked to keep room for each task",
};

/// By which rule nodes claim.
pub const CLAIM: Parameter = Parameter {
    key: "claim",
    part: Part::Binding,
    of: &["claims"],
    domain: Domain::Word { words: &["zones", "started", "written"] },
    unit: "",
    what: "by which rule nodes claim: by zones, as published but started, or as written",
};

/// How long an announced task waits for a claim before any node that asks may have it.
pub const CLAIM_TIMEOUT: Parameter = Parameter {
    key: "claim_timeout",
    part: Part::Binding,
    of: &["claims"],
    domain: time(Span::millis(1), Span::secs(60)),
    unit: "",
    what: "how long an announced task waits for a claim until any node may ask for it",
};

/// Every parameter, by part.
pub const ALL: &[&Parameter] = &[
    &ALPHA,
    &AHEAD,
    &HOME_QUARTER,
    &FLOW,
    &FLOW_THRESHOLD,
    &GIANTS,
    &DELAY,
    &LOOKS,
    &DISTANCES,
    &LAYOUT,
    &BETWEEN,
    &UNIT,
    &JOBS,
    &WEIGHTS,
    &SPECULATE,
    &SLOW_SHARE,
    &COPIES_MAX,
    &AGE_MIN,
    &QUARTER,
    &REGION_PENALTY,
    &G,
    &DISTANCE_OFFSET,
    &FACTOR,
    &WORKER_CAPACITY,
    &ATTRACT,
    &REPEL,
    &LATENCY,
    &THETA,
    &TEMPERATURE,
    &D,
    &BANDWIDTH,
    &RUN_TIME,
    &CPU_SHARE,
    &GPU_SHARE,
    &MEMORY_SHARE,
    &NETWORK_SHARE,
    &MIX,
    &STEAL_QUARTER,
    &QUEUE_MAX,
    &STEAL_MIN,
    &STEAL_TASKS,
    &STEAL_COUNT,
    &STEAL_AT,
    &STEAL_BY,
    &PROBES,
    &CLAIM,
    &CLAIM_TIMEOUT,
];
