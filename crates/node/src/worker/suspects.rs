//! Tasks that were running, with others, in one run of a worker that went: one of them may be to
//! blame. They are run alone from then on, until one has ended, so that it is known which.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::id::{TaskId, TaskRange};

/// The suspects of a cluster, each with how many workers have gone with it in company.
#[derive(Debug, Default)]
pub(crate) struct Suspects(Mutex<BTreeMap<TaskId, u16>>);

/// Most suspects. Past it a task that takes its workers down in company may do so more often.
const SUSPECTS_MAX: usize = 100_000;

impl Suspects {
    /// A worker has gone that ran these.
    pub(crate) fn add(&self, tasks: impl Iterator<Item = TaskId>) {
        let mut suspects = self.suspects();
        for task in tasks {
            if suspects.len() < SUSPECTS_MAX || suspects.contains_key(&task) {
                let gone = suspects.entry(task).or_default();
                *gone = gone.saturating_add(1);
            }
        }
    }

    /// How many workers have gone with a task in company.
    pub(crate) fn of(&self, task: TaskId) -> u16 {
        self.suspects().get(&task).copied().unwrap_or_default()
    }

    /// How many tasks at the beginning of a list may run together: those before the first suspect,
    /// or that alone.
    pub(crate) fn together(&self, ranges: impl Iterator<Item = TaskRange>) -> usize {
        let suspects = self.suspects();
        let mut before = 0;
        for range in ranges {
            let first = suspects.range(range.head()..).next().map(|(task, _)| *task);
            let within = |task: &TaskId| {
                (task.job, task.spec) == (range.job, range.spec) && task.index < range.end()
            };
            if let Some(task) = first.filter(within) {
                return (before + (task.index - range.first) as usize).max(1);
            }
            before += range.count as usize;
        }
        before
    }

    /// A task has ended, however that was: it is no suspect any more.
    pub(crate) fn clear(&self, task: TaskId) {
        let mut suspects = self.suspects();
        if !suspects.is_empty() {
            suspects.remove(&task);
        }
    }

    fn suspects(&self) -> MutexGuard<'_, BTreeMap<TaskId, u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u32, count: u32) -> TaskRange {
        TaskRange { first, count, ..TaskRange::default() }
    }

    #[test]
    fn a_suspect_runs_alone() {
        let suspects = Suspects::default();
        let together = |ranges: &[TaskRange]| suspects.together(ranges.iter().copied());
        assert_eq!(together(&[range(0, 10), range(20, 5)]), 15);
        suspects.add(range(22, 2).tasks());
        assert_eq!(together(&[range(0, 10), range(20, 5)]), 12);
        assert_eq!(together(&[range(22, 10)]), 1);
        assert_eq!(together(&[range(24, 10)]), 10);
        assert_eq!(suspects.of(range(23, 1).head()), 1);
        suspects.clear(range(22, 1).head());
        assert_eq!(together(&[range(22, 10)]), 1, "those before the next one: itself alone");
        suspects.clear(range(23, 1).head());
        assert_eq!(together(&[range(22, 10)]), 10);
    }
}
