//! What the board knows: a fold of a shard's events, and of what its nodes tell besides.

use std::collections::VecDeque;
use std::sync::Arc;

use bary_model::event::{Brief, Ended, Event, EventKind};
use bary_model::id::{JobNo, NodeId, RunNo, ShardId, TaskId, TaskRange};
use bary_model::payload::Payload;
use bary_model::task::TaskSpec;
use bary_model::time::Moment;

use crate::board::active::Hold;
use crate::board::clock::Clock;
use crate::board::ends::{Dropped, How};
use crate::board::job::{JobRow, Word};
use crate::board::limits::BoardLimits;
use crate::board::nodes::Nodes;
use crate::board::ring::{Noted, Ranges, Ring, What};
use crate::board::shelf::Shelf;
use crate::board::tails::Tails;
use crate::board::watchers::{Note, Watchers};
use crate::listener::Began;

mod room;

/// All that the board knows.
#[derive(Debug)]
pub(crate) struct Books {
    /// Whose events are folded: of the first shard that tells any.
    shard: Option<ShardId>,
    pub(crate) clock: Clock,
    jobs: Shelf,
    pub(crate) nodes: Nodes,
    pub(crate) ring: Ring,
    pub(crate) tails: Tails,
    pub(crate) watchers: Watchers,
    pub(crate) totals: Totals,
    /// Tasks that began before their job was told.
    early: Vec<(TaskRange, Hold)>,
    /// Finished jobs with details, the oldest first.
    finished: VecDeque<JobNo>,
    /// Finished jobs that are not forgotten, the oldest first.
    kept: VecDeque<JobNo>,
    kept_max: usize,
    /// How many pieces of ended tasks there are.
    pieces: u64,
    /// Most of them, before the oldest are forgotten.
    pieces_max: u64,
    /// Payloads that nobody can ask for any more.
    unread: Vec<Payload>,
    /// Why nothing more is told, once that is so.
    pub(crate) over: Option<Box<str>>,
    /// Whether the disk under the state is full.
    pub(crate) full: bool,
}

/// What all jobs add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) jobs: u64,
    pub(crate) tasks: u64,
    pub(crate) ended: u64,
    pub(crate) running: u64,
}

impl Books {
    pub(crate) fn new(clock: Clock, limits: &BoardLimits) -> Self {
        Self {
            shard: None,
            clock,
            jobs: Shelf::default(),
            nodes: Nodes::default(),
            ring: Ring::new(limits.event_ring_max),
            tails: Tails::new(limits.tail_bytes_max, limits.tails_bytes_max),
            watchers: Watchers::default(),
            totals: Totals::default(),
            early: Vec::new(),
            finished: VecDeque::new(),
            kept: VecDeque::new(),
            kept_max: limits.jobs_kept_max,
            pieces: 0,
            pieces_max: limits.board_tasks_max,
            unread: Vec::new(),
            over: None,
            full: false,
        }
    }

    /// A job, where it is not forgotten.
    pub(crate) fn job(&self, no: JobNo) -> Option<&JobRow> {
        self.jobs.job(no)
    }

    /// The number after that of the last job.
    pub(crate) fn end(&self) -> JobNo {
        self.jobs.end()
    }

    /// Every job from a number on.
    pub(crate) fn jobs_from(&self, no: JobNo) -> impl Iterator<Item = &JobRow> {
        self.jobs.from(no)
    }

