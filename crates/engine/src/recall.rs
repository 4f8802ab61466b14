//! What a journal's records stand for, told as the events that whoever listened heard then: the
//! folds of a run that goes on see one stream, as if it had never been interrupted.
//!
//! Moments are never journaled. An event recalled is told at the moment at which its batch was
//! written, as the calendar had it, on the clock that all runs of one state share; or at the latest
//! moment at which a task before it is known to have ended, where that is later or nothing else is
//! known.

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::event::{Brief, Ended, Event, EventKind};
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::outcome::{End, Failure};
use bary_model::time::{Moment, Wall};

/// Folds the records of a shard into its ledger and into events.
#[derive(Debug)]
pub struct Recall {
    ledger: Ledger,
    /// What the calendar said when the shard's clock was zero, where that is known.
    origin: Option<Wall>,
    /// When what is told now happened, as far as that is known.
    at: Moment,
    /// When the last task that was told ended.
    latest: Moment,
    then: Consequences,
}

/// What a retry says of its failure: a journal keeps only that it failed.
const FORGOTTEN: &str = "in an earlier run";

impl Recall {
    /// Nothing recalled of a shard so far.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        let (at, then) = (Moment(0), Consequences::default());
        Self { ledger: Ledger::new(shard), origin: None, at, latest: at, then }
    }

    /// The same, where the shard's clock was zero at this moment of the calendar.
    #[must_use]
    pub fn since(self, origin: Wall) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// What is true by now.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What is true when all records have been folded in.
    #[must_use]
    pub fn finish(self) -> Ledger {
        self.ledger
    }

    /// The latest moment at which a task that was told is known to have ended.
    #[must_use]
    pub fn latest(&self) -> Moment {
        self.latest
    }

    /// Folds a batch in, which was written at this moment of the calendar where that is known, and
    /// tells its events. One of an epoch that was superseded when it was written is ignored.
    ///
    /// # Panics
    /// As [`Ledger::apply`].
    pub fn take_in(
        &mut self,
        (epoch, at): (Epoch, Option<Wall>),
        records: Vec<Record>,
        tell: &mut dyn FnMut(Event),
    ) {
        if epoch < self.ledger.epoch() {
            return;
        }
        self.ledger.pass(at.unwrap_or_default());
        if let (Some(origin), Some(at)) = (self.origin, at) {
            // The calendar may have been set back in between; what is told never goes back.
            self.at = self.at.max(Moment(at.since(origin).0));
        }
        for record in records {
            self.fold(record, tell);
        }
    }

    fn fold(&mut self, record: Record, tell: &mut dyn FnMut(Event)) {
        let mut then = std::mem::take(&mut self.then);
        let before = self.before(&record);
        self.ledger.apply(&record, &mut then);
        self.tell_record(record, before, tell);
        then.ready.clear();
        then.stopped.clear();
        for (range, because) in then.skipped.drain(..) {
            self.tell(
                EventKind::Dropped { range, end: End::Skipped, because: Some(because) },
                tell,
            );
        }
        for range in then.cancelled.drain(..) {
            self.tell(EventKind::Dropped { range, end: End::Cancelled, because: None }, tell);
        }
        for job in then.finished.drain(..) {
            self.tell(EventKind::Finished { job }, tell);
        }
        self.then = then;
    }

    /// What an event says that is gone once its record has been folded in.
    fn before(&self, record: &Record) -> Before {
        match record {
            Record::Extended { job, .. } => {
                let specs = self.ledger.job(*job).map_or(0, |job| job.specs().len());
                Before::Specs(SpecNo(specs as u32))
            }
            Record::Checkpointed { task, .. } => {
                let holder = self.ledger.holder(TaskRange::one(*task));
                Before::By(holder.map_or_else(Default::default, |holder| holder.node))
            }
            Record::Retracted { items } => Before::Retracted(self.retracted(items)),
            Record::Failed { task, .. } => {
                let range = TaskRange::one(*task);
                let node = self.ledger.holder(range).map_or_else(Default::default, |h| h.node);
                let tries = self.ledger.job(task.job).map(|job| job.tries(task.spec, task.index));
                let attempt = tries.map_or(1, |tries| tries.failed + 1);
                let failure = Failure::Error(FORGOTTEN.into());
                let (task, until) = (*task, self.at);
                Before::Told(EventKind::Retrying { task, node, attempt, failure, until })
            }
            _ => Before::Nothing,
        }
    }

    /// Tasks that were given back, by the node that held them.
    fn retracted(&self, items: &[(GrantNo, TaskRange)]) -> Vec<EventKind> {
        let mut told: Vec<EventKind> = Vec::new();
        let holders =
            items.iter().filter_map(|&(_, range)| Some((self.ledger.holder(range)?, range)));
        let mut held: Vec<_> = holders.map(|(holder, range)| (holder.node, range)).collect();
        held.sort_by_key(|(node, _)| *node);
        for group in held.chunk_by(|a, b| a.0 == b.0) {
            let ranges = group.iter().map(|(_, range)| *range).collect();
            told.push(EventKind::Retracted { node: group[0].0, ranges });
        }
        told
    }

    fn tell_record(&mut self, record: Record, before: Before, tell: &mut dyn FnMut(Event)) {
        match (record, before) {
            (Record::Submitted { job, name, specs, open, about, .. }, _) => {
                let known = self.ledger.job(job);
                let upstream = known.into_iter().flat_map(|job| job.waits_for()).collect();
                let brief = Some(Arc::new(Brief { name, about, open, upstream }));
                self.tell(EventKind::Submitted { job, first: SpecNo(0), specs, brief }, tell);
            }
            (Record::Extended { job, specs }, Before::Specs(first)) => {
                self.tell(EventKind::Submitted { job, first, specs, brief: None }, tell);
            }
            (Record::Stopping { job, reason }, _) => {
                self.tell(EventKind::Stopping { job, reason }, tell);
            }
            (Record::Held { job, held, reason }, _) => {
                self.tell(EventKind::Held { job, held, reason }, tell);
            }
            (Record::Prioritised { job, priority }, _) => {
                self.tell(EventKind::Prioritised { job, priority }, tell);
            }
            (Record::Forgotten { job }, _) => self.tell(EventKind::Forgotten { job }, tell),
            (Record::Ran { items }, _) => self.tell(EventKind::Ran(items.into()), tell),
            (Record::Decreed { decree }, _) => {
                self.tell(EventKind::Decreed(Arc::from(decree)), tell);
            }
            (Record::Arrived { job, upstream, good }, _) => {
                self.tell(EventKind::Arrived { job, upstream, good }, tell);
            }
            (Record::Checkpointed { task, step, payload, .. }, Before::By(node)) => {
                self.tell(EventKind::Checkpointed { task, node, step, payload }, tell);
            }
            // A cancel closes a job without telling.
            (Record::Closed { job }, _) if self.is_stopping(job) => {}
            (Record::Closed { job }, _) => self.tell(EventKind::Closed { job }, tell),
            (Record::Retried { job }, _) => self.tell(EventKind::Retried { job }, tell),
            (Record::Granted { node, items }, _) => {
                let last = items.last().map_or_else(GrantNo::default, |(grant, _)| *grant);
                let ranges = items.into_iter().map(|(_, range)| range).collect();
                self.tell(EventKind::Granted { node, ranges, last, considered: None }, tell);
            }
            (Record::Retracted { .. }, Before::Retracted(all)) => {
                all.into_iter().for_each(|kind| self.tell(kind, tell));
            }
            (Record::Failed { .. }, Before::Told(kind)) => self.tell(kind, tell),
            (Record::Ended { items }, _) => {
                items.into_iter().for_each(|item| self.tell_ended(item, tell));
            }
            _ => {}
        }
    }

    fn is_stopping(&self, job: JobNo) -> bool {
        self.ledger.job(job).is_some_and(|job| job.stopping)
    }

    fn tell_ended(&mut self, item: EndedTasks, tell: &mut dyn FnMut(Event)) {
        let EndedTasks { range, grant: _, node, end, attempt, results, stderr, usage } = item;
        self.latest = self.latest.max(usage.began + usage.busy);
        self.at = self.at.max(self.latest);
        let ended = Ended { range, node, attempt, end, results, stderr, usage };
        self.tell(EventKind::Ended(ended), tell);
    }

    fn tell(&self, kind: EventKind, tell: &mut dyn FnMut(Event)) {
        tell(Event { at: self.at, shard: self.ledger.shard(), kind });
    }
}

/// See [`Recall::before`].
enum Before {
    Nothing,
    Specs(SpecNo),
    Retracted(Vec<EventKind>),
    Told(EventKind),
    By(NodeId),
}

/// Leaves out what a retry of the job has undone since: ends without success, and that the job had
/// finished. What is left tells the job's last generation alone, as a run without the failures
/// would have told it so far.
pub fn forget_undone(events: &mut Vec<Event>) {
    let is_retry = |event: &Event| matches!(event.kind, EventKind::Retried { .. });
    let Some(last) = events.iter().rposition(is_retry) else { return };
    let mut at = 0;
    events.retain(|event| {
        at += 1;
        at > last + 1 || stays(&event.kind)
    });
}

/// Whether a retry leaves what an event told as it was.
fn stays(kind: &EventKind) -> bool {
    match kind {
        EventKind::Ended(ended) => ended.end == End::Succeeded,
        EventKind::Dropped { .. } | EventKind::Finished { .. } | EventKind::Retrying { .. } => {
            false
        }
        _ => true,
    }
}
