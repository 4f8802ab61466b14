//! The parameters of rules that look at the network: whether distances are measured.

use crate::parameter::{Domain, Parameter, Part};

/// Whether nodes measure how far they are from each other though no other part needs it.
pub const DISTANCES: Parameter = Parameter {
    key: "distances",
    part: Part::Guard,
    of: &[],
    domain: Domain::Word { words: &["told", "measured"] },
    unit: "",
    what: "whether nodes go by the round trips that they were told, or measure them",
};
