//! Ready tasks that may stand for each other, with what they add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::{JobNo, TaskRange};
use bary_model::task::{Body, Request};

use crate::home::lane::Lane;
use crate::home::ready::Entry;

/// Ready tasks with the same request and priority, and of one owner where owners count.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) request: Request,
    pub(super) rank: i32,
    pub(super) owner: u32,
    pub(super) body: Arc<Body>,
    pub(super) lane: Lane,
    pub(super) weight: u64,
    pub(super) worth: u64,
    pub(super) tasks: u64,
}

impl Class {
    pub(super) fn new(body: &Arc<Body>, rank: i32, owner: u32) -> Self {
        Self {
            request: body.request.clone(),
            rank,
            owner,
            body: Arc::clone(body),
            lane: Lane::default(),
            weight: 0,
            worth: 0,
            tasks: 0,
        }
    }

    /// The weight and number of its tasks that may be granted now.
    pub(super) fn open(&self, permitted: &BTreeMap<Box<str>, u32>) -> (u64, u64) {
        let Some(permit) = &self.body.permit else { return (self.weight, self.tasks) };
        let most = permitted.get(&permit.name).copied().unwrap_or(0);
        let tasks = self.tasks.min(u64::from(most));
        let mean = self.weight.checked_div(self.tasks).unwrap_or(0);
        (mean * tasks, tasks)
    }

    pub(super) fn add(&mut self, entries: Vec<Entry>) {
        entries.iter().for_each(|entry| self.count(entry));
        self.lane.add(entries);
    }

    fn count(&mut self, entry: &Entry) {
        self.weight += entry.weight();
        self.worth = self.worth.saturating_add(entry.whole_worth());
        self.tasks += u64::from(entry.range.count);
    }

    /// Books that an entry was taken out.
    pub(super) fn took(&mut self, entry: &Entry) {
        self.weight -= entry.weight();
        self.worth = self.worth.saturating_sub(entry.whole_worth());
        self.tasks -= u64::from(entry.range.count);
    }

    /// Takes from the head what `quota` allows, as `room` items at most; without `must`, none
    /// where not one task fits. Never more than `most`.
    pub(super) fn take(&mut self, quota: u64, must: bool, room: usize, most: u32) -> Option<Entry> {
        let taken = self.lane.take(|head| {
            let fit = quota / head.worth.thousandths().max(1);
            let fit = fit.min(u64::from(head.range.count)) as u32;
            let count = if must { fit.max(1) } else { fit };
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            if head.items() > 1 { count.min(room) } else { count }.min(most)
        })?;
        self.took(&taken);
        Some(taken)
    }

    pub(super) fn remove(&mut self, job: JobNo, removed: &mut Vec<TaskRange>) {
        if self.lane.remove(job, removed) {
            let lane = std::mem::take(&mut self.lane);
            (self.weight, self.worth, self.tasks) = (0, 0, 0);
            lane.iter().for_each(|entry| self.count(entry));
            self.lane = lane;
        }
    }
}
