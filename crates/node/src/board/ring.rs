//! The last events of a shard by number, for who follows them and for `why`.

use std::collections::VecDeque;
use std::sync::Arc;

use bary_model::decree::Decree;
use bary_model::event::{Considered, Ended};
use bary_model::id::{JobNo, NodeId, TaskId, TaskRange};
use bary_model::outcome::Failure;
use bary_model::time::Moment;

use crate::board::ends::Dropped;

/// Events by number, the last of them.
#[derive(Debug)]
pub(crate) struct Ring {
    events: VecDeque<Noted>,
    /// The number of the last event.
    last: u64,
    max: usize,
    /// Numbers of the grants that still say why.
    decisions: VecDeque<u64>,
}

/// How many grants say why they were made.
const DECISIONS_MAX: usize = 1_000;

/// An event of one job, or of a node.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) at: Moment,
    /// Absent for what happened to a node.
    pub(crate) job: Option<JobNo>,
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// So many tasks were added.
    Submitted(u64),
    Closed,
    Retried,
    Granted {
        node: NodeId,
        ranges: Ranges,
        why: Option<Arc<Considered>>,
    },
    Retracted {
        node: NodeId,
        ranges: Ranges,
    },
    Started {
        node: NodeId,
        attempt: u16,
        range: TaskRange,
    },
    Retrying {
        task: TaskId,
        node: NodeId,
        attempt: u16,
        failure: Arc<Failure>,
        until: Moment,
    },
    Ended(Arc<Ended>),
    Dropped {
        range: TaskRange,
        how: Arc<Dropped>,
    },
    Superseded {
        range: TaskRange,
        node: NodeId,
    },
    Finished,
    Held {
        held: bool,
        reason: Option<Box<str>>,
    },
    Prioritised(i32),
    Stopping {
        reason: Option<Box<str>>,
    },
    Arrived {
        good: bool,
    },
    Forgotten,
    Decreed(Arc<Decree>),
    Drained {
        node: NodeId,
        drain: bool,
    },
    Checkpointed {
        task: TaskId,
        node: NodeId,
        step: u64,
    },
}

/// Ranges of one job that one event names.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    all: Arc<[TaskRange]>,
    first: u32,
    count: u32,
}

impl Ranges {
    /// The ranges of an event, those of each job together.
    pub(crate) fn by_job(all: &Arc<[TaskRange]>) -> impl Iterator<Item = (JobNo, Self)> {
        let mut first = 0;
        all.chunk_by(|a, b| a.job == b.job).map(move |group| {
            let count = group.len() as u32;
            let ranges = Self { all: Arc::clone(all), first, count };
            first += count;
            (group[0].job, ranges)
        })
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = TaskRange> {
        self.all.iter().skip(self.first as usize).take(self.count as usize).copied()
    }

    /// How many tasks they are.
    pub(crate) fn tasks(&self) -> u64 {
        self.iter().map(|range| u64::from(range.count)).sum()
    }
}

impl What {
    /// The first task that it is about, and how many; no task where it is about the job.
    pub(crate) fn tasks(&self) -> (Option<TaskId>, u64) {
        match self {
            Self::Submitted(tasks) => (None, *tasks),
            Self::Granted { ranges, .. } | Self::Retracted { ranges, .. } => {
                (ranges.iter().next().map(TaskRange::head), ranges.tasks())
            }
            Self::Retrying { task, .. } | Self::Checkpointed { task, .. } => (Some(*task), 1),
            Self::Ended(ended) => (Some(ended.range.head()), u64::from(ended.range.count)),
            Self::Dropped { range, .. }
            | Self::Superseded { range, .. }
            | Self::Started { range, .. } => (Some(range.head()), u64::from(range.count)),
            _ => (None, 0),
        }
    }

    /// Whether it is about this task.
    pub(crate) fn is_of(&self, task: TaskId) -> bool {
        let within = |range: TaskRange| {
            range.spec == task.spec && (range.first..range.end()).contains(&task.index)
        };
        match self {
            Self::Granted { ranges, .. } | Self::Retracted { ranges, .. } => {
                ranges.iter().any(within)
            }
            Self::Retrying { task: of, .. } | Self::Checkpointed { task: of, .. } => *of == task,
            Self::Ended(ended) => within(ended.range),
            Self::Dropped { range, .. }
            | Self::Superseded { range, .. }
            | Self::Started { range, .. } => within(*range),
            _ => false,
        }
    }
}

impl Ring {
    /// None so far, and never more than so many.
    pub(crate) fn new(max: usize) -> Self {
        Self { events: VecDeque::new(), last: 0, max, decisions: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, noted: Noted) {
        self.last += 1;
        if matches!(noted.what, What::Granted { why: Some(_), .. }) {
            self.decisions.push_back(self.last);
            if self.decisions.len() > DECISIONS_MAX {
                self.forget_decision();
            }
        }
        if self.events.len() == self.max {
            self.events.pop_front();
        }
        self.events.push_back(noted);
    }

    fn forget_decision(&mut self) {
        let Some(number) = self.decisions.pop_front() else { return };
        if let Some(at) = number.checked_sub(self.first()).map(|at| at as usize)
            && let Some(Noted { what: What::Granted { why, .. }, .. }) = self.events.get_mut(at)
        {
            *why = None;
        }
    }

    /// The number of the first event that is kept; of the next one where none is.
    pub(crate) fn first(&self) -> u64 {
        self.last + 1 - self.events.len() as u64
    }

    /// The number of the last event; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Events from a number on with their numbers, as far as they are kept.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Noted)> {
        let number = number.max(self.first());
        let skipped = (number - self.first()) as usize;
        (number..).zip(self.events.range(skipped.min(self.events.len())..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(job: u32) -> Noted {
        Noted { at: Moment(0), job: Some(JobNo(job)), what: What::Finished }
    }

    #[test]
    fn the_last_events_keep_their_numbers() {
        let mut ring = Ring::new(3);
        assert_eq!((ring.first(), ring.last(), ring.from(0).count()), (1, 0, 0));
        (1..=5).for_each(|job| ring.push(noted(job)));
        let numbers = |from| ring.from(from).map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!((numbers(0), numbers(5), numbers(6)), (vec![3, 4, 5], vec![5], vec![]));
        assert!(ring.from(0).all(|(number, noted)| noted.job == Some(JobNo(number as u32))));
    }

    #[test]
    fn an_event_of_several_jobs_is_one_for_each() {
        let range = |job, count| TaskRange { job: JobNo(job), count, ..TaskRange::default() };
        let all = [range(1, 2), range(1, 3), range(4, 1)].into();
        let split: Vec<_> =
            Ranges::by_job(&all).map(|(job, ranges)| (job.0, ranges.tasks())).collect();
        assert_eq!(split, [(1, 5), (4, 1)]);
    }
}
