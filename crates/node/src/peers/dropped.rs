//! How many datagrams were dropped, and why: what no member can have made, and what one made once
//! and somebody sends again.

use std::sync::atomic::{AtomicU64, Ordering};

use bary_membership::seal::OpenError;

/// Counts since the process began.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    forged: AtomicU64,
    replayed: AtomicU64,
}

impl Dropped {
    /// One more was dropped.
    pub(super) fn count(&self, why: OpenError) {
        let counter = match why {
            // What this member made itself, others have no reason to send.
            OpenError::Replayed | OpenError::Own => &self.replayed,
            OpenError::NotOne
            | OpenError::Generation(_)
            | OpenError::Forged
            | OpenError::TooMany => &self.forged,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were not sealed with a secret of the cluster that is in use.
    pub(crate) fn forged(&self) -> u64 {
        self.forged.load(Ordering::Relaxed)
    }

    /// How many had been taken before, or may have been.
    pub(crate) fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed)
    }
}
