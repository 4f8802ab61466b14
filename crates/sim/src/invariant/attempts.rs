//! A task is tried again no more often than its spec allows, and not at all once it took its
//! process down three times. What took its process down is tried again whatever its spec allows
//! where that was a worker, and a record does not say what it was: it is not held against the spec.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId, TaskId};

use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// So many attempts that took their process down may be followed by another.
const CRASHES_MAX: u32 = 2;

/// Failed attempts at a task that others followed.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    all: u32,
    crashed: u32,
}

/// Attempts are bounded.
#[derive(Debug, Default)]
pub struct Attempts {
    failures: BTreeMap<(ShardId, JobNo), BTreeMap<TaskId, Failures>>,
}

impl Invariant for Attempts {
    fn name(&self) -> &'static str {
        "attempts"
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        match settled.record {
            Record::Failed { task, crashed, .. } => {
                let of_job = self.failures.entry((settled.shard, task.job)).or_default();
                let failures = of_job.entry(*task).or_default();
                failures.all += 1;
                failures.crashed += u32::from(*crashed);
                let spec =
                    scene.book.job(settled.shard, task.job).and_then(|job| job.spec(task.spec));
                let most = spec.map_or(0, |spec| u32::from(spec.body.retries));
                let Failures { all, crashed } = *failures;
                let failed = all - crashed;
                hold!(
                    failed <= most,
                    "{task:?} is tried again after {failed} attempts of {}",
                    most + 1
                );
                hold!(crashed <= CRASHES_MAX, "{task:?} is tried again after {crashed} crashes");
            }
            Record::Retried { job } => {
                self.failures.remove(&(settled.shard, *job));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Attempts;
    use crate::invariant::{Broken, trial};

    /// Judges a task that may be retried so often and failed in these ways.
    fn judged(retries: u16, failed: &[bool]) -> Result<(), Broken> {
        trial::judged(&mut Attempts::default(), retries, trial::failures(failed))
    }

    #[test]
    fn an_attempt_too_many_is_found() {
        assert_eq!(judged(2, &[false, false]), Ok(()));
        assert!(judged(2, &[false, false, false]).is_err());
    }

    #[test]
    fn a_task_that_takes_its_process_down_is_not_tried_for_ever() {
        assert_eq!(judged(9, &[true, true, false]), Ok(()));
        assert!(judged(9, &[true, true, true]).is_err());
        assert_eq!(judged(0, &[true, true]), Ok(()), "workers may have gone with it");
        assert!(judged(0, &[true, false]).is_err());
    }
}
