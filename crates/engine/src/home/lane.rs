//! Ready tasks that may stand for each other, in the order in which they should go. The first is
//! found without sorting what comes one by one; a walk in order sorts first.

use std::collections::BinaryHeap;

use bary_model::id::{JobNo, TaskRange};

use crate::home::ready::Entry;

/// Entries of one class.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Bulk arrivals, each sorted so that its greatest entry is last.
    sorted: Vec<Vec<Entry>>,
    loose: BinaryHeap<Entry>,
}

/// From this many on, arrivals are sorted at once instead of sifted one by one.
const BULK_MIN: usize = 64;
/// More sorted arrivals than this are merged.
const SORTED_MAX: usize = 8;

impl Lane {
    pub(super) fn add(&mut self, mut entries: Vec<Entry>) {
        if entries.len() < BULK_MIN {
            self.loose.extend(entries);
            return;
        }
        if self.sorted.len() >= SORTED_MAX {
            entries.extend(self.sorted.drain(..).flatten());
        }
        entries.sort();
        self.sorted.push(entries);
    }

    /// Where the head is: in a sorted arrival, or none for the heap.
    fn head_place(&self) -> Option<usize> {
        let ends = self.sorted.iter().enumerate().filter_map(|(at, run)| Some((at, run.last()?)));
        let (at, entry) = ends.max_by(|a, b| a.1.cmp(b.1))?;
        self.loose.peek().is_none_or(|loose| loose < entry).then_some(at)
    }

    pub(super) fn head(&self) -> Option<&Entry> {
        match self.head_place() {
            Some(at) => self.sorted[at].last(),
            None => self.loose.peek(),
        }
    }

    /// Takes so many tasks as `count` says of the head off it; none where that is none.
    pub(super) fn take(&mut self, count: impl FnOnce(&Entry) -> u32) -> Option<Entry> {
        let place = self.head_place();
        let head = match place {
            Some(at) => self.sorted[at].last()?,
            None => self.loose.peek()?,
        };
        let count = count(head);
        if count == 0 {
            return None;
        }
        let taken = match place {
            Some(at) => self.sorted[at].last_mut()?.split(count),
            None => self.loose.peek_mut()?.split(count),
        };
        taken.or_else(|| self.pop(place))
    }

    fn pop(&mut self, place: Option<usize>) -> Option<Entry> {
        let Some(at) = place else { return self.loose.pop() };
        let entry = self.sorted[at].pop();
        if self.sorted[at].is_empty() {
            self.sorted.swap_remove(at);
        }
        entry
    }

    /// Takes out the entries of a job.
    pub(super) fn remove(&mut self, job: JobNo, removed: &mut Vec<TaskRange>) -> bool {
        if !self.iter().any(|entry| entry.range.job == job) {
            return false;
        }
        let all = self.sorted.drain(..).flatten().chain(self.loose.drain());
        let (gone, kept): (Vec<Entry>, Vec<Entry>) = all.partition(|entry| entry.range.job == job);
        removed.extend(gone.into_iter().map(|entry| entry.range));
        self.add(kept);
        true
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.sorted.iter().flatten().chain(&self.loose)
    }

    /// Takes all entries out, in no order.
    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.sorted.into_iter().flatten().chain(self.loose)
    }

    /// Makes one sorted arrival of all, so that it can be walked in order.
    pub(super) fn sort(&mut self) {
        if self.sorted.len() == 1 && self.loose.len() < BULK_MIN {
            let run = &mut self.sorted[0];
            for entry in self.loose.drain() {
                let place = run.partition_point(|other| *other < entry);
                run.insert(place, entry);
            }
            return;
        }
        let all = self.sorted.drain(..).flatten().chain(self.loose.drain());
        let mut all: Vec<Entry> = all.collect();
        if !all.is_empty() {
            all.sort();
            self.sorted.push(all);
        }
    }

    /// The entry behind so many others, where everything is sorted.
    pub(super) fn behind(&self, others: usize) -> Option<&Entry> {
        let run = self.sorted.first()?;
        run.get(run.len().checked_sub(others + 1)?)
    }

    /// Takes tasks off the entry behind so many others.
    pub(super) fn take_behind(&mut self, others: usize, count: u32) -> Option<Entry> {
        let run = self.sorted.first_mut()?;
        let at = run.len().checked_sub(others + 1)?;
        if let Some(front) = run.get_mut(at)?.split(count) {
            return Some(front);
        }
        let entry = run.remove(at);
        if run.is_empty() {
            self.sorted.clear();
        }
        Some(entry)
    }
}
