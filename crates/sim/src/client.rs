//! Clients: each submits one job and does with it what was planned, and repeats what may be
//! repeated when no answer comes.

use bary_engine::input::{Refusal, Reply, Request};
use bary_model::id::JobNo;
use bary_model::job::JobRef;
use bary_model::time::Span;

use crate::plan::{Act, JobPlan};

/// How long a client waits for an answer before it repeats itself.
pub(crate) const PATIENCE: Span = Span::secs(2);
/// How long it waits after a refusal.
pub(crate) const AGAIN: Span = Span::millis(500);
/// How often it takes no for an answer after all is healed, or asks to retry a job that goes on.
const REFUSALS_MAX: u32 = 20;

/// The stage of a client whose job was refused.
const GAVE_UP: usize = usize::MAX >> 32;

/// One client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// How many of its acts are over; the submission is the first.
    stage: usize,
    /// Counts its turns: one that was called off is known by its number.
    pub(crate) turn: u32,
    /// Its job, once it knows it.
    job: Option<JobNo>,
    /// Whether the act of this stage was asked for.
    asked: bool,
    refusals: u32,
    /// The jobs that its own waits for, once they are known.
    upstream: Vec<JobRef>,
}

/// What a client does in its turn.
pub(crate) enum Turn {
    /// It asks, and waits for an answer.
    Ask(u64, Box<Request>),
    /// It has no more to do.
    Over,
}

impl Client {
    /// How many of its acts are over.
    pub(crate) fn stage(&self) -> usize {
        self.stage
    }

    /// Its job, once it knows it.
    pub(crate) fn job(&self) -> Option<JobNo> {
        self.job
    }

    /// Whether it has given up on having a job.
    pub(crate) fn gave_up(&self) -> bool {
        self.stage == GAVE_UP
    }

    /// Learns which jobs its own waits for.
    pub(crate) fn wait_for(&mut self, upstream: Vec<JobRef>) {
        self.upstream = upstream;
    }

    /// What it does now: its next request, unless it is done. An act that must not be repeated
    /// is passed over when its answer did not come.
    pub(crate) fn turn(&mut self, me: usize, plan: &JobPlan) -> Turn {
        if self.asked && !self.repeats(plan) {
            self.stage += 1;
            self.asked = false;
        }
        let Some(request) = self.request(plan) else { return Turn::Over };
        self.asked = true;
        Turn::Ask(self.ticket(me), Box::new(request))
    }

    fn request(&self, plan: &JobPlan) -> Option<Request> {
        if self.stage == 0 {
            let (job, upstream) = (plan.spec.clone(), self.upstream.clone());
            let waits = !upstream.is_empty();
            return Some(if waits {
                Request::SubmitAfter { job, upstream }
            } else {
                Request::Submit(job)
            });
        }
        let (_, act) = plan.then.get(self.stage - 1)?;
        let job = self.job?;
        Some(match act {
            Act::Extend(specs) => Request::Extend { job, specs: specs.clone() },
            Act::Close => Request::Close(job),
            Act::Cancel { running } => Request::Cancel { job, running: *running, reason: None },
            Act::Retry => Request::Retry(job),
            Act::Hold { held } => Request::Hold { job, held: *held, reason: None },
            Act::Prioritise(priority) => Request::Prioritise { job, priority: *priority },
            Act::Forget => Request::Forget(job),
        })
    }

    /// Whether the act of this stage may be done twice.
    fn repeats(&self, plan: &JobPlan) -> bool {
        match self.stage.checked_sub(1).and_then(|at| plan.then.get(at)) {
            None => plan.spec.key.is_some(),
            Some((_, act)) => !matches!(act, Act::Extend(_) | Act::Retry),
        }
    }

    /// The name of its request: the client from 1, and the stage.
    fn ticket(&self, me: usize) -> u64 {
        (me as u64 + 1) << 16 | self.stage as u64
    }

    /// Whom a ticket belongs to, where it is a client's.
    pub(crate) fn of(ticket: u64) -> Option<usize> {
        (ticket >> 16).checked_sub(1).map(|client| client as usize)
    }

    /// Hears an answer; how long until its next turn, if it has one and the answer was to what
    /// it asked last.
    pub(crate) fn hear(
        &mut self,
        (me, plan): (usize, &JobPlan),
        ticket: u64,
        reply: &Reply,
        calm: bool,
    ) -> Option<Span> {
        if ticket != self.ticket(me) || !self.asked {
            return None;
        }
        self.asked = false;
        if let Reply::Refused(refusal) = reply
            && self.asks_again(plan, refusal, calm)
        {
            return Some(AGAIN);
        }
        if let Reply::Accepted(job) = reply {
            self.job = Some(*job);
        }
        if self.stage == 0 && self.job.is_none() {
            self.stage = GAVE_UP;
            return None;
        }
        self.stage += 1;
        (self.refusals, self.asked) = (0, false);
        plan.then.get(self.stage - 1).map(|(after, _)| *after)
    }

    /// Whether another try may help: a home may be away or full, and a job not over yet.
    fn asks_again(&mut self, plan: &JobPlan, refusal: &Refusal, calm: bool) -> bool {
        let retry = self.stage.checked_sub(1).and_then(|at| plan.then.get(at));
        let waits = matches!(retry, Some((_, Act::Retry | Act::Forget)));
        self.refusals += u32::from(calm || waits);
        match refusal {
            Refusal::NoHome | Refusal::NoRoom | Refusal::Full { .. } => true,
            // That there is no such job may be the word of a home that has been replaced.
            Refusal::Unplaceable { .. } | Refusal::NoSuchJob(_) => self.refusals < REFUSALS_MAX,
            Refusal::NotRetryable(_) | Refusal::NotOver(_) => waits && self.refusals < REFUSALS_MAX,
            _ => false,
        }
    }
}
