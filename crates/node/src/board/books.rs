//! What the board knows: a fold of a shard's events, and of what its nodes tell besides.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bary_model::decree::Decrees;
use bary_model::event::{Brief, Ended, Event, EventKind};
use bary_model::id::{GrantNo, JobNo, ShardId, TaskRange};
use bary_model::payload::Payload;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::board::active::Hold;
use crate::board::clock::Clock;
use crate::board::ends::{Dropped, How};
use crate::board::job::JobRow;
use crate::board::learning::Learning;
use crate::board::limits::BoardLimits;
use crate::board::nodes::Nodes;
use crate::board::printed::Guests;
use crate::board::ring::{Noted, Ranges, Ring, What};
use crate::board::shelf::Shelf;
use crate::board::tails::Tails;
use crate::board::watchers::{Note, Watchers};

pub(crate) mod room;
mod runs;

/// All that the board knows.
#[derive(Debug)]
pub(crate) struct Books {
    /// Whose events are folded: of the first shard that tells any.
    pub(crate) shard: Option<ShardId>,
    /// The member whose jobs they are; empty where the node is in no cluster.
    pub(crate) home: Box<str>,
    pub(crate) clock: Clock,
    jobs: Shelf,
    pub(crate) nodes: Nodes,
    pub(crate) ring: Ring,
    pub(crate) tails: Tails,
    /// What tasks of other members' jobs print here.
    pub(crate) guests: Guests,
    /// Most bytes that are kept of what a task prints at another member.
    pub(crate) far_tail_bytes_max: usize,
    pub(crate) watchers: Watchers,
    pub(crate) totals: Totals,
    /// How long tasks take.
    pub(crate) learning: Learning,
    /// The last grant that was told, and tasks that began under later ones.
    granted: GrantNo,
    early: BTreeMap<GrantNo, Vec<(TaskRange, Hold)>>,
    /// What holds by decree.
    pub(crate) decrees: Decrees,
    /// Finished jobs with details, the oldest first.
    finished: VecDeque<JobNo>,
    /// Finished jobs that are not forgotten, the oldest first.
    kept: VecDeque<JobNo>,
    kept_max: usize,
    /// For how long they are kept.
    kept_span: Span,
    /// How many pieces of ended tasks there are.
    pieces: u64,
    /// Most of them, before the oldest are forgotten.
    pieces_max: u64,
    /// Payloads that nobody can ask for any more.
    unread: Vec<Payload>,
    /// Results that are to be kept at so many members.
    wanted: Vec<(Payload, u8)>,
    /// Whether every large result is wanted, and not only those of jobs that say so.
    wants_all: bool,
    /// Why nothing more is told, once that is so.
    pub(crate) over: Option<Box<str>>,
    /// Whether the disk under the state is full.
    pub(crate) full: bool,
    /// Whether it is so full that no more jobs are taken in.
    pub(crate) low: bool,
}

/// What all jobs add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) jobs: u64,
    pub(crate) finished: u64,
    pub(crate) tasks: u64,
    pub(crate) ended: u64,
    pub(crate) running: u64,
}

impl Books {
    pub(crate) fn new(clock: Clock, limits: &BoardLimits) -> Self {
        Self {
            shard: None,
            home: Box::default(),
            clock,
            jobs: Shelf::default(),
            nodes: Nodes::default(),
            ring: Ring::new(limits.event_ring_max),
            tails: Tails::new(limits.tail_bytes_max, limits.tails_bytes_max),
            guests: Guests::new(limits),
            far_tail_bytes_max: limits.far_tail_bytes_max,
            watchers: Watchers::default(),
            totals: Totals::default(),
            learning: Learning::default(),
            granted: GrantNo(0),
            early: BTreeMap::new(),
            decrees: Decrees::default(),
            finished: VecDeque::new(),
            kept: VecDeque::new(),
            kept_max: limits.jobs_kept_max,
            kept_span: limits.jobs_kept_span,
            pieces: 0,
            pieces_max: limits.board_tasks_max,
            unread: Vec::new(),
            wanted: Vec::new(),
            wants_all: false,
            over: None,
            full: false,
            low: false,
        }
    }

    /// They are those of this shard, and of this member.
    pub(crate) fn belongs(&mut self, shard: ShardId, home: Box<str>) {
        (self.shard, self.home) = (Some(shard), home);
    }

    /// A job, where it is not forgotten.
    pub(crate) fn job(&self, no: JobNo) -> Option<&JobRow> {
        self.jobs.job(no)
    }

    /// The number after that of the last job.
    pub(crate) fn end(&self) -> JobNo {
        self.jobs.end()
    }

