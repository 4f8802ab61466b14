//! What is to happen later, in order of time.

use std::collections::BTreeMap;

use bary_model::id::{NodeId, RunNo, ShardId, TaskId};
use bary_model::time::Moment;

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A failed task's back-off is over.
    Retry(ShardId, TaskId, Attempt),
    /// A run may have taken too long.
    Timeout(RunNo),
    /// A run may have been silent for too long.
    Silence(RunNo),
    /// A run that was asked to end has had its grace.
    Kill(RunNo),
    /// Outcomes for a home have been held back long enough.
    Flush(ShardId),
    /// The home of a shard should hear that this node is here.
    Pulse(ShardId),
    /// The node is about to run dry.
    Ask,
    /// An idle node may look for work to steal again.
    Steal(ShardId, NodeId),
    /// A node that holds tasks may have been silent for too long.
    Lease(ShardId, NodeId),
    /// Other homes should hear how this one stands.
    Level(ShardId),
    /// Nodes should hear of work that has waited for long enough.
    Word(ShardId),
    /// Other homes should be asked again about jobs that some here wait for.
    Watch(ShardId),
    /// Keepers of limits should hear again what a home uses.
    Permits(ShardId),
    /// Limits that this node keeps may be lent, or a borrower has been silent for too long.
    Keeper,
    /// A node should hear which of its outcomes are durable.
    Settle(ShardId, NodeId),
}

impl Timer {
    /// The shard whose home has set it, where one has.
    pub(crate) fn home(self) -> Option<ShardId> {
        match self {
            Self::Retry(shard, ..)
            | Self::Steal(shard, _)
            | Self::Lease(shard, _)
            | Self::Settle(shard, _)
            | Self::Level(shard)
            | Self::Word(shard)
            | Self::Watch(shard)
            | Self::Permits(shard) => Some(shard),
            Self::Timeout(_)
            | Self::Silence(_)
            | Self::Kill(_)
            | Self::Flush(_)
            | Self::Pulse(_)
            | Self::Ask
            | Self::Keeper => None,
        }
    }
}

/// Which failure of a task is meant: the job's generation, and how often it had failed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) generation: u32,
    pub(crate) failed: u16,
}

/// Names a timer so that it can be taken back.
pub(crate) type TimerKey = (Moment, u64);

/// The timers of one engine.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeMap<TimerKey, Timer>,
    made: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Moment, timer: Timer) -> TimerKey {
        self.made += 1;
        self.queue.insert((at, self.made), timer);
        (at, self.made)
    }

    pub(crate) fn unset(&mut self, key: TimerKey) {
        self.queue.remove(&key);
    }

    /// Takes all timers back that a home of this shard has set: its reign is over.
    pub(crate) fn end_reign(&mut self, over: ShardId) {
        self.queue.retain(|_, timer| timer.home() != Some(over));
    }

    pub(crate) fn next(&self) -> Option<Moment> {
        self.queue.keys().next().map(|key| key.0)
    }

    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, timer)| timer)
    }
}
