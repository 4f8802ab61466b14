//! Outcomes: accepted once, by the grant they name; failures are judged here.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::event::{Ended, EventKind};
use bary_model::id::{NodeId, TaskRange};
use bary_model::message::OutcomeItem;
use bary_model::outcome::{End, Failure, Outcome, Results};
use bary_model::payload::Payload;
use bary_policy::recover::{quarantine, retry};

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// What a batch of outcomes comes to.
#[derive(Default)]
struct Batch {
    ended: Vec<EndedTasks>,
    events: Vec<Ended>,
    then: Consequences,
}

impl Home {
    pub(crate) fn on_outcomes(
        &mut self,
        from: NodeId,
        items: Vec<OutcomeItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut batch = Batch::default();
        for item in items {
            if self.ledger.accepts(item.fence, item.range) {
                self.account_for(from, &item);
                self.accept(from, item, &mut batch, out, timers);
            } else if self.is_news(&item) {
                out.tell(EventKind::Superseded { range: item.range, node: from });
            }
        }
        if !batch.ended.is_empty() {
            self.commit(Record::Ended { items: batch.ended }, &mut batch.then, out);
        }
        let halted = self.halts.met(batch.events.iter());
        for event in batch.events {
            out.tell(EventKind::Ended(event));
        }
        for (job, rule) in halted {
            // A job that is over needs no halt, and there is no other reason to refuse.
            drop(self.cancel(job, rule.running, out));
        }
        self.follow(batch.then, out);
    }

    /// Whether an outcome that is not accepted should be told: it was neither stopped nor
    /// returned, and its job was not cancelled meanwhile.
    fn is_news(&self, item: &OutcomeItem) -> bool {
        let over = self.ledger.job(item.range.job).is_none_or(|job| job.is_over());
        let ran = !matches!(item.outcome, Outcome::Stopped | Outcome::Returned);
        ran && !over && !self.stopping.contains(&item.range.job)
    }

    fn account_for(&mut self, node: NodeId, item: &OutcomeItem) {
        let spec = self.ledger.job(item.range.job).and_then(|job| job.spec(item.range.spec));
        let weight = spec.map_or(0, |spec| spec.weight.times(u64::from(item.range.count)));
        if let Some(account) = self.accounts.get_mut(&node) {
            account.ended(weight, u64::from(item.range.count));
            account.steals = 0;
            if matches!(item.outcome, Outcome::Succeeded(_)) {
                account.learn(weight, item.usage.busy);
            }
        }
    }

    fn accept(
        &mut self,
        from: NodeId,
        item: OutcomeItem,
        batch: &mut Batch,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let (end, results) = match item.outcome {
            Outcome::Succeeded(results) => (End::Succeeded, results),
            Outcome::Failed { ref failure, ref output } => {
                let (failure, output) = (failure.clone(), output.clone());
                let Some(end) = self.judge(from, &item, failure, out, timers) else { return };
                (end, one_result(output))
            }
            Outcome::Stopped | Outcome::Returned => {
                let items = vec![(item.fence.grant, item.range)];
                self.commit(Record::Retracted { items }, &mut batch.then, out);
                return;
            }
        };
        let job = self.ledger.job(item.range.job);
        let tries = job.map_or(0, |job| job.tries(item.range.spec, item.range.first).failed);
        let keeps = |spec: &bary_model::task::TaskSpec| spec.body.keep_results;
        let kept = job.and_then(|job| job.spec(item.range.spec)).is_some_and(|spec| keeps(spec));
        let kept = if kept && end == End::Succeeded { results.clone() } else { Results::Nothing };
        let (range, grant, node) = (item.range, item.fence.grant, from);
        batch.ended.push(EndedTasks { range, grant, node, end: end.clone(), results: kept });
        let (stderr, usage, attempt) = (item.stderr, item.usage, tries + 1);
        batch.events.push(Ended { range, node, attempt, end, results, stderr, usage });
    }

    /// A failed task's fate: none where it will be tried again.
    fn judge(
        &mut self,
        from: NodeId,
        item: &OutcomeItem,
        failure: Failure,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Option<End> {
        let task = item.range.head();
        let job = self.ledger.job(task.job)?;
        let body = &job.spec(task.spec)?.body;
        let tries = job.tries(task.spec, task.index);
        let crashes = tries.crashed + u16::from(failure.is_crash());
        if failure.is_crash() && quarantine::is_poison(crashes) {
            return Some(End::Quarantined(failure));
        }
        let stopping = self.stopping.contains(&task.job);
        if tries.failed >= body.retries || !failure.is_retryable() || stopping {
            return Some(End::Failed(failure));
        }
        let attempt = tries.failed + 1;
        let until = out.now + retry::delay(&body.backoff, attempt, &mut self.retry_dice);
        let (grant, crashed) = (item.fence.grant, failure.is_crash());
        // Ready again only when the timer says so.
        self.commit(Record::Failed { task, grant, crashed }, &mut Consequences::default(), out);
        timers.set(until, Timer::Retry(TaskRange::one(task)));
        out.tell(EventKind::Retrying { task, node: from, attempt, failure, until });
        None
    }
}

fn one_result(payload: Payload) -> Results {
    if payload.is_empty() { Results::Nothing } else { Results::Each(vec![payload]) }
}
