//! The keys of a scenario. This one table is what scenarios are checked against and what the
//! page of the simulator must name.

pub mod attempts;
pub mod fault;
pub mod gossip;
pub mod nodes;
pub mod scaling;

use bary_jobfile::keys::{Key, Shape, key};

use crate::lab::keys::attempts::ATTEMPTS;
use crate::lab::keys::fault::FAULT;
use crate::lab::keys::gossip::GOSSIP;
use crate::lab::keys::nodes::NODES;
use crate::lab::keys::scaling::{PRICES, SCALING};
use crate::lab::limits::{CORES_MAX, NODES_MAX, SEEDS_MAX, TASKS_MAX};

const NUMBER: Shape = Shape::Number(1e-6, 1e6);
const SHARE: Shape = Shape::Number(0.0, 1.0);
const TIME: Shape = Shape::Time { zero: true };
const SPAN: Shape = Shape::Time { zero: false };
/// A node by its number.
const NODE: Shape = Shape::Integer(0, NODES_MAX as i64 - 1);
const CORES: Shape = Shape::Integer(1, CORES_MAX as i64);

/// The keys at the top.
pub static TOP: [Key; 16] = [
    key("name", Shape::Text, "the file's name", "What the scenario is called.")
        .example("name = \"two regions\""),
    key("unit", SPAN, "\"10ms\"", "How long a task of weight 1 takes at speed 1.")
        .example("unit = \"10ms\""),
    key(
        "homes",
        Shape::Integer(1, NODES_MAX as i64),
        "1",
        "How many nodes take work in and know the truth about it, spread evenly over all nodes.",
    )
    .example("homes = 4"),
    key(
        "met",
        Shape::Flag,
        "false",
        "Whether each home has had a task before, so that all nodes know it and wait for work.",
    )
    .example("met = true"),
    key(
        "policies",
        Shape::List(&Shape::Text),
        "[\"gravity\", \"work-stealing\", \"least-loaded\", \"round-robin\", \"random\"]",
        "The policies that are compared: presets, or presets with parts.",
    )
    .example("policies = [\"gravity\", \"gravity,alpha=0.25\", \"random\"]"),
    key(
        "seeds",
        Shape::Integer(1, SEEDS_MAX as i64),
        "5",
        "How many times each policy lives the scenario, each time drawn anew.",
    )
    .example("seeds = 20"),
    key("seed", Shape::Integer(0, i64::MAX), "1", "The first of these seeds; the others follow.")
        .example("seed = 1"),
    key("nodes", Shape::List(&Shape::Record(&NODES)), "", "Groups of nodes.").example("[[nodes]]"),
    key("network", Shape::Record(&NETWORK), "", "How long messages take, and which are lost.")
        .example("[network]"),
    key(
        "gossip",
        Shape::Record(&GOSSIP),
        "none",
        "Nodes learn of each other by gossip over the network; without it, the world tells them.",
    )
    .example("[gossip]"),
    key(
        "scaling",
        Shape::List(&Shape::Record(&SCALING)),
        "none",
        "How many of the nodes there are; of several, each policy is lived with each.",
    )
    .example("[[scaling]]"),
    key("prices", Shape::Record(&PRICES), "1 each", "What nodes and waiting cost.")
        .example("prices = { node_hour = 0.4, wait_hour = 0.1 }"),
    key("sync", TIME, "0", "How long each sync of a home's journal takes.")
        .example("sync = \"1ms\""),
    key("workload", Shape::List(&Shape::Record(&WORKLOAD)), "", "What there is to do.")
        .example("[[workload]]"),
    key("attempts", Shape::Record(&ATTEMPTS), "all succeed", "How tasks go wrong by themselves.")
        .example("[attempts]"),
    key("fault", Shape::List(&Shape::Record(&FAULT)), "", "What goes wrong.").example("[[fault]]"),
];

