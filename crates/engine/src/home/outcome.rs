//! Outcomes: accepted once, by the grant they name; failures are judged here.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::event::{Ended, EventKind};
use bary_model::id::{JobNo, NodeId, SpecNo, TaskRange};
use bary_model::job::Halt;
use bary_model::message::{OutcomeItem, Outcomes};
use bary_model::outcome::{End, Failure, Outcome, Results};
use bary_model::payload::Payload;
use bary_policy::recover::{quarantine, retry};

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::account::Account;
use crate::home::session::beyond;
use crate::outbox::Outbox;
use crate::timers::{Attempt, Timer, Timers};

/// What a batch of outcomes comes to.
struct Batch {
    ended: Vec<EndedTasks>,
    events: Vec<Ended>,
    /// Gangs of which a task has failed for good.
    lost: Vec<TaskRange>,
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
        match outcomes.ask {
            Some(ask) => self.on_ask(from, ask, out, timers),
            None => self.miss(from, out, timers),
        }
    }

    /// A node that ended its last task of this home did not ask for more: it may wait at a nearer
    /// one that knows of no work here, and will be told of it again.
    fn miss(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let idle = |account: &Account| account.told && account.holding.tasks() == 0;
        if self.is_waiting() && self.accounts.get(&node).is_some_and(idle) {
            self.accounts.get_mut(&node).into_iter().for_each(|account| account.told = false);
            self.serve(out, timers);
        }
    }

    /// Whether a batch was not taken in before; one that was is only answered again.
    fn is_fresh(&mut self, from: NodeId, batch: u64) -> bool {
        let Some(account) = self.accounts.book(&from) else { return false };
        let fresh = batch > account.session.batch;
        account.session.batch = account.session.batch.max(batch);
        fresh
    }

    fn take_outcomes(
        &mut self,
        from: NodeId,
        items: Arc<Vec<OutcomeItem>>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut batch = Batch {
            ended: Vec::with_capacity(items.len()),
            events: std::mem::take(&mut self.events),
            lost: Vec::new(),
            then: Consequences::default(),
        };
        let mut copied = Vec::new();
        let mut parts = Vec::new();
        let whole = self.open.is_empty();
        if !whole {
            parts.extend(items.iter().flat_map(|item| self.still_open(item)));
            parts = self.told_once(parts);
        }
        for item in if whole { &*items } else { &parts } {
            let holder = self.ledger.holder(item.range);
            if let Some(holder) = holder.filter(|holder| self.accepts(item, *holder)) {
                let (fence, range) = (item.fence, item.range);
                let open = holder.node == NodeId::ANY;
                self.account_for(from, holder, item);
                self.line.noted(from, out.now);
                self.accept_with_mates(from, item, &mut batch, out, timers);
                if open {
                    copied.push((fence, range));
                }
            } else if self.is_news(item) {
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
        // Where one rank has failed for good, nobody needs the others.
        for range in batch.lost {
            self.commit(Record::Cancelled { range, running: true }, &mut batch.then);
        }
        for (fence, range) in copied {
            self.stop_copies(fence, range, from, out);
        }
        for event in batch.events.drain(..) {
            self.log.tell(EventKind::Ended(event), out);
        }
        self.events = batch.events;
        // A halt may tell that the job has finished, and nothing of it is told after that.
        self.drop_tasks(&mut batch.then, out);
        for job in jobs {
            if let Some(rule) = self.halt_met(job) {
                // A job that is over needs no halt, and there is no other reason to refuse.
                let reason = Some(Halt::REASON.into());
                drop(self.cancel(job, (rule.running, Vec::new()), reason, out, timers));
            }
        }
        self.order_anew();
        self.follow(batch.then, out, timers);
    }

    /// An outcome as it is, or the parts of it that are still open where other nodes had copies
    /// and were the first to end some of its tasks.
    fn still_open(&self, item: &OutcomeItem) -> Vec<OutcomeItem> {
        if item.range.count == 1 || self.ledger.accepts(item.fence, item.range) {
            return vec![item.clone()];
        }
        let parts = self.ledger.current(item.fence, item.range);
        if parts.is_empty() {
            return vec![item.clone()];
        }
        parts.into_iter().map(|part| item.part(part)).collect()
    }

    /// Outcomes of copies without what others before them have told of the same tasks: a node that
    /// was not heard for long may have been given a copy of what it still ran.
    fn told_once(&self, items: Vec<OutcomeItem>) -> Vec<OutcomeItem> {
        let mut told: BTreeMap<(JobNo, SpecNo, u32), u32> = BTreeMap::new();
        let mut once = Vec::with_capacity(items.len());
        for item in items {
            let range = item.range;
            if !self.ledger.accepts(item.fence, range) {
                once.push(item);
                continue;
            }
            // What was told is apart from each other, so that its ends are in order too.
            let place = |first| (range.job, range.spec, first);
            let before = told.range(place(0)..place(range.end())).rev();
            let before = before.take_while(|(_, end)| **end > range.first);
            let before: Vec<TaskRange> =
                before.map(|((.., first), end)| range.with(*first, end - first)).collect();
            for part in beyond(range, &before) {
                told.insert(place(part.first), part.end());
                once.push(item.part(part));
            }
        }
        once
    }

    /// Whether an outcome names the current grant of its tasks.
    fn accepts(&self, item: &OutcomeItem, holder: Holder) -> bool {
        let OutcomeItem { fence, .. } = item;
        let named = (holder.epoch, holder.grant) == (fence.epoch, fence.grant);
        named && fence.shard == self.log.shard || self.flaws.has(Flaw::NoFenceCheck)
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

    fn account_for(&mut self, node: NodeId, holder: Holder, item: &OutcomeItem) {
        let weight = self.weight(item.range);
        self.holds_no_longer(holder, item.range);
        self.moves.forget(item.range);
        if let Some(account) = self.accounts.book(&node) {
            account.steals = 0;
            if matches!(item.outcome, Outcome::Succeeded(_)) {
                account.learn(weight, item.usage.busy);
            }
        }
    }

    /// Accepts an outcome, or what it comes to with others of its gang.
    fn accept_with_mates(
        &mut self,
        from: NodeId,
        item: &OutcomeItem,
        batch: &mut Batch,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if self.gang_of(item.range).is_none() {
            return self.accept(from, item, batch, out, timers);
        }
        for (from, item) in self.with_mates(from, item) {
            self.accept(from, &item, batch, out, timers);
        }
    }

    fn accept(
        &mut self,
        from: NodeId,
        item: &OutcomeItem,
        batch: &mut Batch,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let (end, results) = match &item.outcome {
            Outcome::Succeeded(results) => {
                self.note_result(item.range, from);
                self.learn_run(item.range, from, &item.usage);
                (End::Succeeded, results.clone())
            }
            Outcome::Failed { failure, output } => {
                let failure = failure.clone();
                let Some(end) = self.judge(from, item, failure, out, timers) else { return };
                batch.lost.extend(self.gang_of(item.range));
                (end, one_result(output.clone()))
            }
            Outcome::Stopped | Outcome::Returned => {
                let items = vec![(item.fence.grant, item.range)];
                self.commit(Record::Retracted { items }, &mut batch.then);
                return;
            }
        };
        let (tries, _) = self.tries_of(item.range);
        let (range, grant, node) = (item.range, item.fence.grant, from);
        let (stderr, usage, attempt) = (&item.stderr, item.usage, tries + 1);
        batch.events.push(Ended {
            range,
            node,
            attempt,
            end: end.clone(),
            results: results.clone(),
            stderr: stderr.clone(),
            usage,
        });
        let stderr = stderr.clone();
        batch.ended.push(EndedTasks { range, grant, node, end, attempt, results, stderr, usage });
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
        // Of a gang the attempts of all its ranks count, which are those of the gang.
        let (failures, crashed) = self.tries_of(item.range);
        let crashes = crashed.saturating_add(failure.crashes());
        if failure.is_crash() && quarantine::is_poison(crashes) {
            return Some(End::Quarantined(failure));
        }
        let spent = failures >= body.retries && !failure.is_lost();
        if spent || !failure.is_retryable() || job.stopping {
            return Some(End::Failed(failure));
        }
        let attempt = failures + 1;
        let until = out.now + retry::delay(&body.backoff, attempt, &mut self.retry_dice);
        let (grant, crashed) = (item.fence.grant, failure.is_crash());
        // Ready again only when the timer says so.
        self.commit(Record::Failed { task, grant, crashed }, &mut Consequences::default());
        let job = self.ledger.job(task.job);
        let generation = job.map_or(0, |job| job.generation);
        let own = job.map_or(0, |job| job.tries(task.spec, task.index).failed);
        let failed = Attempt { generation, failed: own };
        if let Some(gang) = self.gang_of(item.range) {
            self.gangs.fall(gang, true);
        }
        timers.set(until, Timer::Retry(self.log.shard, task, failed));
        self.log.tell(EventKind::Retrying { task, node: from, attempt, failure, until }, out);
        None
    }
}

fn one_result(payload: Payload) -> Results {
    if payload.is_empty() { Results::Nothing } else { Results::Each(vec![payload]) }
}
