//! Ending a job early: the rule is judged where outcomes are accepted, so that nothing more starts
//! once it is met.

use std::collections::BTreeMap;

use bary_model::event::Ended;
use bary_model::id::JobNo;
use bary_model::job::{Enough, Halt, HaltOn};
use bary_model::outcome::End;

/// A share says little before so many tasks have ended.
const JUDGED_TASKS_MIN: u64 = 3;

/// The halting rules of jobs, and how near they are.
#[derive(Debug, Default)]
pub(super) struct Halts {
    jobs: BTreeMap<JobNo, Count>,
}

#[derive(Debug)]
struct Count {
    rule: Halt,
    tasks: u64,
    failed: u64,
    succeeded: u64,
}

impl Halts {
    pub(super) fn watch(&mut self, job: JobNo, rule: Halt) {
        self.jobs.insert(job, Count { rule, tasks: 0, failed: 0, succeeded: 0 });
    }

    /// More tasks of a job were submitted.
    pub(super) fn grow(&mut self, job: JobNo, tasks: u64) {
        if let Some(count) = self.jobs.get_mut(&job) {
            count.tasks += tasks;
        }
    }

    /// Counts ends in, in order; tells the jobs whose rule is met by them, once each.
    pub(super) fn met<'a>(&mut self, ended: impl Iterator<Item = &'a Ended>) -> Vec<(JobNo, Halt)> {
        let mut met = Vec::new();
        if self.jobs.is_empty() {
            return met;
        }
        for end in ended {
            let Some(count) = self.jobs.get_mut(&end.range.job) else { continue };
            let counter =
                if end.end == End::Succeeded { &mut count.succeeded } else { &mut count.failed };
            *counter += u64::from(end.range.count);
            if count.is_met() {
                met.push((end.range.job, count.rule));
                self.jobs.remove(&end.range.job);
            }
        }
        met
    }

    pub(super) fn forget(&mut self, job: JobNo) {
        self.jobs.remove(&job);
    }
}

impl Count {
    fn is_met(&self) -> bool {
        let ended = self.failed + self.succeeded;
        let count = match self.rule.on {
            HaltOn::Failed => self.failed,
            HaltOn::Succeeded => self.succeeded,
            HaltOn::Ended => ended,
        };
        match self.rule.enough {
            Enough::Tasks(enough) => count >= enough,
            Enough::Percent(percent) => {
                let share = count as f64 * 100.0 >= self.tasks as f64 * percent;
                count > 0 && ended >= JUDGED_TASKS_MIN.min(self.tasks) && share
            }
        }
    }
}
