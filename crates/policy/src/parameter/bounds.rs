//! The parameters of queues that are bounded, and of how tasks are stolen from them.

use crate::parameter::table::{number, whole};
use crate::parameter::{Domain, Parameter, Part};

/// How many tasks a node's queue holds.
pub const QUEUE_MAX: Parameter = Parameter {
    key: "queue_max",
    part: Part::Steal,
    of: &["bounded"],
    domain: whole(1, 1_000_000, 10),
    unit: "tasks",
    what: "how many tasks wait at a node at most, beside those that run",
};

/// How many tasks must wait at a node before it is stolen from.
pub const STEAL_MIN: Parameter = Parameter {
    key: "steal_min",
    part: Part::Steal,
    of: &["bounded"],
    domain: whole(1, 1_000_000, 2),
    unit: "tasks",
    what: "how many tasks wait at least where some are stolen",
};

/// How many tasks one steal takes at most.
pub const STEAL_TASKS: Parameter = Parameter {
    key: "steal_tasks",
    part: Part::Steal,
    of: &["three", "bounded"],
    domain: whole(1, 1_000_000, 3),
    unit: "tasks",
    what: "how many tasks one steal takes at most",
};

/// How often one task is stolen at most.
pub const STEAL_COUNT: Parameter = Parameter {
    key: "steal_count",
    part: Part::Steal,
    of: &["bounded"],
    domain: whole(1, 1_000_000, 3),
    unit: "steals",
    what: "how often one task is stolen at most",
};

/// How full a queue is when stealing from it begins, where the full node begins.
pub const STEAL_AT: Parameter = Parameter {
    key: "steal_at",
    part: Part::Steal,
    of: &["bounded"],
    domain: number(0.0, 1.0, 0.8),
    unit: "of queue_max",
    what: "how full a queue is when tasks are taken from it",
};

/// Who begins: a node that is idle, or one whose queue is full.
pub const STEAL_BY: Parameter = Parameter {
    key: "steal_by",
    part: Part::Steal,
    of: &["bounded"],
    domain: Domain::Word { words: &["full", "idle"] },
    unit: "",
    what: "who begins: the node whose queue is full, or one that is idle",
};