/// The keys of `[network]`.
pub static NETWORK: [Key; 12] = [
    key("latency", TIME, "\"1ms\"", "How long a message takes one way inside a region.")
        .example("latency = \"1ms\""),
    key("between", TIME, "\"50ms\"", "The same between two regions.").example("between = \"50ms\""),
    key(
        "latencies",
        Shape::List(&Shape::List(&TIME)),
        "",
        "Instead of both: a row for each region, in the order in which the nodes name them, with \
         the time to each region.",
    )
    .example("latencies = [[\"1ms\", \"80ms\"], [\"80ms\", \"2ms\"]]"),
    key(
        "jitter",
        Shape::Flag,
        "true",
        "Whether a message takes 0.9 times its latency and an exponential tenth.",
    )
    .example("jitter = false"),
    key("loss", Shape::Number(0.0, 0.5), "0", "Which share of all messages is lost.")
        .example("loss = 0.01"),
    key("twice", Shape::Number(0.0, 0.5), "0", "Which share of them comes twice.")
        .example("twice = 0.01"),
    key("late", Shape::Number(0.0, 0.5), "0", "Which share is late, and overtaken by others.")
        .example("late = 0.01"),
    key("late_max", SPAN, "\"100ms\"", "By how much they are late at most.")
        .example("late_max = \"1s\""),
    key(
        "guess",
        TIME,
        "as it is",
        "How far nodes take each other to be, one way, until they have measured it.",
    )
    .example("guess = \"1ms\""),
    key(
        "bandwidth",
        Shape::Size,
        "no limit",
        "How many bytes a second come to a task from each node of its region, before it begins.",
    )
    .example("bandwidth = \"1GB\""),
    key(
        "bandwidth_between",
        Shape::Size,
        "no limit",
        "The same from one region to another; all that goes that way waits for each other.",
    )
    .example("bandwidth_between = \"25MB\""),
    key(
        "bandwidths",
        Shape::List(&Shape::List(&Shape::Size)),
        "",
        "Instead of both: a row for each region, with the bytes a second to each region.",
    )
    .example("bandwidths = [[\"1GB\", \"25MB\"], [\"25MB\", \"1GB\"]]"),
];

/// The laws by which weights are drawn.
pub const LAWS: &[&str] = &["constant", "uniform", "pareto", "bimodal", "lognormal"];
/// How tasks may arrive.
pub const ARRIVALS: &[&str] = &["batch", "poisson", "even", "wave", "adaptive"];
/// The families of graphs.
pub const GRAPHS: &[&str] =
    &["chain", "fork-join", "tree", "map-reduce", "stencil", "layers", "communities"];
/// What may be known of a trace's tasks.
pub const KNOWS: &[&str] = &["declared", "exact", "nothing"];

/// The keys of `[[workload]]`.
pub static WORKLOAD: [Key; 26] = [
    key(
        "tasks",
        Shape::Integer(1, TASKS_MAX as i64),
        "1000",
        "How many tasks there are; whole graphs, where they make some.",
    )
    .example("tasks = 1000"),
    key(
        "weights",
        Shape::Record(&WEIGHTS),
        "{ law = \"uniform\" }",
        "How heavy tasks are: a task takes its weight times the unit, by the node's speed.",
    )
    .example("weights = { law = \"pareto\", shape = 1.5, most = 1000 }"),
    key(
        "error",
        Shape::Number(0.0, 3.0),
        "0",
        "How wrong weights are: what a task really weighs is its weight times a log-normal number \
         with this sigma.",
    )
    .example("error = 0.3"),
    key(
        "unknown",
        Shape::Flag,
        "false",
        "Whether nobody says what tasks weigh: all are said to weigh the mean.",
    )
    .example("unknown = true"),
    key(
        "arrivals",
        Shape::Choice(ARRIVALS),
        "\"batch\"",
        "Whether all tasks are there at once, come at random moments, one after another, in waves \
         that rise and fall, or are made while nodes have room for them.",
    )
    .example("arrivals = \"poisson\""),
    key("at", TIME, "0", "When the first may arrive.").example("at = \"2s\""),
    key("every", SPAN, "", "The mean time between two arrivals.").example("every = \"500ms\""),
    key("rate", Shape::Number(1e-6, 1e9), "", "Instead: how many arrive in a second.")
        .example("rate = 100"),
    key(
        "rho",
        Shape::Number(0.001, 10.0),
        "",
        "Instead: for which share of their time arrivals keep all nodes busy.",
    )
    .example("rho = 0.8"),
    key(
        "period",
        SPAN,
        "\"1d\"",
        "Of wave: how long a wave takes, in which the rate goes from a tenth of its peak to the \
         peak and back.",
    )
    .example("period = \"1h\""),
    key(
        "adaptive",
        Shape::Record(&ADAPTIVE),
        "",
        "Of adaptive: when tasks are made, and how heavy; at most `tasks`, each `every` look.",
    )
    .example("adaptive = { target = 80, lasts = \"1m\" }"),
    key(
        "skew",
        Shape::Record(&SKEW),
        "",
        "Where tasks arrive; evenly at all homes where it is absent.",
    )
    .example("skew = { share = 0.8, homes = 0.1 }"),
    key("owners", Shape::Integer(1, 1_000), "1", "Among how many owners tasks are dealt in turn.")
        .example("owners = 3"),
    key("graph", Shape::Choice(GRAPHS), "", "Tasks that wait for others, as such graphs.")
        .example("graph = \"map-reduce\""),
    key(
        "width",
        Shape::Integer(1, 10_000),
        "10",
        "How many tasks of a graph may run side by side.",
    )
    .example("width = 16"),
    key("depth", Shape::Integer(1, 10_000), "3", "How many of a graph follow each other.")
        .example("depth = 8"),
    key(
        "gang",
        Shape::Integer(0, bary_model::gang::TASKS_MAX as i64),
        "0",
        "How many tasks are one gang, which starts together: a job of equal tasks; each is alone \
         where 0.",
    )
    .example("gang = 4"),
    key("cpus", CORES, "1", "How many cores each task needs.").example("cpus = 2"),
    key("memory", Shape::Size, "none", "How much memory each task needs.")
        .example("memory = \"1GiB\""),
    key("gpus", Shape::Integer(0, 1_024), "0", "How many GPUs each task needs.")
        .example("gpus = 1"),
    key("output", Shape::Size, "none", "How many bytes each leaves for tasks that wait for it.")
        .example("output = \"1MB\""),
    key("trace", Shape::Text, "", "A trace beside the scenario that says all of this instead.")
        .example("trace = \"work.jsonl\""),
    key(
        "knows",
        Shape::Choice(KNOWS),
        "\"declared\"",
        "What is known of how long a trace's tasks take: what their users declared, exactly how \
         long, or nothing.",
    )
    .example("knows = \"exact\""),
    key("from", TIME, "0", "Of a trace, only what arrives from then on, which is time 0 here.")
        .example("from = \"7d\""),
    key("until", SPAN, "all", "Of a trace, only what arrives before.").example("until = \"14d\""),
    key(
        "split",
        Shape::Flag,
        "false",
        "Whether a trace's task of several cores is lived as so many tasks of one core.",
    )
    .example("split = true"),
];

