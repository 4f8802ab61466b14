//! What users change about jobs and nodes while work goes on: hold, priority, drain, forget.

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::job::Job;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{JobNo, NodeId};
use bary_model::job::About;
use bary_model::message::{Retract, Say};
use bary_model::task::TaskSpec;
use bary_policy::preset::Binding;

use crate::home::Home;
use crate::input::Refusal;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// The job of this number, unless it was forgotten.
    pub(super) fn known(&self, job: JobNo) -> Result<&Job, Refusal> {
        self.ledger.job(job).ok_or(Refusal::NoSuchJob(job))
    }

    pub(super) fn hold(
        &mut self,
        job: JobNo,
        held: bool,
        reason: Option<Box<str>>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<(), Refusal> {
        check_reason(reason.as_deref())?;
        let known = self.known(job)?;
        if known.is_over() {
            return Err(Refusal::AlreadyOver(job));
        }
        if known.held == held {
            return Ok(());
        }
        let record = Record::Held { job, held, reason: reason.clone() };
        self.commit(record, &mut Consequences::default());
        self.log.tell(EventKind::Held { job, held, reason }, out);
        if !held {
            self.release(job, out, timers);
        } else if self.gates.hold(job) {
            for range in self.unready(job) {
                self.make_ready(range);
            }
            self.withdraw_offers(out, timers);
            self.want_back(&Retract::Unstarted(job), out);
            self.serve(out, timers);
        }
        Ok(())
    }

    /// Changes what is added to the priority of a job's tasks, for what has not started.
    pub(super) fn prioritise(
        &mut self,
        job: JobNo,
        priority: i32,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<(), Refusal> {
        let known = self.known(job)?;
        if known.is_over() {
            return Err(Refusal::AlreadyOver(job));
        }
        if known.priority == priority {
            return Ok(());
        }
        self.commit(Record::Prioritised { job, priority }, &mut Consequences::default());
        self.log.tell(EventKind::Prioritised { job, priority }, out);
        for range in self.unready(job) {
            self.make_ready(range);
        }
        // Nodes start what they hold by the priority that it was granted with.
        self.withdraw_offers(out, timers);
        self.want_back(&Retract::Unstarted(job), out);
        let specs: Vec<_> = self.known(job)?.specs().cloned().collect();
        self.goes_ahead(job, &specs);
        self.serve(out, timers);
        Ok(())
    }

    /// Forgets a finished job.
    pub(super) fn forget_job(&mut self, job: JobNo, out: &mut Outbox) -> Result<(), Refusal> {
        if !self.known(job)?.is_over() {
            return Err(Refusal::NotOver(job));
        }
        self.commit(Record::Forgotten { job }, &mut Consequences::default());
        self.log.tell(EventKind::Forgotten { job }, out);
        Ok(())
    }

    /// Grants a node that is about to leave nothing more, or grants it tasks again.
    pub(crate) fn drain(
        &mut self,
        node: NodeId,
        drain: bool,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if drain == self.drained.contains(&node) {
            return;
        }
        self.log.tell(EventKind::Drained { node, drain }, out);
        if drain {
            self.drained.insert(node);
            self.unpark(node);
            self.sampling.forget(node);
            self.empty(node, out);
        } else {
            self.drained.remove(&node);
            if let Some(account) = self.accounts.get_mut(&node) {
                // Its ask was dropped: it asks anew once it hears of work.
                account.told = false;
            }
        }
        self.serve(out, timers);
    }

    /// Takes back what a drained node has not started.
    pub(super) fn empty(&mut self, node: NodeId, out: &mut Outbox) {
        let holds = self.accounts.get(&node).is_some_and(|account| account.holding.tasks() > 0);
        if holds || self.open.has(node) {
            if self.policy.binding == Binding::Claims {
                // What it has heard of and not claimed, others may claim.
                self.log.say_after_held(node, Say::Release, out);
            }
            self.log.say_after_held(node, Say::Retract(Retract::Everything), out);
        }
    }

    /// Asks all nodes that hold something to give some of it back.
    pub(super) fn want_back(&mut self, what: &Retract, out: &mut Outbox) {
        for (&node, account) in self.accounts.iter() {
            if account.holding.tasks() > 0 || self.open.has(node) {
                self.log.say_after_held(node, Say::Retract(what.clone()), out);
            }
        }
    }

    /// Notes that specs of a job may go ahead of what nodes hold and have not started.
    pub(super) fn goes_ahead(&mut self, job: JobNo, specs: &[Arc<TaskSpec>]) {
        let Some(least) = self.least_granted.filter(|_| !self.gates.is_shut(job)) else { return };
        let more = self.ledger.job(job).map_or(0, |job| job.priority);
        let ranks = specs.iter().map(|spec| spec.body.priority.saturating_add(more));
        self.ahead = self.ahead.max(ranks.max().filter(|rank| *rank > least));
    }

    /// Takes back what is held of lower priority than something that found no node.
    pub(super) fn make_way(&mut self, out: &mut Outbox) {
        let Some(rank) = self.ahead.take() else { return };
        if !self.is_waiting() {
            return;
        }
        for (&node, account) in self.accounts.iter() {
            if account.session.open && account.backlog() > 0 {
                let say = Say::Retract(Retract::Below(rank));
                self.log.say_after_held(node, say, out);
            }
        }
        self.least_granted = None;
    }

    /// Notes the priority of what is granted.
    pub(super) fn note_rank(&mut self, rank: i32) {
        self.least_granted = Some(self.least_granted.map_or(rank, |least| least.min(rank)));
    }
}

/// Refuses a reason that is too long to be on record.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Refusal> {
    let (bytes, limit) = (reason.map_or(0, str::len), About::REASON_BYTES_MAX);
    let what = "the words of the reason";
    if bytes > limit { Err(Refusal::TooLong { what, bytes, limit }) } else { Ok(()) }
}
