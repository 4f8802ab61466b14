//! Outcomes: accepted once, by the grant they name; failures are judged here.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::event::{Ended, EventKind};
use bary_model::id::{JobNo, NodeId};
use bary_model::message::{OutcomeItem, Outcomes};
use bary_model::outcome::{End, Failure, Outcome, Results};
use bary_model::payload::Payload;
use bary_policy::recover::{quarantine, retry};

use crate::flaw::Flaw;
use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Attempt, Timer, Timers};

/// What a batch of outcomes comes to.
struct Batch {
    ended: Vec<EndedTasks>,
    events: Vec<Ended>,
    then: Consequences,
}

impl Home {
    pub(crate) fn on_outcomes(
        &mut self,
        from: NodeId,
        outcomes: Outcomes,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if self.is_fresh(from, outcomes.batch) {
            self.take_outcomes(from, outcomes.items, out, timers);
        }
        self.settling.push_back((self.log.rests_on(), from, outcomes.batch));
        self.settle(out, timers);
        if let Some(ask) = outcomes.ask {
            self.on_ask(from, ask, out, timers);
        }
    }

    /// Whether a batch was not taken in before; one that was is only answered again.
    fn is_fresh(&mut self, from: NodeId, batch: u64) -> bool {
        let Some(account) = self.accounts.get_mut(&from) else { return false };
        let fresh = batch > account.session.batch;
        account.session.batch = account.session.batch.max(batch);
        fresh
    }

    fn take_outcomes(
        &mut self,
        from: NodeId,
        items: Vec<OutcomeItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut batch = Batch {
            ended: Vec::with_capacity(items.len()),
            events: Vec::with_capacity(items.len()),
            then: Consequences::default(),
        };
        let mut copied = Vec::new();
        let items = if self.open.is_empty() {
            items
        } else {
            items.into_iter().flat_map(|item| self.still_open(item)).collect()
        };
        for item in items {
            if self.accepts(&item) {
                let (fence, range) = (item.fence, item.range);
                let open = self.is_open_grant(range);
                self.account_for(from, &item);
                self.accept(from, item, &mut batch, out, timers);
                if open {
                    copied.push((fence, range));
                }
            } else if self.is_news(&item) {
                self.log.tell(EventKind::Superseded { range: item.range, node: from }, out);
            }
        }
        let may_halt = |job: &JobNo| self.ledger.job(*job).is_some_and(|job| job.halt.is_some());
        let ended = batch.ended.iter().map(|item| item.range.job);
        let mut jobs: Vec<JobNo> = ended.filter(may_halt).collect();
        jobs.dedup();
        if !batch.ended.is_empty() {
            self.commit(Record::Ended { items: batch.ended }, &mut batch.then);
        }
        for (fence, range) in copied {
            self.stop_copies(fence, range, from, out);
        }
        for event in batch.events {
            self.log.tell(EventKind::Ended(event), out);
        }
        // A halt may tell that the job has finished, and nothing of it is told after that.
        self.tell_skipped(&mut batch.then, out);
        for job in jobs {
            if let Some(rule) = self.halt_met(job) {
                // A job that is over needs no halt, and there is no other reason to refuse.
                drop(self.cancel(job, rule.running, out, timers));
            }
        }
        self.follow(batch.then, out, timers);
    }

    /// An outcome as it is, or the parts of it that are still open where other nodes had copies
    /// and were the first to end some of its tasks.
    fn still_open(&self, item: OutcomeItem) -> Vec<OutcomeItem> {
        if item.range.count == 1 || self.ledger.accepts(item.fence, item.range) {
            return vec![item];
        }
        let parts = self.ledger.current(item.fence, item.range);
        if parts.is_empty() {
            return vec![item];
        }
        parts.into_iter().map(|part| item.part(part)).collect()
    }

    /// Whether an outcome names the current grant of its tasks.
    fn accepts(&self, item: &OutcomeItem) -> bool {
        let held = || self.ledger.holder(item.range).is_some();
        self.ledger.accepts(item.fence, item.range) || self.flaws.has(Flaw::NoFenceCheck) && held()
    }

    /// Whether an outcome that is not accepted should be told: it was neither stopped nor
    /// returned, its job was not cancelled meanwhile, and it is not one that a former reign has
    /// accepted already.
    fn is_news(&self, item: &OutcomeItem) -> bool {
        let range = item.range;
        let Some(job) = self.ledger.job(range.job).filter(|job| !job.is_over()) else {
            return false;
        };
        let ran = !matches!(item.outcome, Outcome::Stopped | Outcome::Returned);
        let known = item.fence.epoch < self.log.epoch
            && !job.is_open(range.spec, range.first)
            && self.ledger.holder(range).is_none();
        ran && !job.stopping && !known
    }

    fn account_for(&mut self, node: NodeId, item: &OutcomeItem) {
        let weight = self.weight(item.range);
        if let Some(holder) = self.ledger.holder(item.range) {
            self.holds_no_longer(holder, item.range);
        }
        if let Some(account) = self.accounts.get_mut(&node) {
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
                self.commit(Record::Retracted { items }, &mut batch.then);
                return;
            }
        };
        let job = self.ledger.job(item.range.job);
        let tries = job.map_or(0, |job| job.tries(item.range.spec, item.range.first).failed);
        let (range, grant, node) = (item.range, item.fence.grant, from);
        let (stderr, usage, attempt) = (item.stderr, item.usage, tries + 1);
        let event = Ended { range, node, attempt, end, results, stderr, usage };
        let Ended { end, results, stderr, .. } = event.clone();
        batch.ended.push(EndedTasks { range, grant, node, end, attempt, results, stderr, usage });
        batch.events.push(event);
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
        if tries.failed >= body.retries || !failure.is_retryable() || job.stopping {
            return Some(End::Failed(failure));
        }
        let attempt = tries.failed + 1;
        let until = out.now + retry::delay(&body.backoff, attempt, &mut self.retry_dice);
        let (grant, crashed) = (item.fence.grant, failure.is_crash());
        // Ready again only when the timer says so.
        self.commit(Record::Failed { task, grant, crashed }, &mut Consequences::default());
        let generation = self.ledger.job(task.job).map_or(0, |job| job.generation);
        let failed = Attempt { generation, failed: attempt };
        timers.set(until, Timer::Retry(self.log.shard, task, failed));
        self.log.tell(EventKind::Retrying { task, node: from, attempt, failure, until }, out);
        None
    }
}

fn one_result(payload: Payload) -> Results {
    if payload.is_empty() { Results::Nothing } else { Results::Each(vec![payload]) }
}
