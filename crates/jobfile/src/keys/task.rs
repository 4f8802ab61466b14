//! The keys of one task.

use crate::keys::parts::{BACKOFF, EACH_FILE, FILE_MOVE, LIMIT, ONE_AFTER, REDUCE, REDUCTIONS};
use crate::keys::{Key, Shape, key};
use crate::limits;

/// The keys of one task.
pub static TASK: [Key; 39] = [
    key(
        "name",
        Shape::Text,
        "",
        "What other tasks, messages and `bary why` call it: letters, digits, `_`, `.` \
         and `-`; unique in the file.",
    )
    .example("name = \"count\""),
    key(
        "command",
        Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
        "",
        "A program and its arguments. One string is split into words as a shell does; \
         no shell runs unless `shell` is set. What it prints to standard output is \
         its result.",
    )
    .example("command = [\"wc\", \"-l\", \"{file}\"]"),
    key("function", Shape::Text, "", "A built-in or registered function, instead of `command`.")
        .example("function = \"wordcount\""),
    key(
        "args",
        Shape::Any,
        "no arguments",
        "The arguments of `function`: an array by position, a table by name, or one \
         value. Numbers, arrays and tables inside become JSON.",
    )
    .example("args = { iterations = 1000000, seed = \"{index}\" }"),
    key(
        "shell",
        Shape::Flag,
        "false",
        "Run `command`, one string, with `sh -c`. Values of placeholders reach the \
         shell quoted, each as one word; parameters reach it as they are.",
    )
    .inherits()
    .example("shell = true"),
    key(
        "array",
        Shape::Either(&[Shape::Text, Shape::Integer(0, i64::MAX)]),
        "one task",
        "Makes it an array: the indices `FIRST-LAST` or `FIRST-LAST:STEP`, or a \
         count. `{index}` is the index.",
    )
    .example("array = \"1-100\""),
    key(
        "gang",
        Shape::Integer(1, 4_096),
        "each task alone",
        "How many tasks are one gang: that many indices that follow each other start \
         together, as ranks that know where they meet, and are tried again together. \
         Without an array there are that many tasks.",
    )
    .example("gang = 4"),
    key(
        "each-line",
        Shape::Text,
        "",
        "Makes it an array with one task for each line of a file. `{line}` is the \
         line.",
    )
    .example("each-line = \"urls.txt\""),
    key(
        "each-file",
        Shape::Either(&[Shape::Text, Shape::Record(&EACH_FILE)]),
        "",
        "Makes it an array with one task for each file of a directory (walked to the \
         bottom) or of a pattern such as `src/**/*.rs`, sorted by name. `{file}` is \
         its path.",
    )
    .example("each-file = { path = \"docs\", match = \"*.md\" }"),
    key(
        "after",
        Shape::Either(&[
            Shape::Text,
            ONE_AFTER,
            Shape::List(&Shape::Either(&[Shape::Text, ONE_AFTER])),
        ]),
        "",
        "The tasks that must end first. An array is waited for as a whole, or index \
         by index where `aligned` is set.",
    )
    .example("after = [\"fetch\", { task = \"split\", aligned = true }]"),
    key(
        "run-if",
        Shape::Choice(&["success", "failure", "always"]),
        "success",
        "Which ends of the tasks in `after` let it run: all succeeded, at least one \
         did not, or any. Otherwise it is skipped.",
    )
    .example("run-if = \"failure\""),
    key(
        "reduce",
        Shape::Either(&[Shape::Choice(&REDUCTIONS), Shape::Record(&REDUCE)]),
        "",
        "Makes one result of the results of all indices. Others that name this task \
         as a whole then get that result. The work is done by a task called \
         `NAME.reduce`.",
    )
    .example("reduce = \"SUM\""),
    key(
        "weight",
        Shape::Number(0.001, 1e6),
        "1",
        "How much work each task is, in any unit that you use throughout the job. \
         Heavy tasks start first.",
    )
    .inherits()
    .example("weight = 5.5"),
    key(
        "estimate",
        Shape::Time { zero: false },
        "not said",
        "How long each task should take on a node of speed 1. Policies that let tasks \
         stand in line go by it; nothing is ended that takes longer.",
    )
    .inherits()
    .example("estimate = \"20m\""),
    key(
        "output-size",
        Shape::Size,
        "not said",
        "How large the result of each task will be. Policies that count bytes place \
         what reads it by that.",
    )
    .inherits()
    .example("output-size = \"200MiB\""),
    key(
        "cpus",
        Shape::Number(0.001, 1e6),
        "1",
        "The cores that each task holds while it runs; fractions are allowed.",
    )
    .inherits()
    .example("cpus = 0.5"),
    key("memory", Shape::Size, "none", "The memory that each task holds while it runs.")
        .inherits()
        .example("memory = \"4GiB\""),
    key(
        "gpus",
        Shape::Number(0.0, 1e6),
        "0",
        "The GPUs that each task holds while it runs; fractions are allowed.",
    )
    .inherits()
    .example("gpus = 1"),
    key(
        "resources",
        Shape::Map(&Shape::Integer(1, i64::MAX)),
        "none",
        "Other countable things that each task holds while it runs.",
    )
    .inherits()
    .example("resources = { licence = 1 }"),
    key(
        "where",
        Shape::Map(&Shape::Text),
        "anywhere",
        "Labels that the node must have. `!value` asks for any other value.",
    )
    .inherits()
    .example("where = { arch = \"x86_64\", disk = \"!hdd\" }"),
    key(
        "kind",
        Shape::Choice(&["compute", "communication", "io", "mixed"]),
        "compute",
        "What the tasks are bound by.",
    )
    .inherits()
    .example("kind = \"io\""),
    key("region", Shape::Text, "any", "The region that the tasks would rather run in.")
        .inherits()
        .example("region = \"eu\""),
    key(
        "limit",
        Shape::Record(&LIMIT),
        "none",
        "At most so many of the tasks that name this limit run at a time, on all nodes \
         together.",
    )
    .inherits()
    .example("limit = { name = \"licence\", most = 4 }"),
    key(
        "priority",
        Shape::Integer(i32::MIN as i64, i32::MAX as i64),
        "0",
        "Higher runs first, whatever the weights.",
    )
    .inherits()
    .example("priority = 10"),
    key(
        "timeout",
        Shape::Time { zero: false },
        "1h",
        "How long one attempt may take. It is then asked to end, and after `grace` \
         killed with everything it started.",
    )
    .inherits()
    .example("timeout = \"1h30m\""),
    key(
        "grace",
        Shape::Time { zero: true },
        "5s",
        "How long a task has between the request to end and its kill.",
    )
    .inherits()
    .example("grace = \"10s\""),
    key(
        "heartbeat-timeout",
        Shape::Time { zero: false },
        "no limit",
        "How long an attempt may print nothing and report nothing.",
    )
    .inherits()
    .example("heartbeat-timeout = \"5m\""),
    key(
        "retries",
        Shape::Integer(0, limits::RETRIES_MAX as i64),
        "0",
        "How many more attempts a failed task gets.",
    )
    .inherits()
    .example("retries = 3"),
    key(
        "backoff",
        Shape::Record(&BACKOFF),
        "",
        "How long a failed task waits before its next attempt: `base * \
         factor^(attempt - 1)`, at most `max`, of which the share `jitter` is random.",
    )
    .inherits()
    .example("backoff = { base = \"1s\", max = \"2m\" }"),
    key(
        "cache",
        Shape::Either(&[Shape::Flag, Shape::Time { zero: false }]),
        "false",
        "Take the result of equal work from the node's result cache instead of running, where \
         it is no older than this; `true` is a day. For tasks that give the same whenever they \
         are called with the same, and leave nothing behind but their result.",
    )
    .inherits()
    .example("cache = \"1h\""),
    key(
        "env",
        Shape::Map(&Shape::Text),
        "",
        "Variables added to the environment of a command. Those of the task win over \
         those at the top of the file, name by name.",
    )
    .inherits()
    .example("env = { LANG = \"C\", N = \"{index}\" }"),
    key("cwd", Shape::Text, "the directory of the job", "The directory that a command runs in.")
        .inherits()
        .example("cwd = \"/data/{1}\""),
    key("stdin", Shape::Text, "nothing", "A file that a command reads as its standard input.")
        .example("stdin = \"{file}\""),
    key("stdin-text", Shape::Text, "nothing", "A text that a command reads as its standard input.")
        .example("stdin-text = \"{result.count}\""),
    key(
        "stdout",
        Shape::Text,
        "kept as the result",
        "A file for the standard output of a command.",
    )
    .example("stdout = \"out/{index}.txt\""),
    key("stderr", Shape::Text, "kept for reports", "A file for the standard error of a command.")
        .example("stderr = \"out/{index}.err\""),
    key(
        "inputs",
        Shape::List(&FILE_MOVE),
        "",
        "Files brought into the task's own scratch directory, where it then runs. A \
         string keeps its path.",
    )
    .example("inputs = [\"data/{index}.csv\", { from = \"/etc/hosts\", to = \"hosts\" }]"),
    key(
        "outputs",
        Shape::List(&FILE_MOVE),
        "",
        "Files collected from the scratch directory after success. A string keeps its \
         path.",
    )
    .example("outputs = [{ from = \"out.csv\", to = \"results/{index}.csv\" }]"),
    key(
        "detail",
        Shape::Flag,
        "false",
        "Report each index of an array of functions with its own times, not only \
         together.",
    )
    .inherits()
    .example("detail = true"),
];
