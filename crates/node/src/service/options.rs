//! What a service is made of, and what it never exceeds.

use std::time::Duration;

use crate::board::limits::BoardLimits;
use crate::options::ClusterOptions;

/// A service over one cluster.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// The nodes, and how they run tasks. Runs are told and decisions explained whatever it says.
    pub cluster: ClusterOptions,
    /// What is never exceeded.
    pub limits: ServiceLimits,
    /// What the board never exceeds.
    pub board: BoardLimits,
    /// The version of the program.
    pub version: Box<str>,
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
    /// How long a request may take, streams and waits apart. Defaults to 60 s.
    pub request_timeout: Duration,
    /// Most ended tasks that a session may be behind before it is cut off; each may be a range.
    /// Defaults to 1,000,000.
    pub session_outcomes_max: usize,
    /// Most entries in one answer of a list. Defaults to 100,000.
    pub list_entries_max: usize,
    /// Most tasks that one list looks at. Defaults to 10,000,000.
    pub list_tasks_max: u64,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            requests_in_flight_max: 4_096,
            streams_max: 1_024,
            connections_max: 1_024,
            request_bytes_max: 64 << 20,
            request_timeout: Duration::from_secs(60),
            session_outcomes_max: 1_000_000,
            list_entries_max: 100_000,
            list_tasks_max: 10_000_000,
        }
    }
}

/// The limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("requests_in_flight_max", "4,096", "requests under way; more are told to try again"),
    ("streams_max", "1,024", "streams and waits under way"),
    ("connections_max", "1,024", "connections"),
    ("request_bytes_max", "64 MiB", "bytes of one request"),
    ("request_timeout", "60 s", "how long a request may take, streams and waits apart"),
    ("session_outcomes_max", "1,000,000", "ended tasks that a session may be behind"),
    ("list_entries_max", "100,000", "entries in one answer of a list"),
    ("list_tasks_max", "10,000,000", "tasks that one list looks at"),
];