    /// How many jobs, and how many of their tasks, have not ended.
    pub(crate) fn unfinished(&self) -> (u64, u64) {
        let Totals { jobs, finished, tasks, ended, .. } = self.totals;
        (jobs.saturating_sub(finished), tasks.saturating_sub(ended))
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
            EventKind::Granted { node, ranges, last, considered } => {
                for (job, ranges) in Ranges::by_job(&ranges) {
                    self.nodes.on_granted(node, ranges.tasks());
                    self.on_row(job, |row| {
                        ranges.iter().for_each(|range| row.on_granted(range, node, at));
                    });
                    let why = considered.clone();
                    self.note(at, Some(job), What::Granted { node, ranges, why });
                }
                self.on_told(last);
            }
            EventKind::Retracted { node, ranges } => {
                // Who runs them next begins anew.
                ranges.iter().for_each(|range| self.tails.forget_all(*range));
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
                self.on_dropped(at, range, &Dropped { end, because, at, ran: None });
            }
            EventKind::Superseded { range, node } => {
                self.note(at, Some(range.job), What::Superseded { range, node });
            }
            EventKind::Ran(all) => {
                all.iter().for_each(|one| self.on_row(one.range.job, |row| row.on_ran(one)));
            }
            EventKind::Decreed(decree) => {
                self.decrees.take_in(&decree);
                self.note(at, None, What::Decreed(decree));
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
    }

    fn on_ended(&mut self, at: Moment, ended: Arc<Ended>) {
        let (range, job) = (ended.range, ended.range.job);
        self.nodes.on_ended(&ended);
        let detail = self.jobs.job(job).and_then(|row| row.detail.as_deref());
        if let Some(spec) = detail.and_then(|detail| detail.roster.spec(range.spec)) {
            self.learning.on_ended(&spec.body, &ended);
        }
        self.totals.ended += u64::from(range.count);
        self.tails.forget_all(range);
        self.watchers.tell(job, || Note::Ended(Arc::clone(&ended)));
        let (mut kept, mut copies) = (false, 0);
        self.on_row(job, |row| {
            (kept, copies) = (row.detail.is_some(), row.brief.about.copies);
            row.on_ended(Arc::clone(&ended));
        });
        if copies > 1 || self.wants_all {
            self.want(&ended, copies);
        }
        if kept {
            self.pieces += 1;
            self.bound();
        } else {
            self.release(&How::Ran(Arc::clone(&ended)));
        }
        self.note(at, Some(job), What::Ended(ended));
    }

    fn on_dropped(&mut self, at: Moment, range: TaskRange, dropped: &Dropped) {
        let end = dropped.end.name();
        self.totals.ended += u64::from(range.count);
        self.tails.forget_all(range);
        self.watchers.tell(range.job, || Note::Dropped { range, end });
        let (mut kept, mut parts, mut held) = (false, Vec::new(), Vec::new());
        self.on_row(range.job, |row| {
            kept = row.detail.is_some();
            held = row.detail.as_deref().map_or_else(Vec::new, |one| one.granted.within(range));
            parts = row.on_dropped(range, dropped);
        });
        for (part, Hold { node, .. }) in held {
            self.nodes.on_let_go(node, part.count.into());
        }
        if kept {
            self.pieces += parts.len() as u64;
            self.bound();
        }
        for (range, how) in parts {
            self.note(at, Some(range.job), What::Dropped { range, how });
        }
    }

    fn on_finished(&mut self, at: Moment, job: JobNo) {
        self.on_row(job, |row| row.on_finished(at));
        self.totals.finished += 1;
        self.finished.push_back(job);
        self.kept.push_back(job);
        self.watchers.on_over(job);
    }

    fn on_retried(&mut self, job: JobNo) {
        let (mut gone, mut ended, mut was_over) = (Vec::new(), 0, false);
        self.on_row(job, |row| {
            was_over = row.finished.is_some();
            let before = row.sums.ended();
            gone = row.on_retried();
            ended = before - row.sums.ended();
        });
        self.totals.ended = self.totals.ended.saturating_sub(ended);
        self.totals.finished = self.totals.finished.saturating_sub(u64::from(was_over));
        self.let_go(&gone);
    }

    fn on_forgotten(&mut self, job: JobNo) {
        let Some(mut row) = self.jobs.take(job) else { return };
        self.totals.jobs -= 1;
        let was_over = u64::from(row.finished.is_some());
        self.totals.finished = self.totals.finished.saturating_sub(was_over);
        self.totals.tasks -= row.tasks;
        self.totals.ended = self.totals.ended.saturating_sub(row.sums.ended());
        let gone = row.only_count();
        self.let_go(&gone);
        self.watchers.on_over(job);
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
}

#[cfg(test)]
mod tests;
