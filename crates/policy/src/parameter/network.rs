//! The parameters of rules that look at the network: whether distances are measured, how much goes
//! between regions, how whole jobs are laid out, and which way room goes between homes.

use bary_model::time::Span;

use crate::flow::Rule;
use crate::layout::Plans;
use crate::parameter::table::{number, time};
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

/// Which plans whole jobs are laid out by.
pub const LAYOUT: Parameter = Parameter {
    key: "layout",
    part: Part::Guard,
    of: &[],
    domain: Domain::Word { words: Plans::WORDS },
    unit: "",
    what: "whether a job whose tasks leave bytes for each other is laid out over regions",
};

/// How much goes from one region to another, for all that goes there together.
pub const BETWEEN: Parameter = Parameter {
    key: "between",
    part: Part::Guard,
    of: &[],
    domain: number(1e-6, 1e9, 25.0),
    unit: "MB/s",
    what: "how fast inputs come from another region, all together",
};

/// How long a unit of weight takes until nodes have shown it.
pub const UNIT: Parameter = Parameter {
    key: "unit",
    part: Part::Guard,
    of: &[],
    domain: time(Span(1), Span::secs(1)),
    unit: "",
    what: "how long a unit of weight takes at speed 1, until nodes have shown it",
};

/// Which way room goes between homes.
pub const FLOW: Parameter = Parameter {
    key: "flow",
    part: Part::Pull,
    of: &[],
    domain: Domain::Word { words: Rule::WORDS },
    unit: "",
    what: "whether nodes without work go to the home that draws most, or along the level flow",
};

/// How uneven homes are before room flows.
pub const FLOW_THRESHOLD: Parameter = Parameter {
    key: "flow_threshold",
    part: Part::Pull,
    of: &[],
    domain: number(0.001, 1e3, 0.3),
    unit: "of the mean share",
    what: "how far a home is from its share before room goes along the level flow",
};
