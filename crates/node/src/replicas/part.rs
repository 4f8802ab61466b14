//! One member's part in the group of a shard.

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
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("home", &self.home).finish_non_exhaustive()
    }
}

impl Part {
    pub(super) fn new(home: u64, group: Group, copy: Arc<ShardCopy>) -> Self {
        Self { home, group, copy, stand_in: Mutex::default() }
    }

    pub(super) fn stand_in(&self) -> MutexGuard<'_, Option<StandIn>> {
        self.stand_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
