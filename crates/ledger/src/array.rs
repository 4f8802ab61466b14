//! The state of an array: sets of indices, and entries only for what is active or not well.

use std::collections::BTreeMap;

use bary_model::id::{Epoch, GrantNo, NodeId};
use bary_model::outcome::End;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

/// Who holds some indices, under which grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The node.
    pub node: NodeId,
    /// The reign in which it was granted.
    pub epoch: Epoch,
    /// The number of the grant.
    pub grant: GrantNo,
}

/// How often a task was tried and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// Attempts that started and failed.
    pub failed: u16,
    /// Of these, the ones that took their process down.
    pub crashed: u16,
}

/// An array's indices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArrayState {
    pub(crate) count: u32,
    pub(crate) left: u32,
    pub(crate) succeeded: RoaringBitmap,
    /// Indices that ended in another way, as ranges by their first index.
    pub(crate) ended: BTreeMap<u32, (u32, End)>,
    pub(crate) active: BTreeMap<u32, (u32, Holder)>,
    pub(crate) tries: BTreeMap<u32, Tries>,
    /// For each aligned dependency, the indices whose upstream has ended.
    pub(crate) arrived: Vec<RoaringBitmap>,
    /// Indices with an aligned upstream that did not succeed.
    pub(crate) bad: RoaringBitmap,
}

impl ArrayState {
    pub(crate) fn new(count: u32, aligned: usize) -> Self {
        let arrived = vec![RoaringBitmap::new(); aligned];
        Self { count, left: count, arrived, ..Self::default() }
    }

    /// Who holds all of these indices, if one grant does.
    pub(crate) fn holder(&self, first: u32, count: u32) -> Option<Holder> {
        let (&start, &(len, holder)) = self.active.range(..=first).next_back()?;
        (first + count <= start + len).then_some(holder)
    }

    pub(crate) fn grant(&mut self, first: u32, count: u32, holder: Holder) {
        let before = self.active.insert(first, (count, holder));
        assert!(before.is_none(), "an index has one grant at a time");
    }

    /// Takes indices out of the grant they are in.
    pub(crate) fn release(&mut self, first: u32, count: u32) {
        let Some((&start, &(len, holder))) = self.active.range(..=first).next_back() else {
            return;
        };
        assert!(first + count <= start + len, "only granted indices are released");
        if first == start {
            self.active.remove(&start);
        } else {
            self.active.insert(start, (first - start, holder));
        }
        let rest = start + len - (first + count);
        if rest > 0 {
            self.active.insert(first + count, (rest, holder));
        }
    }

    pub(crate) fn tries(&self, index: u32) -> Tries {
        self.tries.get(&index).copied().unwrap_or_default()
    }

    pub(crate) fn try_failed(&mut self, index: u32, crashed: bool) {
        let tries = self.tries.entry(index).or_default();
        tries.failed = tries.failed.saturating_add(1);
        tries.crashed = tries.crashed.saturating_add(u16::from(crashed));
    }

    pub(crate) fn end(&mut self, first: u32, count: u32, end: &End) {
        if *end == End::Succeeded {
            self.succeeded.insert_range(first..first + count);
        } else {
            self.ended.insert(first, (count, end.clone()));
        }
        self.left -= count;
    }

    /// The parts of a range of indices that have not ended, in order.
    pub(crate) fn unended(&self, first: u32, count: u32) -> Vec<(u32, u32)> {
        runs(&self.unended_set(first, count))
    }

    pub(crate) fn unended_set(&self, first: u32, count: u32) -> RoaringBitmap {
        let mut open = RoaringBitmap::new();
        open.insert_range(first..first + count);
        open -= &self.succeeded;
        let from = self.ended.range(..=first).next_back().map_or(first, |(&start, _)| start);
        for (&start, &(len, _)) in self.ended.range(from..first + count) {
            open.remove_range(start..start + len);
        }
        open
    }

    /// The runs that wait for nothing, have not ended and that nobody holds.
    pub(crate) fn ready(&self) -> Vec<(u32, u32)> {
        let mut open = self.unended_set(0, self.count);
        for (&start, &(len, _)) in &self.active {
            open.remove_range(start..start + len);
        }
        for arrived in &self.arrived {
            open &= arrived;
        }
        runs(&open)
    }

    /// Makes the sets as small as they can be; they stay the same sets.
    pub(crate) fn compact(&mut self) {
        let sets = self.arrived.iter_mut().chain([&mut self.succeeded, &mut self.bad]);
        for set in sets {
            set.optimize();
        }
    }

    /// Checks that sets and counts agree.
    pub(crate) fn check(&self) {
        let failed: u64 = self.ended.values().map(|(len, _)| u64::from(*len)).sum();
        let done = self.succeeded.len() + failed;
        assert_eq!(done + u64::from(self.left), u64::from(self.count), "an index ends once");
        let mut free = 0;
        for (&start, &(len, _)) in &self.active {
            assert!(start >= free, "an index has one grant at a time");
            free = start + len;
        }
    }

    /// The parts of a range that one grant holds each, and who.
    pub(crate) fn held(&self, first: u32, count: u32) -> Vec<(u32, u32, Holder)> {
        let end = first + count;
        let from = self.active.range(..=first).next_back().map_or(first, |(&start, _)| start);
        let parts = self.active.range(from..end).filter_map(|(&start, &(len, holder))| {
            let (low, high) = (start.max(first), (start + len).min(end));
            (low < high).then(|| (low, high - low, holder))
        });
        parts.collect()
    }

    pub(crate) fn all_succeeded(&self) -> bool {
        self.succeeded.len() == u64::from(self.count)
    }
}

/// A set as runs of neighbouring indices: (first, count).
pub(crate) fn runs(set: &RoaringBitmap) -> Vec<(u32, u32)> {
    let mut iter = set.iter();
    let mut runs = Vec::new();
    while let Some(range) = iter.next_range() {
        runs.push((*range.start(), range.end() - range.start() + 1));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDER: Holder = Holder { node: NodeId(1), epoch: Epoch(1), grant: GrantNo(9) };

    #[test]
    fn releasing_the_middle_of_a_grant_leaves_both_ends_held() {
        let mut array = ArrayState::new(100, 0);
        array.grant(10, 50, HOLDER);
        array.release(20, 5);
        assert_eq!(array.held(0, 100), vec![(10, 10, HOLDER), (25, 35, HOLDER)]);
        assert_eq!(array.holder(20, 1), None);
        assert_eq!(array.holder(24, 2), None);
        assert_eq!(array.holder(25, 35), Some(HOLDER));
    }

    #[test]
    fn what_has_ended_is_not_open() {
        let mut array = ArrayState::new(10, 0);
        array.end(0, 3, &End::Succeeded);
        array.end(5, 1, &End::Cancelled);
        assert_eq!(array.unended(0, 10), vec![(3, 2), (6, 4)]);
        assert_eq!(array.left, 6);
    }
}
