//! The keys of the tables inside a task.

use crate::keys::{Key, Shape, key};

/// An entry of `after` in its long form.
pub(crate) const ONE_AFTER: Shape = Shape::Record(&AFTER);

/// A file to move.
pub(crate) const FILE_MOVE: Shape = Shape::Either(&[Shape::Text, Shape::Record(&MOVE)]);

/// The ways of making one result of many.
pub const REDUCTIONS: [&str; 6] = ["SUM", "AVERAGE", "MAX", "MIN", "CONCAT", "CUSTOM"];

/// The keys of `each-file`.
pub static EACH_FILE: [Key; 3] = [
    key("path", Shape::Text, "", "The directory, file or pattern.")
        .required()
        .example("path = \"src\""),
    key("match", Shape::Text, "every name", "A pattern for the names of files.")
        .example("match = \"*.rs\""),
    key("text", Shape::Flag, "false", "Leave out files that are not text.").example("text = true"),
];

/// The keys of an entry of `after`.
pub static AFTER: [Key; 2] = [
    key("task", Shape::Text, "", "The name of the task.").required().example("task = \"split\""),
    key("aligned", Shape::Flag, "false", "Index by index: both must be arrays of one length.")
        .example("aligned = true"),
];

/// The keys of `limit`.
pub static LIMIT: [Key; 2] = [
    key("name", Shape::Text, "", "Its name; tasks of any job that name the same share it.")
        .required()
        .example("name = \"licence\""),
    key("most", Shape::Integer(1, u32::MAX as i64), "", "How many of them run at a time.")
        .required()
        .example("most = 4"),
];

/// The keys of `reduce`.
pub static REDUCE: [Key; 4] = [
    key("op", Shape::Choice(&REDUCTIONS), "", "How to reduce.")
        .required()
        .example("op = \"AVERAGE\""),
    key(
        "weights",
        Shape::Either(&[
            Shape::Choice(&["samples", "nodes"]),
            Shape::List(&Shape::Number(0.0, f64::MAX)),
        ]),
        "all equal",
        "For AVERAGE: by the `samples` that each result names, by the nodes that made \
         them, or one number an index.",
    )
    .example("weights = \"samples\""),
    key("function", Shape::Text, "", "For CUSTOM: a function that reads every result.")
        .example("function = \"median\""),
    key(
        "command",
        Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
        "",
        "For CUSTOM: a program that reads every result from its standard input, one a \
         line.",
    )
    .example("command = [\"sort\", \"-u\"]"),
];

/// The keys of `backoff`.
pub static BACKOFF: [Key; 4] = [
    key("base", Shape::Time { zero: true }, "100ms", "The wait after the first failure.")
        .example("base = \"1s\""),
    key("max", Shape::Time { zero: true }, "1m", "The longest wait; not below `base`.")
        .example("max = \"5m\""),
    key("factor", Shape::Number(1.0, 1e3), "2", "By how much each wait is longer than the last.")
        .example("factor = 1.5"),
    key("jitter", Shape::Number(0.0, 1.0), "0.5", "The share of the wait that is random.")
        .example("jitter = 0"),
];

/// The keys of an entry of `inputs` and `outputs`.
pub static MOVE: [Key; 2] = [
    key("from", Shape::Text, "", "Where the file is.").required().example("from = \"/data/a.csv\""),
    key("to", Shape::Text, "", "Where it is wanted.").required().example("to = \"a.csv\""),
];