    /// Folds an event in.
    pub(crate) fn fold(&mut self, event: Event) {
        if event.shard != *self.shard.get_or_insert(event.shard) {
            return;
        }
        let at = event.at;
        match event.kind {
            EventKind::Submitted { job, specs, brief, .. } => {
                self.on_submitted(at, job, brief, &specs);
            }
            EventKind::Granted { node, ranges, considered } => {
                for (job, ranges) in Ranges::by_job(&ranges) {
                    self.nodes.on_granted(node, ranges.tasks());
                    self.on_row(job, |row| {
                        ranges.iter().for_each(|range| row.on_granted(range, node, at));
                    });
                    let why = considered.clone();
                    self.note(at, Some(job), What::Granted { node, ranges, why });
                }
            }
            EventKind::Retracted { node, ranges } => {
                for (job, ranges) in Ranges::by_job(&ranges) {
                    self.nodes.on_let_go(node, ranges.tasks());
                    self.on_row(job, |row| {
                        ranges.iter().for_each(|range| row.on_retracted(range));
                    });
                    self.note(at, Some(job), What::Retracted { node, ranges });
                }
            }
            EventKind::Retrying { task, node, attempt, failure, until } => {
                self.nodes.on_let_go(node, 1);
                self.tails.forget(task);
                self.on_row(task.job, |row| row.on_retrying(task, attempt));
                let failure = Arc::new(failure);
                let what = What::Retrying { task, node, attempt, failure, until };
                self.note(at, Some(task.job), what);
            }
            EventKind::Ended(ended) => self.on_ended(at, Arc::new(ended)),
            EventKind::Dropped { range, end, because } => {
                self.on_dropped(at, range, Dropped { end, because, at });
            }
            EventKind::Superseded { range, node } => {
                self.note(at, Some(range.job), What::Superseded { range, node });
            }
            EventKind::Drained { node, drain } => {
                self.nodes.on_drained(node, drain);
                self.note(at, None, What::Drained { node, drain });
            }
            EventKind::Checkpointed { task, node, step, .. } => {
                self.on_row(task.job, |row| {
                    if let Some(detail) = &mut row.detail {
                        detail.checkpoints.insert(task, step);
                    }
                });
                self.note(at, Some(task.job), What::Checkpointed { task, node, step });
            }
            kind => self.fold_job(at, kind),
        }
    }

    /// Folds in what happened to a job as a whole.
    fn fold_job(&mut self, at: Moment, kind: EventKind) {
        let (job, what) = match kind {
            EventKind::Closed { job } => {
                self.on_row(job, |row| row.open = false);
                (job, What::Closed)
            }
            EventKind::Retried { job } => {
                self.on_retried(job);
                (job, What::Retried)
            }
            EventKind::Finished { job } => {
                self.on_finished(at, job);
                (job, What::Finished)
            }
            EventKind::Held { job, held, reason } => {
                self.on_row(job, |row| (row.held, row.reason) = (held, reason.clone()));
                (job, What::Held { held, reason })
            }
            EventKind::Prioritised { job, priority } => {
                self.on_row(job, |row| row.priority = priority);
                (job, What::Prioritised(priority))
            }
            EventKind::Stopping { job, reason } => {
                self.on_row(job, |row| {
                    (row.stopping, row.open) = (true, false);
                    row.reason = reason.clone();
                });
                (job, What::Stopping { reason })
            }
            EventKind::Arrived { job, good, .. } => {
                self.on_row(job, |row| row.arrived += 1);
                (job, What::Arrived { good })
            }
            EventKind::Forgotten { job } => {
                self.on_forgotten(job);
                (job, What::Forgotten)
            }
            _ => return,
        };
        self.note(at, Some(job), what);
    }

