//! The table of all targets.

#[cfg(unix)]
use crate::door;
use crate::{gossip, home, identity, job, journal, trace, wire};

/// A decoder, and what must hold for it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What `cargo xtask fuzz` calls it.
    pub name: &'static str,
    /// Hands it bytes.
    ///
    /// # Panics
    /// Where something does not hold.
    pub run: fn(&[u8]),
    /// Bytes that it takes, made by our own encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TABLE: &[Target] = &[
    Target { name: "recovery", run: journal::recovery, seeds: journal::recovery_seeds },
    Target { name: "segments", run: journal::segments, seeds: journal::segment_seeds },
    Target { name: "batch", run: wire::batch, seeds: wire::batch_seeds },
    Target { name: "snapshot", run: wire::snapshot, seeds: wire::snapshot_seeds },
    Target { name: "frame", run: wire::frame, seeds: wire::frame_seeds },
    Target { name: "job_file", run: job::file, seeds: job::file_seeds },
    Target { name: "job_spec", run: job::spec, seeds: job::spec_seeds },
    Target { name: "home", run: home::submission, seeds: job::spec_seeds },
    Target { name: "keyring", run: identity::keyring, seeds: identity::keyring_seeds },
    Target { name: "audit", run: identity::audit, seeds: identity::audit_seeds },
    Target { name: "datagram", run: gossip::datagram, seeds: gossip::datagram_seeds },
    Target { name: "trace", run: trace::file, seeds: trace::file_seeds },
    #[cfg(unix)]
    Target { name: "connection", run: door::connection, seeds: door::connection_seeds },
    #[cfg(unix)]
    Target { name: "request", run: door::request, seeds: door::request_seeds },
    #[cfg(unix)]
    Target { name: "message", run: door::message, seeds: door::message_seeds },
];
