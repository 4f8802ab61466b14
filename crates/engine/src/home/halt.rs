//! Ending a job early: the rule is judged where outcomes are accepted, so that nothing more starts
//! once it is met.

use bary_ledger::job::Job;
use bary_model::id::JobNo;
use bary_model::job::{Enough, Halt, HaltOn};

use crate::home::Home;

/// A share says little before so many tasks have ended.
const JUDGED_TASKS_MIN: u64 = 3;

impl Home {
    /// The rule by which a job ends now, if it does and is not ending already.
    pub(super) fn halt_met(&self, job: JobNo) -> Option<Halt> {
        let job = self.ledger.job(job)?;
        job.halt.filter(|rule| !job.stopping && !job.is_over() && is_met(rule, job))
    }
}

fn is_met(rule: &Halt, job: &Job) -> bool {
    let ended = job.failed + job.succeeded;
    let count = match rule.on {
        HaltOn::Failed => job.failed,
        HaltOn::Succeeded => job.succeeded,
        HaltOn::Ended => ended,
    };
    match rule.enough {
        Enough::Tasks(enough) => count >= enough,
        Enough::Percent(percent) => {
            let tasks: u64 = job.specs().map(|spec| u64::from(spec.count)).sum();
            let share = count as f64 * 100.0 >= tasks as f64 * percent;
            count > 0 && ended >= JUDGED_TASKS_MIN.min(tasks) && share
        }
    }
}
