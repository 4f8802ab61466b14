//! The tasks of a run by number: events name a spec and an index, people count from 1.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::command;
use crate::event::{Event, EventKind};
use crate::id::{SpecNo, TaskId, TaskRange};
use crate::task::TaskSpec;
use crate::template::{Scope, Template};

/// The specs of one job, each with how many tasks come before it.
#[derive(Debug, Default)]
pub struct Roster {
    entries: Vec<Entry>,
    /// The first spec of each submission that added some.
    batches: Vec<u32>,
    tasks: u64,
    /// Specs of which all tasks have ended and which are not forgotten yet.
    ended: VecDeque<SpecNo>,
}

#[derive(Debug)]
struct Entry {
    before: u64,
    left: u32,
    /// None once it was forgotten.
    spec: Option<Arc<TaskSpec>>,
}

impl Roster {
    /// Folds an event in.
    pub fn on_event(&mut self, event: &Event) {
        if let EventKind::Submitted { specs, .. } = &event.kind {
            self.on_specs(specs);
        }
    }

    /// Adds specs behind those that there are.
    pub fn on_specs(&mut self, specs: &[Arc<TaskSpec>]) {
        self.entries.reserve(specs.len());
        if self.entries.is_empty() || !specs.iter().all(|spec| spec.after.is_empty()) {
            self.batches.push(self.entries.len() as u32);
        }
        for spec in specs.iter() {
            let entry =
                Entry { before: self.tasks, left: spec.count, spec: Some(Arc::clone(spec)) };
            self.entries.push(entry);
            self.tasks += u64::from(spec.count);
        }
    }

    /// Notes that tasks of a spec have ended.
    pub fn on_gone(&mut self, no: SpecNo, tasks: u64) {
        let Some(entry) = self.entries.get_mut(no.index()) else { return };
        entry.left = entry.left.saturating_sub(u32::try_from(tasks).unwrap_or(u32::MAX));
        if entry.left == 0 {
            self.ended.push_back(no);
        }
    }

    /// Forgets the inputs of specs that have ended and lie before a number, so that a stream
    /// without an end takes no more and more memory.
    pub fn forget(&mut self, settled: u64) {
        while let Some(no) = self.ended.front() {
            let next = self.entries.get(no.index() + 1).map_or(self.tasks, |next| next.before);
            if next > settled {
                break;
            }
            if let Some(entry) = self.entries.get_mut(no.index()).filter(|e| e.left == 0) {
                entry.spec = None;
            }
            self.ended.pop_front();
        }
    }

    /// The spec of a number; none where it is not there or was forgotten.
    #[must_use]
    pub fn spec(&self, no: SpecNo) -> Option<&Arc<TaskSpec>> {
        self.entries.get(no.index())?.spec.as_ref()
    }

    /// The spec from which those count that a spec waits for: the first that was added with it.
    /// Of a spec that waits for none it may be an earlier one.
    #[must_use]
    pub fn base(&self, no: SpecNo) -> SpecNo {
        let after = self.batches.partition_point(|first| *first <= no.0);
        SpecNo(after.checked_sub(1).map_or(0, |at| self.batches[at]))
    }

