//! The keys of `[gossip]`.

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::SPAN;

/// The keys of `[gossip]`.
pub static GOSSIP: [Key; 8] = [
    key("probe", SPAN, "\"1s\"", "How often each node asks one other whether it is there.")
        .example("probe = \"1s\""),
    key(
        "timeout",
        SPAN,
        "\"400ms\", or three times the longest latency",
        "How long an answer may take before others are asked to try; below half of `probe`.",
    )
    .example("timeout = \"400ms\""),
    key("helpers", Shape::Integer(1, 16), "4", "How many others are asked to try.")
        .example("helpers = 4"),
    key(
        "suspicion",
        Shape::Integer(1, 100),
        "4",
        "How long a suspect has to defend itself, in probes for each factor of 10 in nodes.",
    )
    .example("suspicion = 4"),
    key("sync", SPAN, "\"1s\"", "How often each node compares what it knows with one other.")
        .example("sync = \"1s\""),
    key("heal", SPAN, "\"10s\"", "How often a node that is gone is asked whether it is back.")
        .example("heal = \"10s\""),
    key("asked", Shape::Integer(1, 64), "3", "How many nodes, the first ones, all ask at first.")
        .example("asked = 3"),
    key(
        "drop_suspects",
        Shape::Flag,
        "false",
        "Whether a node that answers slowly counts as gone before it is known to be.",
    )
    .example("drop_suspects = true"),
];
