//! Run times that are learnt, and what follows from them where nobody says how long tasks take:
//! promises, and under a policy that goes by them the order of what is ready and the levels of what
//! waits. They are kept in mind only, and learnt anew by the next reign.

use std::sync::Arc;

use bary_ledger::job::Job;
use bary_model::id::{JobNo, NodeId, TaskRange};
use bary_model::job::Deadline;
use bary_model::outcome::Usage;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;
use bary_policy::learnt::Learnt;
use bary_policy::view::Foresight;

use crate::home::Home;

/// What has been learnt, and whether the order still goes by what was expected before.
#[derive(Debug, Default)]
pub(super) struct Learning {
    learnt: Learnt,
    stale: bool,
    /// Outcomes since all was ordered anew.
    outcomes: u64,
}

/// For each outcome so many specs are ordered anew at most, so that it stays cheap however many
/// there are.
const SPECS_AN_OUTCOME: u64 = 16;

impl Home {
    /// How long a task should take at speed 1 by what was learnt, where the policy goes by that.
    pub(super) fn predicted(&self, spec: &TaskSpec) -> Option<Span> {
        let learns = self.policy.queue.learns;
        learns.then(|| self.learning.learnt.predict(&spec.body)).flatten()
    }

    /// How far predictions were off; see [`Learnt::error`].
    pub(crate) fn prediction_error(&self) -> Option<(f64, u64)> {
        self.learning.learnt.error()
    }

    /// Learns how long tasks took, where the policy goes by that.
    pub(super) fn learn_run(&mut self, range: TaskRange, node: NodeId, usage: &Usage) {
        if !self.policy.queue.learns || usage.cached {
            return;
        }
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let (Some(spec), Some(account)) = (spec, self.accounts.get(&node)) {
            let (learning, speed) = (&mut self.learning, account.peer.info.speed);
            let news = learning.learnt.learn(&spec.body, range.count, usage.busy, speed);
            learning.stale |= news;
            learning.outcomes += 1;
        }
    }

    /// What is said of the tasks of a spec, or else expected.
    pub(super) fn expects(&self, job: &Job, spec: &TaskSpec) -> Foresight {
        let run_time = said(spec).or_else(|| self.predicted(spec));
        let deadline = match job.about.deadline {
            Some(Deadline::At(at)) => Some(Moment(at.since(self.calendar).0)),
            Some(Deadline::After(_)) | None => None,
        };
        Foresight { run_time, deadline, ..Foresight::default() }
    }

    /// What a task counts in the order: its weight; under a policy that goes by what was learnt, a
    /// unit for each second that it should take, where that is known.
    pub(super) fn worth(&self, spec: &TaskSpec) -> Weight {
        if !self.policy.queue.learns {
            return spec.weight;
        }
        let run_time = said(spec).or_else(|| self.predicted(spec));
        run_time.map_or(spec.weight, seconds)
    }

    /// Whether the policy goes by what was learnt and nothing was of this, nor is said.
    pub(super) fn is_guessed(&self, spec: &TaskSpec) -> bool {
        let known = || said(spec).or_else(|| self.predicted(spec)).is_some();
        self.policy.queue.learns && !known()
    }

    /// Orders all anew once what is expected is much other than it was, and enough outcomes have
    /// come since for that to be cheap.
    pub(super) fn order_anew(&mut self) {
        let due = self.learning.outcomes.saturating_mul(SPECS_AN_OUTCOME) >= self.specs_held;
        if !(self.learning.stale && due) {
            return;
        }
        (self.learning.stale, self.learning.outcomes) = (false, 0);
        let jobs: Vec<JobNo> = self.levels.keys().copied().collect();
        for no in jobs {
            let Some(job) = self.ledger.job(no) else { continue };
            // What waits in specs that were added later counts from there, and has no level.
            if self.levels.get(&no).is_some_and(|levels| levels.len() == job.specs().len()) {
                let specs: Vec<Arc<TaskSpec>> = job.specs().cloned().collect();
                self.set_levels(no, &specs);
            }
        }
        self.reorder();
    }
}

/// How long somebody said that a task would run.
fn said(spec: &TaskSpec) -> Option<Span> {
    (spec.estimate > Span::ZERO).then_some(spec.estimate)
}

/// A unit of weight for each second, and never none.
fn seconds(span: Span) -> Weight {
    let millis = span.0 / 1_000_000;
    let held = millis.clamp(Weight::MIN.thousandths(), Weight::MAX.thousandths());
    Weight::try_from(held).unwrap_or(Weight::ONE)
}
