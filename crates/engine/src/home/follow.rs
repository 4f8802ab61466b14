//! What follows from records: what became ready is handed out, what will not run is told, and jobs
//! that waited for finished ones go on.

use std::collections::{BTreeMap, VecDeque};

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{JobNo, NodeId, TaskRange};
use bary_model::message::{Retract, Say};
use bary_model::outcome::End;

use crate::home::Home;
use crate::home::watch::Arrival;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// Tells what followed from records and hands out what became ready.
    pub(super) fn follow(&mut self, then: Consequences, out: &mut Outbox, timers: &mut Timers) {
        self.follow_all(then, VecDeque::new(), out, timers);
    }

    /// As [`Home::follow`], and goes on with jobs that wait for others of this shard: one after
    /// the other, however long the chain is.
    pub(super) fn follow_all(
        &mut self,
        mut then: Consequences,
        mut arrivals: VecDeque<Arrival>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        loop {
            for range in std::mem::take(&mut then.ready) {
                self.make_ready_or_cancel(range, &mut then);
            }
            self.drop_tasks(&mut then, out);
            for job in std::mem::take(&mut then.finished) {
                arrivals.extend(self.tell_watchers(job, out));
                self.forget(job, timers);
                self.log.tell(EventKind::Finished { job }, out);
            }
            let Some(arrival) = arrivals.pop_front() else { break };
            self.arrive(arrival, &mut then, out);
        }
        self.serve(out, timers);
    }

    /// Tells what will not run, and stops what of it nodes hold. Their jobs must still be known.
    pub(super) fn drop_tasks(&mut self, then: &mut Consequences, out: &mut Outbox) {
        for (range, because) in std::mem::take(&mut then.skipped) {
            let because = Some(because);
            self.log.tell(EventKind::Dropped { range, end: End::Skipped, because }, out);
        }
        for range in std::mem::take(&mut then.cancelled) {
            let end = End::Cancelled;
            self.log.tell(EventKind::Dropped { range, end, because: None }, out);
        }
        self.stop_held(std::mem::take(&mut then.stopped), out);
    }

    fn forget(&mut self, job: JobNo, timers: &mut Timers) {
        self.levels.remove(&job);
        self.whereabouts.forget(job);
        self.layouts.forget(job);
        self.gangs.forget(job);
        self.forget_gate(job, timers);
        self.specs_held -= self.ledger.job(job).map_or(0, |job| job.specs().len() as u64);
        if !self.limits.retains_finished {
            self.ledger.forget(job);
        }
    }

    fn stop_held(&mut self, stopped: Vec<(Holder, TaskRange)>, out: &mut Outbox) {
        if stopped.is_empty() {
            return;
        }
        let mut by_node: BTreeMap<NodeId, Vec<TaskRange>> = BTreeMap::new();
        for (holder, range) in stopped {
            // A rank that had ended well and waited for its gang runs nowhere.
            if self.gangs.undo(range.head()).is_some() {
                continue;
            }
            self.holds_no_longer(holder, range);
            if holder.node == NodeId::ANY {
                for node in self.open.nodes(holder.epoch, holder.grant) {
                    by_node.entry(node).or_default().push(range);
                }
                self.open.closed(holder.epoch, holder.grant, range.count);
            } else {
                by_node.entry(holder.node).or_default().push(range);
            }
        }
        // One that this reign has not met lists what it has when it comes.
        by_node.retain(|node, _| self.accounts.contains_key(node));
        for (node, ranges) in by_node {
            // Not before the grants that it is about.
            self.log.say_after_held(node, Say::Retract(Retract::Tasks(ranges)), out);
        }
    }

    /// Tasks that came back ready run again, unless their job is being cancelled.
    pub(super) fn make_ready_or_cancel(&mut self, range: TaskRange, then: &mut Consequences) {
        if self.is_stopping(range.job) {
            // Of a gang nothing goes on without the others.
            let gangs = self.whole_gangs(range);
            let running = gangs != range || self.gang_of(range).is_some();
            self.commit(Record::Cancelled { range: gangs, running }, then);
        } else {
            self.make_ready(range);
        }
    }

    /// Whether a job is being cancelled: what comes back of it does not run again.
    pub(super) fn is_stopping(&self, job: JobNo) -> bool {
        self.ledger.job(job).is_some_and(|job| job.stopping)
    }
}
