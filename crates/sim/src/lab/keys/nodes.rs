//! The keys of `[[nodes]]`.

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::{CORES, NUMBER, SHARE, SPAN};
use crate::lab::limits::NODES_MAX;

/// Millionths of a clock; at most a fifth.
const DRIFT: Shape = Shape::Integer(-200_000, 200_000);
/// A frequency in MHz.
const MHZ: Shape = Shape::Integer(100, 100_000);

/// The keys of `[[nodes]]`.
pub static NODES: [Key; 17] = [
    key("count", Shape::Integer(1, NODES_MAX as i64), "1", "How many nodes are like this.")
        .example("count = 10"),
    key(
        "speed",
        Shape::Either(&[NUMBER, Shape::List(&NUMBER)]),
        "1",
        "How much weight a slot does in a unit of time; of several speeds, the nodes of the group \
         have one after another.",
    )
    .example("speed = [0.5, 1, 2, 4]"),
    key("slots", CORES, "1", "How many tasks of one core run at a time.").example("slots = 4"),
    key("cpus", CORES, "as many as slots", "How many cores there are.").example("cpus = 4"),
    key("memory", Shape::Size, "\"64GiB\"", "How much memory there is.")
        .example("memory = \"16GiB\""),
    key("gpus", Shape::Integer(0, 1_024), "0", "How many GPUs there are.").example("gpus = 1"),
    key(
        "mhz",
        Shape::Either(&[MHZ, Shape::List(&MHZ)]),
        "not known",
        "Which frequency their processors are found to have; of several, the nodes of the group \
         have one after another. How long tasks take goes by `speed`.",
    )
    .example("mhz = [2000, 3500]"),
    key("gpu_memory", Shape::Size, "not known", "How much memory each GPU is found to have.")
        .example("gpu_memory = \"24GiB\""),
    key(
        "bandwidth",
        Shape::Size,
        "not known",
        "How many bytes a second their links are found to take. How long messages take goes by \
         `[network]`.",
    )
    .example("bandwidth = \"125MB\""),
    key("lost", SHARE, "0", "Which share of what they send is found to be lost.")
        .example("lost = 0.01"),
    key("region", Shape::Text, "\"r0\"", "Where they are.").example("region = \"eu\""),
    key("labels", Shape::Map(&Shape::Text), "", "Labels that tasks may ask for.")
        .example("labels = { disk = \"ssd\" }"),
    key(
        "drift",
        Shape::Either(&[DRIFT, Shape::List(&DRIFT)]),
        "0",
        "By how many millionths their clocks run fast, or slow where it is below 0; of several, \
         the nodes of the group have one after another.",
    )
    .example("drift = [-200, 0, 200]"),
    key(
        "busy",
        Shape::Either(&[SHARE, Shape::List(&SHARE)]),
        "0",
        "Which share of their processors is busy with other things; of several, the nodes of the \
         group have one after another.",
    )
    .example("busy = [0.5, 0, 0, 0]"),
    key(
        "full",
        Shape::Either(&[SHARE, Shape::List(&SHARE)]),
        "0",
        "Which share of their memory other things use.",
    )
    .example("full = 0.3"),
    key(
        "busy_turn",
        SPAN,
        "for ever",
        "How long that stays so: then each node has what the next one of the group had.",
    )
    .example("busy_turn = \"30s\""),
    key("busy_noise", SHARE, "0", "By how much measurements of it are off: their deviation.")
        .example("busy_noise = 0.05"),
];
