//! The limits of the doors: what is cut off, or told to come back later, before a request reaches
//! the service.

use std::time::Duration;

use bary_api::problem::{Kind, Refused};

/// What the doors never exceed, besides what the service has limits for. Defaults are
/// production's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorLimits {
    /// Bytes of a JSON request, which as values take up to twelve times as many. Defaults to
    /// 16 MiB.
    pub json_bytes_max: usize,
    /// Bytes that all requests hold that are being read, together; so it is at least
    /// `request_bytes_max`. Defaults to 256 MiB.
    pub requests_bytes_max: usize,
    /// Bytes of a request's headers. Defaults to 32 KiB.
    pub header_bytes_max: usize,
    /// Headers of a request over HTTP/1. Defaults to 64.
    pub headers_max: usize,
    /// Requests that one HTTP/2 connection has under way. Defaults to 1,024.
    pub connection_streams_max: u32,
    /// How long the headers of a request may take to arrive; a connection without any request is
    /// closed after it too, except one of HTTP/2, which is asked whether it lives. Defaults to
    /// 20 s.
    pub header_timeout: Duration,
    /// How long a reader may take nothing of what is written to him. Defaults to 60 s.
    pub stall_timeout: Duration,
    /// How often an HTTP/2 connection is asked whether it lives. Defaults to 20 s, and it has as
    /// long to answer.
    pub keep_alive_interval: Duration,
    /// How long streams and requests have to end once the node ends. Defaults to 2 s.
    pub farewell_timeout: Duration,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            json_bytes_max: 16 << 20,
            requests_bytes_max: 256 << 20,
            header_bytes_max: 32 << 10,
            headers_max: 64,
            connection_streams_max: 1_024,
            header_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(60),
            keep_alive_interval: Duration::from_secs(20),
            farewell_timeout: Duration::from_secs(2),
        }
    }
}

/// Each limit of the doors with its default and what it limits.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("json_bytes_max", "16 MiB", "bytes of one JSON request"),
    ("requests_bytes_max", "256 MiB", "bytes of all requests that are being read"),
    ("header_bytes_max", "32 KiB", "bytes of a request's headers"),
    ("headers_max", "64", "headers of a request over HTTP/1"),
    ("connection_streams_max", "1,024", "requests under way on one HTTP/2 connection"),
    ("json_depth_max", "128", "arrays and objects within each other in a JSON request"),
    ("header_timeout", "20 s", "how long the headers of a request may take to arrive"),
    ("stall_timeout", "60 s", "how long a reader may take nothing of an answer"),
    ("keep_alive_interval", "20 s", "how often an HTTP/2 connection is asked whether it lives"),
    ("farewell_timeout", "2 s", "how long streams have to end once their node ends"),
];

/// A limit is reached; it may be tried again after so many seconds.
pub(crate) fn full(limit: &str, most: usize, retry_after: f64) -> Refused {
    let refused = Refused::new(Kind::Full, format!("the node is busy: {limit} is {most}"));
    refused.help("try again after a while").retry_after(retry_after)
}
