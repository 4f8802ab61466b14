//! The ranks of a gang end together: they all count as succeeded, or none does. Where one comes
//! back, fails or is lost, the others are stopped, and the gang runs again as a whole.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{Fence, JobNo, NodeId, TaskRange};
use bary_model::message::{OutcomeItem, Retract, Say};
use bary_model::outcome::Outcome;
use bary_model::time::Span;

use crate::home::Home;
use crate::home::gang::Turn;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// The gang that these tasks are of, or the first of them.
    pub(super) fn gang_of(&self, range: TaskRange) -> Option<TaskRange> {
        self.ledger.job(range.job)?.spec(range.spec)?.gang_of(range.head())
    }

    /// How often tasks of these were tried and failed, and took their process down: of a gang
    /// every attempt that any of its ranks ended early.
    pub(super) fn tries_of(&self, range: TaskRange) -> (u16, u16) {
        let Some(job) = self.ledger.job(range.job) else { return (0, 0) };
        let all = self.gang_of(range).unwrap_or_else(|| range.with(range.first, 1));
        let tries = all.tasks().map(|task| job.tries(task.spec, task.index));
        tries.fold((0, 0), |(failed, crashed): (u16, u16), one| {
            (failed.saturating_add(one.failed), crashed.saturating_add(one.crashed))
        })
    }

    /// Notes that gangs have fallen apart of which these ranks are to be ready again.
    pub(super) fn note_falls(&mut self, range: TaskRange) {
        let Some(job) = self.ledger.job(range.job) else { return };
        let Some(spec) = job.spec(range.spec).filter(|spec| spec.gang > 0) else { return };
        let last = range.with(range.end() - 1, 1);
        let ends = [range.head(), last.head()].map(|task| spec.gang_of(task));
        for gang in ends.into_iter().flatten() {
            let inside = |index: u32| index >= range.first && index < range.end();
            let mut others = gang.tasks().filter(|task| !inside(task.index));
            if others.any(|task| self.ledger.holder(TaskRange::one(task)).is_some()) {
                self.gangs.fall(gang, false);
            }
        }
    }

    /// Puts gangs among those that are ready, as far as they are whole.
    pub(super) fn offer_gangs(&mut self, range: TaskRange, size: u32) {
        for whole in self.gangs.gather(range, size) {
            if whole.count == size && self.gangs.mended(whole) {
                self.gangs.rest(whole, self.rest_span(), self.today);
            }
            self.gangs.ready.extend(self.entry(whole).map(Turn));
        }
    }

    fn rest_span(&self) -> (Span, Span) {
        (self.limits.gang_rest, self.limits.gang_rest_max)
    }

    /// What an outcome of a task comes to now, and what others come to with it.
    pub(super) fn with_mates(
        &mut self,
        from: NodeId,
        item: &OutcomeItem,
    ) -> Vec<(NodeId, OutcomeItem)> {
        let own = || vec![(from, item.clone())];
        let Some(gang) = self.gang_of(item.range) else { return own() };
        match &item.outcome {
            Outcome::Stopped => own(),
            Outcome::Returned => {
                self.gangs.fall(gang, false);
                self.gangs.refused(from, self.rest_span(), self.today);
                own()
            }
            // Its gang was no longer whole: what it gave, or why it failed, says nothing.
            _ if self.gangs.is_broken(gang) => {
                vec![(from, OutcomeItem { outcome: Outcome::Stopped, ..item.clone() })]
            }
            Outcome::Succeeded(_) => self.gangs.end_well(gang, from, item),
            Outcome::Failed { .. } => own(),
        }
    }

    /// Stops what nodes hold of gangs that have fallen apart, and takes back what ended well.
    pub(super) fn part_gangs(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let mut then = Consequences::default();
        for gang in self.gangs.news() {
            for task in gang.tasks() {
                let range = TaskRange::one(task);
                if let Some((node, item)) = self.gangs.undo(task) {
                    let items = vec![(item.fence.grant, range)];
                    self.commit(Record::Retracted { items }, &mut then);
                    let ranges = [range].into();
                    self.log.tell(EventKind::Retracted { node, ranges }, out);
                } else if let Some(holder) = self.ledger.holder(range)
                    && self.has_session(holder.node)
                    && self.gangs.tell(gang, holder.node, holder.grant)
                {
                    let (shard, epoch, grant) = (self.log.shard, holder.epoch, holder.grant);
                    let stale = vec![(Fence { shard, epoch, grant }, range)];
                    self.log.say_after_held(holder.node, Say::Retract(Retract::Stale(stale)), out);
                }
            }
        }
        if !then.ready.is_empty() {
            self.follow(then, out, timers);
        }
    }

    /// The gangs that these tasks are of, where their spec has some.
    pub(super) fn whole_gangs(&self, range: TaskRange) -> TaskRange {
        let last = range.with(range.end() - 1, 1);
        match (self.gang_of(range), self.gang_of(last)) {
            (Some(first), Some(last)) => range.with(first.first, last.end() - first.first),
            _ => range,
        }
    }

    /// Takes what is ready of a job out, gangs that are not whole included.
    pub(super) fn unready(&mut self, job: JobNo) -> Vec<TaskRange> {
        let mut ranges = self.ready.remove(job);
        ranges.extend(self.gangs.take_out(Some(job)));
        ranges
    }
}
