//! Every task reaches exactly one end in each generation of its job, and that end is never
//! changed, doubled or taken back.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId};

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// One end for each task, and none lost.
#[derive(Debug, Default)]
pub struct Once {
    submits: BTreeSet<(u32, u64)>,
    acknowledged: BTreeMap<(ShardId, JobNo), u64>,
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
        let Record::Ended { items } = settled.record else { return Ok(()) };
        for item in items {
            let saga = scene.book.job(settled.shard, item.range.job);
            let saga = saga.filter(|saga| saga.has(item.range));
            let Some(saga) = saga else {
                return Err(Broken(format!("{:?} ended, but was never submitted", item.range)));
            };
            let before = saga.ends(item.range).find_map(|(_, end)| end);
            hold!(before.is_none(), "{:?} ended as {before:?} and as {:?}", item.range, item.end);
            let most = saga.spec(item.range.spec).map_or(0, |spec| spec.body.retries) + 1;
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