/// The keys of `adaptive`, which are those of the published generator.
pub static ADAPTIVE: [Key; 6] = [
    key("target", Shape::Number(0.1, 100.0), "80", "Below which load tasks are made, in percent.")
        .example("target = 80"),
    key("capacity", NUMBER, "100", "At how much weight a node is loaded to 100 percent.")
        .example("capacity = 100"),
    key("share", Shape::Number(0.001, 1.0), "0.1", "Which share of the free room a task takes.")
        .example("share = 0.1"),
    key("heaviest", NUMBER, "10", "The heaviest task.").example("heaviest = 10"),
    key("lightest", NUMBER, "0.1", "The lightest task that is made.").example("lightest = 0.1"),
    key("lasts", SPAN, "\"1m\"", "How long tasks are made.").example("lasts = \"10m\""),
];

/// The keys of `weights`.
pub static WEIGHTS: [Key; 7] = [
    key("law", Shape::Choice(LAWS), "\"uniform\"", "How they are drawn.")
        .example("law = \"uniform\"")
        .required(),
    key(
        "least",
        NUMBER,
        "1",
        "The least weight: of uniform, pareto, and the light ones of bimodal.",
    )
    .example("least = 1"),
    key(
        "most",
        NUMBER,
        "10; pareto 1000, bimodal 2, lognormal 1000000",
        "The greatest weight; of bimodal, of its light ones.",
    )
    .example("most = 10"),
    key("shape", Shape::Number(0.1, 10.0), "1.5", "The exponent of pareto: a lower one is wilder.")
        .example("shape = 1.5"),
    key("sigma", Shape::Number(0.0, 3.0), "1", "How wide lognormal is.").example("sigma = 1"),
    key(
        "value",
        NUMBER,
        "1; bimodal 50",
        "The weight of constant, the median of lognormal, or the \
         mean of the heavy ones of bimodal.",
    )
    .example("value = 5"),
    key("heavy", SHARE, "0.1", "Which share of bimodal is heavy.").example("heavy = 0.1"),
];

/// The keys of `skew`.
pub static SKEW: [Key; 2] = [
    key("share", SHARE, "", "Which share of the tasks arrives there.")
        .example("share = 0.8")
        .required(),
    key("homes", SHARE, "", "At which share of the homes, the first ones.")
        .example("homes = 0.1")
        .required(),
];
