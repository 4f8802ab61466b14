//! The keys of `[attempts]`: how tasks go wrong by themselves, and what is done about it.

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::SPAN;

/// How many of a hundred.
const PERCENT: Shape = Shape::Integer(0, 100);

/// The keys of `[attempts]`.
pub static ATTEMPTS: [Key; 8] = [
    key("fails", PERCENT, "0", "How many of a hundred attempts fail.").example("fails = 5"),
    key(
        "hangs",
        PERCENT,
        "0",
        "How many of a hundred never end by themselves, nor when they are asked to; `timeout` ends \
         them.",
    )
    .example("hangs = 1"),
    key(
        "silent",
        PERCENT,
        "0",
        "How many of a hundred show no life; `heartbeat` ends them where they take longer.",
    )
    .example("silent = 1"),
    key(
        "poison",
        PERCENT,
        "0",
        "How many of a hundred tasks take their node's process down the first once or twice.",
    )
    .example("poison = 1"),
    key("retries", Shape::Integer(0, 1_000), "3", "How many more attempts a failed task gets.")
        .example("retries = 3"),
    key("backoff", SPAN, "\"100ms\"", "How long it waits before the second; then twice as long.")
        .example("backoff = \"10ms\""),
    key("timeout", SPAN, "none", "How long an attempt may take.").example("timeout = \"1m\""),
    key("heartbeat", SPAN, "none", "How long an attempt may show no life.")
        .example("heartbeat = \"1s\""),
];
