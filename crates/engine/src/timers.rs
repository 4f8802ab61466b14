//! What is to happen later, in order of time.

use bary_model::id::{JobNo, NodeId, RunNo, ShardId, TaskId};
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
    /// Nodes should hear again of work that still waits.
    Remind(ShardId),
    /// Other homes should be asked again about jobs that some here wait for.
    Watch(ShardId),
    /// The time of a job has come.
    Due(ShardId, JobNo),
    /// A job waits no longer for its layout.
    Laid(ShardId, JobNo),
    /// Tasks that waited for the node that has what they read may go elsewhere.
    Turn(ShardId),
    /// A gang may have waited for long, or rested for long enough.
    Gang(ShardId),
    /// Tasks are pushed to those nodes that have answered by now.
    Gather(ShardId),
    /// Tasks may have taken too long while nodes have nothing to do.
    Straggle(ShardId),
    /// Nodes should say again how busy they are.
    Gauge(ShardId),
    /// Keepers of limits should hear again what a home uses.
    Permits(ShardId),
    /// Limits that this node keeps may be lent, or a borrower has been silent for too long.
    Keeper,
    /// What was announced may not have been claimed in time.
    Lapse(ShardId),
    /// What this node has claimed may start, or it may claim more.
    Claims,
    /// A node should hear which of its outcomes are durable.
    Settle(ShardId, NodeId),
    /// The graph of the cluster may be found anew.
    Chart,
    /// A home should hear how far others are, as far as that was measured by now.
    Ways,
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
            | Self::Lapse(shard)
            | Self::Word(shard)
            | Self::Remind(shard)
            | Self::Watch(shard)
            | Self::Due(shard, _)
            | Self::Laid(shard, _)
            | Self::Turn(shard)
            | Self::Gang(shard)
            | Self::Gather(shard)
            | Self::Straggle(shard)
            | Self::Gauge(shard)
            | Self::Permits(shard) => Some(shard),
            Self::Timeout(_)
            | Self::Silence(_)
            | Self::Kill(_)
            | Self::Flush(_)
            | Self::Pulse(_)
            | Self::Ask
            | Self::Claims
            | Self::Chart
            | Self::Ways
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    slot: u32,
    made: u64,
}

/// The timers of one engine: a heap, the next one first, whose entries know their slots and whose
/// slots know their entries, so that one can be taken back wherever it is.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    made: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Moment,
    /// Timers of one moment come in the order in which they were set.
    made: u64,
    slot: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    timer: Timer,
    /// Which timer it is; another one than a key names where that is over.
    made: u64,
    place: u32,
}

impl Entry {
    fn order(&self) -> (Moment, u64) {
        (self.at, self.made)
    }
}

impl Timers {
    pub(crate) fn set(&mut self, at: Moment, timer: Timer) -> TimerKey {
        self.made += 1;
        let (made, place) = (self.made, self.heap.len());
        let new = Slot { timer, made, place: place as u32 };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = new;
            slot
        } else {
            self.slots.push(new);
            self.slots.len() as u32 - 1
        };
        self.heap.push(Entry { at, made, slot });
        self.rise(place);
        TimerKey { slot, made }
    }

    /// Takes a timer back; one that has been due is over already.
    pub(crate) fn unset(&mut self, key: TimerKey) {
        let slot = &self.slots[key.slot as usize];
        if slot.made == key.made {
            self.take(slot.place as usize);
        }
    }

    /// Takes all timers back that a home of this shard has set: its reign is over.
    pub(crate) fn end_reign(&mut self, over: ShardId) {
        for slot in 0..self.slots.len() {
            let Slot { timer, made, place } = self.slots[slot];
            if made > 0 && timer.home() == Some(over) {
                self.take(place as usize);
            }
        }
    }

    pub(crate) fn next(&self) -> Option<Moment> {
        self.heap.first().map(|entry| entry.at)
    }

    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        Some(self.take(0))
    }

    /// Takes out the entry at a place of the heap.
    fn take(&mut self, at: usize) -> Timer {
        let slot = self.heap.swap_remove(at).slot;
        if at < self.heap.len() {
            self.sink(at);
            self.rise(at);
        }
        self.free.push(slot);
        let slot = &mut self.slots[slot as usize];
        slot.made = 0;
        slot.timer
    }

    fn rise(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 && entry.order() < self.heap[(at - 1) / 2].order() {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        self.put(at, entry);
    }

    fn sink(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while let Some(child) = self.heap.get(2 * at + 1) {
            let right = self.heap.get(2 * at + 2).filter(|right| right.order() < child.order());
            let child = *right.unwrap_or(child);
            if entry.order() < child.order() {
                break;
            }
            let below = self.slots[child.slot as usize].place as usize;
            self.put(at, child);
            at = below;
        }
        self.put(at, entry);
    }

    fn put(&mut self, at: usize, entry: Entry) {
        self.heap[at] = entry;
        self.slots[entry.slot as usize].place = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bary_policy::dice::Dice;

    use super::*;

    #[test]
    fn timers_come_by_moment_and_then_as_they_were_set() {
        let mut dice = Dice::new(5, "timers");
        let (mut timers, mut plain) = (Timers::default(), BTreeMap::new());
        let mut keys = Vec::new();
        for number in 0..4_000_u64 {
            match dice.below(4) {
                0 => {
                    let now = Moment(dice.below(100));
                    let due = plain.first_key_value().map(|(key, _): (&(Moment, u64), _)| *key);
                    let due = due.filter(|(at, _)| *at <= now).and_then(|key| plain.remove(&key));
                    assert_eq!(timers.pop_due(now), due);
                }
                1 if !keys.is_empty() => {
                    let one = dice.below(keys.len() as u64) as usize;
                    let (key, place): (TimerKey, _) = keys.swap_remove(one);
                    timers.unset(key);
                    plain.remove(&place);
                }
                _ => {
                    let at = Moment(dice.below(100));
                    let timer = Timer::Timeout(RunNo(number));
                    keys.push((timers.set(at, timer), (at, number)));
                    plain.insert((at, number), timer);
                }
            }
            assert_eq!(timers.next(), plain.keys().next().map(|key| key.0));
        }
    }

    #[test]
    fn a_reign_that_is_over_leaves_no_timers() {
        let mut timers = Timers::default();
        for number in 0..20 {
            timers.set(Moment(number * 7 % 20), Timer::Level(ShardId(number % 2)));
        }
        timers.end_reign(ShardId(0));
        let left = std::iter::from_fn(|| timers.pop_due(Moment(20)));
        assert!(left.eq([Timer::Level(ShardId(1)); 10]));
    }
}
