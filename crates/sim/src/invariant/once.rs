//! Every task reaches exactly one end in each generation of its job, and that end is never
//! changed, doubled or taken back. It has no more attempts than its spec allows, besides those that
//! took their process down: how many of them there may be is another invariant's.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId, TaskId};

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// One end for each task, and none lost.
#[derive(Debug, Default)]
pub struct Once {
    submits: BTreeSet<(u64, u64)>,
    acknowledged: BTreeMap<(ShardId, JobNo), u64>,
    /// Attempts of this generation that took their process down, and that others followed.
    crashed: BTreeMap<(ShardId, JobNo), BTreeMap<TaskId, u16>>,
}

impl Invariant for Once {
    fn name(&self) -> &'static str {
        "once"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Asked { ticket, wish: Wish::Submit | Wish::SubmitAfter(_) } => {
                self.submits.insert((scene.node.0, *ticket));
            }
            Fact::Answered { ticket, answer: Answer::Accepted(job) } => {
                if let Some(shard) = scene.own
                    && self.submits.remove(&(scene.node.0, *ticket))
                {
                    let tasks = scene.book.job(shard, *job).map_or(0, |saga| saga.tasks());
                    self.acknowledged.insert((shard, *job), tasks);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        let items = match settled.record {
            Record::Ended { items } => items,
            Record::Failed { task, crashed: true, .. } => {
                let of_job = self.crashed.entry((settled.shard, task.job)).or_default();
                *of_job.entry(*task).or_default() += 1;
                return Ok(());
            }
            Record::Retried { job } => {
                self.crashed.remove(&(settled.shard, *job));
                return Ok(());
            }
            _ => return Ok(()),
        };
        for item in items {
            let saga = scene.book.job(settled.shard, item.range.job);
            let saga = saga.filter(|saga| saga.has(item.range));
            let Some(saga) = saga else {
                return Err(Broken(format!("{:?} ended, but was never submitted", item.range)));
            };
            let before = saga.ends(item.range).find_map(|(_, end)| end);
            hold!(before.is_none(), "{:?} ended as {before:?} and as {:?}", item.range, item.end);
            let of_job = self.crashed.get(&(settled.shard, item.range.job));
            let crashed = of_job.and_then(|tasks| tasks.get(&item.range.head()));
            let retries = saga.spec(item.range.spec).map_or(0, |spec| spec.body.retries);
            let most = retries.saturating_add(1 + crashed.copied().unwrap_or_default());
            let attempt = item.attempt;
            hold!(attempt <= most, "{:?} ended at attempt {attempt} of {most}", item.range);
        }
        Ok(())
    }

    fn at_end(&mut self, scene: &Scene<'_>) -> Result<(), Broken> {
        for ((shard, job), tasks) in &self.acknowledged {
            let there = scene.book.job(*shard, *job).map_or(0, |saga| saga.tasks());
            let no = job.0;
            hold!(there >= *tasks, "job {no} was acknowledged with {tasks} tasks and has {there}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bary_ledger::record::{EndedTasks, Record};
    use bary_model::id::{GrantNo, NodeId, TaskId, TaskRange};
    use bary_model::outcome::{End, Results, Usage};
    use bary_model::payload::Payload;

    use super::Once;
    use crate::invariant::{Broken, trial};

    /// Judges a task that may be retried so often, whose attempts failed in these ways before one
    /// succeeded.
    fn judged(retries: u16, failed: &[bool]) -> Result<(), Broken> {
        let ended = EndedTasks {
            range: TaskRange::one(TaskId::default()),
            grant: GrantNo::default(),
            node: NodeId(0),
            end: End::Succeeded,
            attempt: failed.len() as u16 + 1,
            results: Results::Nothing,
            stderr: Payload::Empty,
            usage: Usage::default(),
        };
        let ended = Record::Ended { items: vec![ended] };
        trial::judged(&mut Once::default(), retries, trial::failures(failed).chain([ended]))
    }

    #[test]
    fn an_end_after_too_many_attempts_is_found() {
        assert_eq!(judged(1, &[false]), Ok(()));
        assert!(judged(1, &[false, false]).is_err());
    }

    #[test]
    fn an_attempt_that_went_with_its_worker_is_not_held_against_the_spec() {
        assert_eq!(judged(0, &[true, true]), Ok(()));
        assert!(judged(0, &[true, false]).is_err());
    }
}
