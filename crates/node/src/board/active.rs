//! Tasks that nodes hold or run, as ranges with who and since when.

use std::collections::BTreeMap;

use bary_model::id::{NodeId, SpecNo, TaskId, TaskRange};
use bary_model::time::Moment;

/// Tasks of one job that are active in one way.
#[derive(Debug, Default)]
pub(crate) struct Active {
    held: BTreeMap<(SpecNo, u32), (u32, Hold)>,
    tasks: u64,
}

/// Who has a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) node: NodeId,
    /// Since when.
    pub(crate) at: Moment,
    /// Which attempt, from 1; 0 where it has not begun.
    pub(crate) attempt: u16,
}

impl Active {
    /// How many tasks there are.
    pub(crate) fn tasks(&self) -> u64 {
        self.tasks
    }

    /// Adds tasks; whoever had them has them no longer.
    pub(crate) fn put(&mut self, range: TaskRange, hold: Hold) {
        self.take(range);
        self.add(range.spec, range.first, range.count, hold);
    }

    /// Takes tasks out. How many of them there were.
    pub(crate) fn take(&mut self, range: TaskRange) -> u64 {
        let before = self.tasks;
        let (spec, first, end) = (range.spec, range.first, range.end());
        while let Some((from, count, hold)) = self.last_before(spec, end) {
            let until = from + count;
            if until <= first {
                break;
            }
            self.held.remove(&(spec, from));
            self.tasks -= u64::from(count);
            if from < first {
                self.add(spec, from, first - from, hold);
            }
            if until > end {
                self.add(spec, end, until - end, hold);
            }
            if from <= first {
                break;
            }
        }
        before - self.tasks
    }

    /// The parts of a range that are in it, in order.
    pub(crate) fn within(&self, range: TaskRange) -> Vec<(TaskRange, Hold)> {
        let (spec, first, end) = (range.spec, range.first, range.end());
        let before = self.last_before(spec, first.saturating_add(1)).map_or(first, |held| held.0);
        let held = self.held.range((spec, before.min(first))..(spec, end));
        let part = |(&(_, from), &(count, hold)): (&(SpecNo, u32), &(u32, Hold))| {
            let (from, until) = (from.max(first), (from + count).min(end));
            (from < until).then(|| (range.with(from, until - from), hold))
        };
        held.filter_map(part).collect()
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (SpecNo, u32, u32, Hold)> {
        self.held.iter().map(|(&(spec, first), &(count, hold))| (spec, first, count, hold))
    }

    /// Who has a task.
    pub(crate) fn find(&self, task: TaskId) -> Option<Hold> {
        let (from, count, hold) = self.last_before(task.spec, task.index.saturating_add(1))?;
        (task.index < from + count).then_some(hold)
    }

    /// The last range of a spec that begins before an index.
    fn last_before(&self, spec: SpecNo, index: u32) -> Option<(u32, u32, Hold)> {
        let (&(_, from), &(count, hold)) = self.held.range((spec, 0)..(spec, index)).next_back()?;
        Some((from, count, hold))
    }

    fn add(&mut self, spec: SpecNo, first: u32, count: u32, hold: Hold) {
        self.tasks += u64::from(count);
        self.held.insert((spec, first), (count, hold));
    }
}

#[cfg(test)]
mod tests {
    use bary_model::id::JobNo;

    use super::*;

    fn range(first: u32, count: u32) -> TaskRange {
        TaskRange { job: JobNo(0), spec: SpecNo(3), first, count }
    }

    fn hold(node: u64) -> Hold {
        Hold { node: NodeId(node), at: Moment(1), attempt: 1 }
    }

    #[test]
    fn ranges_are_cut_where_parts_of_them_go() {
        let mut active = Active::default();
        active.put(range(0, 100), hold(1));
        active.put(range(200, 10), hold(1));
        assert_eq!(active.take(range(90, 115)), 15);
        active.put(range(40, 10), hold(2));
        assert_eq!(active.tasks(), 95);
        let node = |index| active.find(TaskId { index, ..range(0, 1).head() }).map(|h| h.node.0);
        assert_eq!([39, 40, 49, 50].map(node), [Some(1), Some(2), Some(2), Some(1)]);
        assert_eq!([89, 90, 204, 205, 210].map(node), [Some(1), None, None, Some(1), None]);
        let parts = |range| -> Vec<_> {
            let parts = active.within(range);
            parts.iter().map(|(part, hold)| (part.first, part.count, hold.node.0)).collect()
        };
        assert_eq!(parts(range(30, 15)), [(30, 10, 1), (40, 5, 2)]);
        assert_eq!(parts(range(89, 200)), [(89, 1, 1), (205, 5, 1)]);
        assert_eq!(parts(range(90, 100)), []);
        assert_eq!(active.take(range(0, u32::MAX)), 95);
        assert_eq!((active.tasks(), active.held.len()), (0, 0));
    }
}
