//! What a service is made of, and what it never exceeds.

use std::sync::Arc;
use std::time::Duration;

use bary_api::chunks;

use crate::audit;
use bary_store::cache::{Cache, CacheConfig};

use crate::board::limits::BoardLimits;
use crate::options::ClusterOptions;

/// A service over one cluster.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// The nodes, and how they run tasks. Runs are told and decisions explained whatever it says.
    pub cluster: ClusterOptions,
    /// Whether somebody chose its policy: it is put on record then. Otherwise the policy that is on
    /// record is followed, where there is one.
    pub policy_chosen: bool,
    /// What is never exceeded.
    pub limits: ServiceLimits,
    /// What the board never exceeds.
    pub board: BoardLimits,
    /// The version of the program.
    pub version: Box<str>,
}

impl ServiceOptions {
    /// The options of a cluster whose board is to know everything.
    pub(super) fn prepared(&self, cache: &Arc<Cache>) -> ClusterOptions {
        let mut options = self.cluster.clone();
        options.cache = Some(Arc::clone(cache) as _);
        options.tells_runs = true;
        options.awaits_workers = true;
        options.offers_own = true;
        options.limits.explain = true;
        options.limits.retains_finished = true;
        options
    }
}

/// Limits of a service and of its doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Most requests under way, streams and waits apart; more are shed with a hint when to try
    /// again. Defaults to 4,096.
    pub requests_in_flight_max: usize,
    /// Most streams and waits under way. Defaults to 1,024.
    pub streams_max: usize,
    /// Most connections. Defaults to 1,024.
    pub connections_max: usize,
    /// Most bytes of one request. Defaults to 64 MiB.
    pub request_bytes_max: usize,
    /// Most bytes of submissions that are on their way into the journal, all callers together, and
    /// so of a single one; more wait for their turn. Defaults to 240 MiB: a journal takes 256 MiB
    /// at a time, and other records come along.
    pub submissions_bytes_max: usize,
    /// Most bytes of submissions in chunks that have not been committed. Defaults to 512 MiB.
    pub staged_bytes_max: usize,
    /// As `staged_bytes_max`, of one caller. Defaults to 256 MiB.
    pub staged_caller_bytes_max: usize,
    /// Most submissions in chunks that have not been committed. Defaults to 1,024.
    pub staged_max: usize,
    /// As `staged_max`, of one caller. Defaults to 64.
    pub staged_caller_max: usize,
    /// How long such a submission is kept after the last that came of it. Defaults to 10 minutes.
    pub staged_span: Duration,
    /// Most bytes of the audit log in a state; its oldest files go past it. Defaults to 256 MiB.
    pub audit_bytes_max: u64,
    /// How long a request may take, streams and waits apart. Defaults to 60 s.
    pub request_timeout: Duration,
    /// Most ended tasks that a session may be behind before it is cut off; each may be a range.
    /// Defaults to 1,000,000.
    pub session_outcomes_max: usize,
    /// Most entries in one answer of a list. Defaults to 100,000.
    pub list_entries_max: usize,
    /// Most tasks that one list looks at. Defaults to 10,000,000.
    pub list_tasks_max: u64,
    /// What the result cache keeps, and for how long.
    pub cache: CacheConfig,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            requests_in_flight_max: 4_096,
            streams_max: 1_024,
            connections_max: 1_024,
            request_bytes_max: 64 << 20,
            submissions_bytes_max: chunks::SUBMISSION_BYTES_MAX,
            staged_bytes_max: 512 << 20,
            staged_caller_bytes_max: 256 << 20,
            staged_max: 1_024,
            staged_caller_max: 64,
            staged_span: Duration::from_secs(600),
            audit_bytes_max: audit::BYTES_MAX,
            request_timeout: Duration::from_secs(60),
            session_outcomes_max: 1_000_000,
            list_entries_max: 100_000,
            list_tasks_max: 10_000_000,
            cache: CacheConfig::default(),
        }
    }
}

/// The limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("requests_in_flight_max", "4,096", "requests under way; more are told to try again"),
    ("streams_max", "1,024", "streams and waits under way"),
    ("connections_max", "1,024", "connections"),
    ("request_bytes_max", "64 MiB", "bytes of one request"),
    ("submissions_bytes_max", "240 MiB", "bytes of submissions on their way into the journal"),
    ("chunk_bytes_max", "8 MiB", "bytes of one chunk of a submission"),
    ("staged_bytes_max", "512 MiB", "bytes of submissions in chunks, not committed"),
    ("staged_caller_bytes_max", "256 MiB", "such bytes of one caller"),
    ("staged_max", "1,024", "submissions in chunks, not committed"),
    ("staged_caller_max", "64", "such submissions of one caller"),
    ("staged_added_max", "1,024", "commits that added to jobs, whose answers are remembered"),
    ("staged_span", "10 min", "how long one is kept after the last that came of it"),
    ("request_timeout", "60 s", "how long a request may take, streams and waits apart"),
    ("session_outcomes_max", "1,000,000", "ended tasks that a session may be behind"),
    ("list_entries_max", "100,000", "entries in one answer of a list"),
    ("list_tasks_max", "10,000,000", "tasks that one list looks at"),
];
