//! One member's part in the group of a shard.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bary_replica::group::Group;

use super::copying::ShardCopy;
use super::stand_in::StandIn;

/// A part.
pub(crate) struct Part {
    /// The number of the member whose shard it is.
    pub(crate) home: u64,
    pub(crate) group: Group,
    pub(crate) copy: Arc<ShardCopy>,
    /// The home of the shard, where this member stands in for its own.
    stand_in: Mutex<Option<StandIn>>,
    /// How many are to keep it; 0 where nobody said so.
    wanted: AtomicU8,
}

/// Who keeps a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keepers {
    /// How many are to.
    pub(crate) wanted: usize,
    /// Those that do now.
    pub(crate) members: BTreeSet<u64>,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("home", &self.home).finish_non_exhaustive()
    }
}

impl Part {
    pub(super) fn new(home: u64, group: Group, copy: Arc<ShardCopy>) -> Self {
        Self { home, group, copy, stand_in: Mutex::default(), wanted: AtomicU8::new(0) }
    }

    /// So many members are to keep it, where somebody said so.
    pub(crate) fn want(&self, wanted: Option<u8>) {
        self.wanted.store(wanted.unwrap_or(0), Ordering::Relaxed);
    }

    /// Who keeps it: as many as were said to, else as many as do.
    pub(crate) fn keepers(&self) -> Keepers {
        let members = self.group.standing().voters;
        let wanted = match self.wanted.load(Ordering::Relaxed) {
            0 => members.len(),
            wanted => wanted.into(),
        };
        Keepers { wanted, members }
    }

    pub(super) fn stand_in(&self) -> MutexGuard<'_, Option<StandIn>> {
        self.stand_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
