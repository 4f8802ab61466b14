//! The keys of `[[fault]]`: the same kinds as drawn worlds have, by the same names.

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::{NODE, SPAN, TIME};

/// The kinds of faults.
pub const KINDS: &[&str] = &[
    "crash",
    "power",
    "death",
    "pause",
    "slow",
    "jump",
    "partition",
    "one-way",
    "deaf",
    "bridge",
    "flap",
    "false-left",
    "eio",
    "full",
    "slow-disk",
    "rot",
    "takeover",
];

/// The keys of `[[fault]]`.
pub static FAULT: [Key; 11] = [
    key(
        "kind",
        Shape::Choice(KINDS),
        "",
        "What goes wrong. With a process: crash, power, death, pause, slow, jump. Between nodes: \
         partition, one-way, deaf, bridge, flap, false-left. With a home's journal: eio, full, \
         slow-disk, rot, takeover.",
    )
    .example("kind = \"crash\"")
    .required(),
    key("at", TIME, "0", "When it begins.").example("at = \"1s\""),
    key("lasts", SPAN, "\"1s\"", "How long it lasts; a death, a jump and rot are for good.")
        .example("lasts = \"500ms\""),
    key(
        "nodes",
        Shape::Either(&[NODE, Shape::List(&NODE)]),
        "",
        "Whom it meets, by number from 0.",
    )
    .example("nodes = [0, 3]"),
    key("region", Shape::Text, "", "Instead: all nodes of a region.").example("region = \"eu\""),
    key("lag", TIME, "0", "By how much each message of a slow node takes longer.")
        .example("lag = \"20ms\""),
    key("ahead", SPAN, "\"5s\"", "How far a clock jumps ahead.").example("ahead = \"1m\""),
    key("period", SPAN, "\"200ms\"", "How long a flapping partition takes to come and go.")
        .example("period = \"1s\""),
    key("sync", SPAN, "\"500ms\"", "How long each sync of a slow disk takes.")
        .example("sync = \"2s\""),
    key("room", Shape::Size, "\"20kB\"", "How many bytes are left on a full disk.")
        .example("room = \"4kB\""),
    key(
        "by",
        NODE,
        "",
        "A second node: which both sides of a bridge reach, which takes the others for gone, or \
         which opens a home's journal.",
    )
    .example("by = 2"),
];
