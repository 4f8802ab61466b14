//! The keys of `[[scaling]]` and of `prices`.

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::{SPAN, TIME};
use crate::lab::limits::NODES_MAX;

/// The rules; `fixed` is a number of nodes that stays.
pub const RULES: &[&str] = &["fixed", "queue", "wait", "cost"];

const NODES: Shape = Shape::Integer(1, NODES_MAX as i64);
const PRICE: Shape = Shape::Number(0.0, 1e6);
const PERCENT: Shape = Shape::Integer(1, 1_000);

/// The keys of `[[scaling]]`.
pub static SCALING: [Key; 18] = [
    key(
        "rule",
        Shape::Choice(RULES),
        "",
        "How many nodes there are: so many for good (fixed), or as many as tasks ask for (queue), \
         as waits of a target ask for (wait), or as are worth their price (cost).",
    )
    .example("rule = \"wait\"")
    .required(),
    key("name", Shape::Text, "the rule with what is said of it", "What the row is called.")
        .example("name = \"patient\""),
    key("nodes", NODES, "all", "Of fixed: how many nodes there are, the first ones.")
        .example("nodes = 16"),
    key(
        "per_node",
        Shape::Number(0.001, 1e6),
        "2 for each slot",
        "Of queue: how many tasks a node shall have, those that it runs included.",
    )
    .example("per_node = 1"),
    key("target", SPAN, "\"2m\"", "Of wait: within how long what waits shall have begun.")
        .example("target = \"10m\""),
    key("bill", SPAN, "\"5m\"", "Of cost: the shortest time that a node is paid for.")
        .example("bill = \"1h\""),
    key("least", NODES, "as many as homes", "The fewest nodes.").example("least = 2"),
    key("most", NODES, "all", "The most nodes.").example("most = 50"),
    key("first", NODES, "as `least`", "How many there are at first.").example("first = 4"),
    key("start_up", TIME, "\"1m\"", "How long a node takes to join; it is paid for meanwhile.")
        .example("start_up = \"3m\""),
    key("every", SPAN, "\"15s\"", "How often the rule looks.").example("every = \"1m\""),
    key("window", SPAN, "\"10m\"", "Over how long it measures how much work arrives.")
        .example("window = \"30m\""),
    key("pause_add", TIME, "\"3m\"", "How long after an addition nothing is added.")
        .example("pause_add = \"1m\""),
    key("pause_remove", TIME, "\"15m\"", "How long after any change nothing is taken away.")
        .example("pause_remove = \"5m\""),
    key("steady", TIME, "\"15m\"", "For how long fewer must have been wanted.")
        .example("steady = \"5m\""),
    key(
        "band",
        Shape::Integer(0, 99),
        "10",
        "By how many percent more or fewer must be wanted before anything is done.",
    )
    .example("band = 20"),
    key("step_add", PERCENT, "100", "At most how many percent are added at a time; 4 always may.")
        .example("step_add = 50"),
    key(
        "step_remove",
        Shape::Integer(1, 100),
        "50",
        "At most how many percent are taken away at a time; one always may.",
    )
    .example("step_remove = 25"),
];

/// The keys of `prices`.
pub static PRICES: [Key; 2] = [
    key("node_hour", Shape::Number(1e-6, 1e6), "1", "What an hour of a node costs.")
        .example("node_hour = 0.4"),
    key("wait_hour", PRICE, "1", "What it costs that a task waits for an hour.")
        .example("wait_hour = 0.1"),
];