    fn on_submitted(
        &mut self,
        at: Moment,
        job: JobNo,
        brief: Option<Arc<Brief>>,
        specs: &Arc<[Arc<TaskSpec>]>,
    ) {
        if let Some(brief) = brief {
            self.jobs.add(JobRow::new(job, brief, at));
            self.totals.jobs += 1;
        }
        let tasks = specs.iter().map(|spec| u64::from(spec.count)).sum();
        self.totals.tasks += tasks;
        self.on_row(job, |row| row.on_specs(specs));
        self.note(at, Some(job), What::Submitted(tasks));
        if !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            early.into_iter().for_each(|(range, hold)| self.on_began(range, hold));
        }
    }

    fn on_ended(&mut self, at: Moment, ended: Arc<Ended>) {
        let (range, job) = (ended.range, ended.range.job);
        self.nodes.on_ended(&ended);
        self.totals.ended += u64::from(range.count);
        self.forget_tails(range);
        self.watchers.tell(job, || Note::Ended(Arc::clone(&ended)));
        let mut kept = false;
        self.on_row(job, |row| {
            kept = row.detail.is_some();
            row.on_ended(Arc::clone(&ended));
        });
        if kept {
            self.pieces += 1;
            self.bound();
        } else {
            self.release(&How::Ran(Arc::clone(&ended)));
        }
        self.note(at, Some(job), What::Ended(ended));
    }

    fn on_dropped(&mut self, at: Moment, range: TaskRange, dropped: Dropped) {
        let (end, how) = (dropped.end.name(), Arc::new(dropped));
        self.totals.ended += u64::from(range.count);
        self.forget_tails(range);
        self.watchers.tell(range.job, || Note::Dropped { range, end });
        let mut kept = false;
        self.on_row(range.job, |row| {
            kept = row.detail.is_some();
            row.on_dropped(range, Arc::clone(&how));
        });
        if kept {
            self.pieces += 1;
            self.bound();
        }
        self.note(at, Some(range.job), What::Dropped { range, how });
    }

    fn on_finished(&mut self, at: Moment, job: JobNo) {
        self.on_row(job, |row| row.on_finished(at));
        self.finished.push_back(job);
        self.kept.push_back(job);
        self.watchers.on_over(job);
    }

    fn on_retried(&mut self, job: JobNo) {
        let (mut gone, mut ended) = (Vec::new(), 0);
        self.on_row(job, |row| {
            let before = row.sums.ended();
            gone = row.on_retried();
            ended = before - row.sums.ended();
        });
        self.totals.ended = self.totals.ended.saturating_sub(ended);
        self.let_go(&gone);
    }

    fn on_forgotten(&mut self, job: JobNo) {
        let Some(mut row) = self.jobs.take(job) else { return };
        self.totals.jobs -= 1;
        self.totals.tasks -= row.tasks;
        self.totals.ended = self.totals.ended.saturating_sub(row.sums.ended());
        let gone = row.only_count();
        self.let_go(&gone);
        self.watchers.on_over(job);
    }

    /// What nodes tell of their runs.
    pub(crate) fn on_runs(&mut self, node: NodeId, at: Moment, began: Vec<Began>, over: &[RunNo]) {
        self.nodes.on_runs(node, began.len(), over.len());
        for Began { items, .. } in began {
            for (shard, range, attempt) in items {
                if self.shard.is_none_or(|own| shard == own) {
                    self.on_began(range, Hold { node, at, attempt });
                }
            }
        }
    }

    fn on_began(&mut self, range: TaskRange, hold: Hold) {
        if range.job >= self.jobs.end() {
            // It is told in the next batches: a job may begin before its submission is durable.
            self.early.push((range, hold));
            return;
        }
        self.on_row(range.job, |row| row.on_started(range, hold));
        let Hold { node, at, attempt } = hold;
        self.note(at, Some(range.job), What::Started { node, attempt, range });
    }

    /// What a running task says of itself.
    pub(crate) fn on_said(&mut self, task: TaskId, word: Word) {
        self.on_row(task.job, |row| {
            let Some(detail) = &mut row.detail else { return };
            if detail.running.find(task).is_some() {
                detail.said.insert(task, word);
            }
        });
    }

    /// Does something with a job, and keeps the number of running tasks right.
    fn on_row(&mut self, job: JobNo, act: impl FnOnce(&mut JobRow)) {
        let Some(row) = self.jobs.job_mut(job) else {
            return;
        };
        let before = row.running();
        act(row);
        self.totals.running = self.totals.running + row.running() - before;
    }

    fn note(&mut self, at: Moment, job: Option<JobNo>, what: What) {
        self.ring.push(Noted { at, job, what });
    }

    fn forget_tails(&mut self, range: TaskRange) {
        if !self.tails.is_empty() {
            range.tasks().for_each(|task| self.tails.forget(task));
        }
    }
}

#[cfg(test)]
mod tests;