    /// How many tasks there are so far.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.tasks
    }

    /// How many tasks of a spec have not ended.
    #[must_use]
    pub fn left(&self, no: SpecNo) -> u32 {
        self.entries.get(no.index()).map_or(0, |entry| entry.left)
    }

    /// Notes that tasks of a spec are to run once more.
    pub fn on_again(&mut self, no: SpecNo, tasks: u64) {
        let Some(entry) = self.entries.get_mut(no.index()) else { return };
        entry.left = entry.left.saturating_add(u32::try_from(tasks).unwrap_or(u32::MAX));
    }

    /// The task of a number from 1.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Option<(SpecNo, u32)> {
        let place = number.checked_sub(1).filter(|place| *place < self.tasks)?;
        let after = self.entries.partition_point(|entry| entry.before <= place);
        let at = after.checked_sub(1)?;
        let index = u32::try_from(place - self.entries[at].before).ok()?;
        Some((SpecNo(at as u32), index))
    }

    /// The spec of a name, where it is not forgotten.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<SpecNo> {
        let named = |entry: &Entry| entry.spec.as_ref().is_some_and(|spec| &*spec.name == name);
        let at = self.entries.iter().position(named).filter(|_| !name.is_empty())?;
        Some(SpecNo(at as u32))
    }

    /// How many cores each task of a spec holds.
    #[must_use]
    pub fn cores(&self, no: SpecNo) -> f64 {
        self.spec(no).map_or(1.0, |spec| spec.body.request.resources.milli_cpus as f64 / 1e3)
    }

    /// How many specs there are so far, forgotten ones too.
    #[must_use]
    pub fn specs(&self) -> usize {
        self.entries.len()
    }

    /// How many tasks come before a range.
    #[must_use]
    pub fn before(&self, range: TaskRange) -> u64 {
        let before = self.entries.get(range.spec.index()).map_or(0, |entry| entry.before);
        before + u64::from(range.first)
    }

    /// The number of a task, from 1.
    #[must_use]
    pub fn number(&self, task: TaskId) -> u64 {
        self.before(TaskRange::one(task)) + 1
    }

    /// What people call a task: its name, with the index where there are several, or its number.
    #[must_use]
    pub fn name(&self, task: TaskId) -> String {
        match self.spec(task.spec) {
            Some(spec) if spec.name.is_empty() => self.number(task).to_string(),
            Some(spec) if spec.array => format!("{}[{}]", spec.name, shown_index(spec, task)),
            Some(spec) => spec.name.to_string(),
            None => format!("{}.{}", task.spec.0, task.index),
        }
    }

    /// What placeholders stand for in a task, as far as it is known outside of it.
    #[must_use]
    pub fn scope(&self, task: TaskId, slot: u32, attempt: u16) -> Scope<'_> {
        let Some(spec) = self.spec(task.spec) else { return Scope::default() };
        let row = spec.first_row + u64::from(task.index);
        let place = spec.rows_before + row;
        Scope {
            row: spec.inputs.row(row),
            index: place,
            sequence: place + 1,
            slot,
            attempt,
            upstream: &[],
        }
    }

    /// The inputs of a task, with blanks between them.
    #[must_use]
    pub fn input(&self, task: TaskId) -> Vec<u8> {
        Template::values().expand(&self.scope(task, 0, 1))
    }

    /// The command of a task as a person would type it.
    #[must_use]
    pub fn command(&self, task: TaskId, slot: u32, attempt: u16) -> Vec<u8> {
        let Some(spec) = self.spec(task.spec) else { return Vec::new() };
        command::line(&spec.body.action, &self.scope(task, slot, attempt))
    }
}

/// The index that people see: the array's own number where it has one.
#[must_use]
pub fn shown_index(spec: &TaskSpec, task: TaskId) -> i64 {
    let row = spec.first_row + u64::from(task.index);
    let number = spec.inputs.row(row).number();
    number.unwrap_or_else(|| i64::try_from(spec.rows_before + row).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Action;
    use crate::id::{JobNo, ShardId};
    use crate::inputs::Inputs;
    use crate::task::Body;
    use crate::time::Moment;

    fn numbers(first: i64, count: u64) -> Arc<TaskSpec> {
        Arc::new(TaskSpec {
            name: "a".into(),
            inputs: Inputs::numbers(first, 1, count).expect("they are few"),
            count: count as u32,
            array: true,
            ..TaskSpec::new(Arc::new(Body::new(Action::Command { argv: Vec::new() })))
        })
    }

    #[test]
    fn tasks_are_numbered_through_all_specs() {
        let mut roster = Roster::default();
        let specs = [numbers(5, 3), numbers(1, 2)].into();
        let (job, first, brief) = (JobNo(0), SpecNo(0), None);
        let kind = EventKind::Submitted { job, first, specs, brief };
        roster.on_event(&Event { at: Moment(0), shard: ShardId(1), kind });
        let task = TaskId { spec: SpecNo(1), index: 1, ..TaskId::default() };
        assert_eq!((roster.number(task), roster.name(task)), (5, "a[2]".to_owned()));
        assert_eq!(roster.scope(task, 1, 1).sequence, 2, "it counts in its own stream");
        roster.on_gone(SpecNo(0), 2);
        roster.on_gone(SpecNo(0), 1);
        roster.forget(2);
        assert!(roster.spec(SpecNo(0)).is_some(), "its last task is not settled");
        roster.forget(3);
        assert!(roster.spec(SpecNo(0)).is_none());
        assert_eq!(roster.number(task), 5);
        assert_eq!(roster.numbered(5), Some((SpecNo(1), 1)));
        assert_eq!(roster.numbered(3), Some((SpecNo(0), 2)));
        assert_eq!((roster.numbered(0), roster.numbered(6)), (None, None));
    }
}
