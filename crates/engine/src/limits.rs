//! Every limit of the engine, by name. Nothing it holds grows past one of these.

use bary_model::time::Span;

/// The engine's limits and paces. `Default` is what production runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most specs that a home holds; submissions past it are refused. Defaults to 4,000,000.
    pub home_specs_max: u64,
    /// Most results that one spec may keep for others. Defaults to 10,000,000.
    pub kept_results_max: u32,
    /// Most items in one grant; each is a range. Defaults to 65,536.
    pub grant_items_max: usize,
    /// Most tasks that Push binds to a node at a time. Defaults to 1,000.
    pub push_queue_tasks_max: u64,
    /// Most items of outcomes held back before they are sent. Defaults to 4,096.
    pub outcome_items_max: usize,
    /// How long an outcome that nobody waits for may be held back for a batch. Longer means fewer
    /// messages and later progress. Defaults to 200 ms.
    pub outcome_delay_max: Span,
    /// Most runs of a node at a time, each with a thread. Defaults to 4,096.
    pub runs_max: usize,
    /// Most tasks of one run. Defaults to 16,384.
    pub run_tasks_max: u32,
    /// How long a run of several short functions is meant to take. Defaults to 1 ms.
    pub run_span: Span,
    /// How long a run of several short commands is meant to take: handing each over alone costs
    /// about a fifth of the rate of the shortest ones. Defaults to 4 ms.
    pub command_run_span: Span,
    /// How often other tasks may start before one that waits for more room. Defaults to 16.
    pub passed_over_max: u32,
    /// Shorter round trips are not worth asking ahead for. Defaults to 1 ms.
    pub ask_ahead_min: Span,
    /// Whether grants tell what each node scored, which costs a look at every node for each
    /// grant. Defaults to false.
    pub explain: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            home_specs_max: 4_000_000,
            kept_results_max: 10_000_000,
            grant_items_max: 65_536,
            push_queue_tasks_max: 1_000,
            outcome_items_max: 4_096,
            outcome_delay_max: Span::millis(200),
            runs_max: 4_096,
            run_tasks_max: 16_384,
            run_span: Span::millis(1),
            command_run_span: Span::millis(4),
            passed_over_max: 16,
            ask_ahead_min: Span::millis(1),
            explain: false,
        }
    }
}

/// The engine's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("home_specs_max", "4,000,000", "specs that a home holds; more are refused (75)"),
    ("kept_results_max", "10,000,000", "results that one spec keeps for others"),
    ("grant_items_max", "65,536", "ranges in one grant"),
    ("push_queue_tasks_max", "1,000", "tasks that Push binds to a node at a time"),
    ("outcome_items_max", "4,096", "outcomes held back before they are sent"),
    ("outcome_delay_max", "200 ms", "how long an outcome nobody waits for is held back"),
    ("runs_max", "4,096", "runs of a node at a time, each with a thread"),
    ("run_tasks_max", "16,384", "short tasks in one run of an executor"),
    ("run_span", "1 ms", "how long a run of several short functions is meant to take"),
    ("command_run_span", "4 ms", "how long a run of several short commands is meant to take"),
    ("passed_over_max", "16", "starts before a task that waits for more room"),
    ("ask_ahead_min", "1 ms", "round trips shorter than this are not asked ahead for"),
];
