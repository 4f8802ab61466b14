//! The parameters of what waits and of what is waited for: how long a task waits for its node, and
//! when tasks that take too long are copied.

use bary_model::time::Span;

use crate::parameter::table::{number, time, whole};
use crate::parameter::{Domain, Parameter, Part};

/// How long a task waits for the node that has most of what it reads; nobody waits longer than an
/// hour for bytes that could be moved.
pub const DELAY: Parameter = Parameter {
    key: "delay",
    part: Part::Queue,
    of: &[],
    domain: time(Span::ZERO, Span::ZERO),
    unit: "",
    what: "how long a task waits for the node that has most of what it reads",
};

/// Whether jobs go one after another, as they came, before the order counts.
pub const JOBS: Parameter = Parameter {
    key: "jobs",
    part: Part::Queue,
    of: &[],
    domain: Domain::Word { words: &["order", "arrival", "together"] },
    unit: "",
    what: "whether the order counts among the tasks of one job, or of all",
};

/// What a task's run time is thought to be where nothing is said of it.
pub const WEIGHTS: Parameter = Parameter {
    key: "weights",
    part: Part::Queue,
    of: &[],
    domain: Domain::Word { words: &["declared", "learnt"] },
    unit: "",
    what: "whether run times are learnt where no estimate is said",
};

/// Whether nodes without work get copies of stragglers.
pub const SPECULATE: Parameter = Parameter {
    key: "speculate",
    part: Part::Queue,
    of: &[],
    domain: Domain::Word { words: &["none", "late"] },
    unit: "",
    what: "whether nodes without work run copies of stragglers",
};

/// Which share of the tasks that run counts as slow.
pub const SLOW_SHARE: Parameter = Parameter {
    key: "slow_share",
    part: Part::Queue,
    of: &[],
    domain: number(0.001, 1.0, 0.25),
    unit: "",
    what: "which share of the tasks that run counts as slow",
};

/// How many copies of stragglers there may be; a million bounds what is kept in mind of them.
pub const COPIES_MAX: Parameter = Parameter {
    key: "copies_max",
    part: Part::Queue,
    of: &[],
    domain: whole(1, 1_000_000, 10),
    unit: "copies",
    what: "how many copies of stragglers a home has at a time",
};

/// How long a task has run at least before it is copied.
pub const AGE_MIN: Parameter = Parameter {
    key: "age_min",
    part: Part::Queue,
    of: &[],
    domain: time(Span::ZERO, Span::secs(1)),
    unit: "",
    what: "how long a task has run at least before it is copied",
};
