//! What the board never exceeds.

use bary_model::time::Span;

/// Limits of what is known of jobs and tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardLimits {
    /// Most pieces of ended tasks with details: a task alone, or neighbours that ended together.
    /// Past it the oldest finished jobs become counts only, and their results are released.
    /// Defaults to 1,000,000.
    pub board_tasks_max: u64,
    /// Most finished jobs that are kept. Past it the oldest are forgotten, as by `bary prune`.
    /// Defaults to 1,000,000.
    pub jobs_kept_max: usize,
    /// For how long finished jobs are kept; after it they are forgotten in the same way. Defaults
    /// to 30 days.
    pub jobs_kept_span: Span,
    /// Most events that are remembered for who follows them. Defaults to 100,000.
    pub event_ring_max: usize,
    /// Most bytes of the output of one running task that are kept for who follows it. Defaults to
    /// 64 KiB.
    pub tail_bytes_max: usize,
    /// Most bytes of the output of one running task that are kept where its home is another member:
    /// there for that one to ask for, at the home as it was told. More than of one that runs at its
    /// home, since it comes in larger pieces. Defaults to 1 MiB.
    pub far_tail_bytes_max: usize,
    /// Most such bytes of all running tasks, and once more of those of other members' jobs.
    /// Defaults to 64 MiB.
    pub tails_bytes_max: usize,
}

impl Default for BoardLimits {
    fn default() -> Self {
        Self {
            board_tasks_max: 1_000_000,
            jobs_kept_max: 1_000_000,
            jobs_kept_span: Span::secs(30 * 24 * 3_600),
            event_ring_max: 100_000,
            tail_bytes_max: 64 << 10,
            far_tail_bytes_max: 1 << 20,
            tails_bytes_max: 64 << 20,
        }
    }
}

/// The limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("board_tasks_max", "1,000,000", "ended tasks with details; older jobs are counts only"),
    ("jobs_kept_max", "1,000,000", "finished jobs; the oldest are forgotten"),
    ("jobs_kept_span", "30 d", "how long finished jobs are kept; then they are forgotten"),
    ("event_ring_max", "100,000", "events that are remembered for who follows them"),
    ("tail_bytes_max", "64 KiB", "output of a running task that is kept for who follows it"),
    (
        "far_tail_bytes_max",
        "1 MiB",
        "such output of a task that runs at another member than its home",
    ),
    (
        "tails_bytes_max",
        "64 MiB",
        "such output of all running tasks, and once more of those of other members' jobs",
    ),
];
