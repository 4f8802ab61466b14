//! After a cancel was acknowledged, nothing of the job is granted any more; where what ran was
//! stopped too, no completion is accepted either.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId, TaskRange};

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// What was acknowledged of a job.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// The tasks that there were.
    tasks: u64,
    /// Whether what ran was stopped too.
    running: bool,
}

/// A cancel is final.
#[derive(Debug, Default)]
pub struct Cancels {
    wishes: BTreeMap<(u64, u64), (JobNo, bool)>,
    cuts: BTreeMap<(ShardId, JobNo), Cut>,
}

impl Cancels {
    fn cut(&self, scene: &Scene<'_>, shard: ShardId, range: TaskRange) -> Option<Cut> {
        let cut = self.cuts.get(&(shard, range.job))?;
        let saga = scene.book.job(shard, range.job).filter(|saga| saga.has(range))?;
        (saga.numbers(range).start < cut.tasks).then_some(*cut)
    }
}

impl Invariant for Cancels {
    fn name(&self) -> &'static str {
        "cancel"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Asked { ticket, wish: Wish::Cancel { job, running } } => {
                self.wishes.insert((scene.node.0, *ticket), (*job, *running));
            }
            Fact::Answered { ticket, answer } => {
                let wish = self.wishes.remove(&(scene.node.0, *ticket));
                let (Some((job, running)), Answer::Done) = (wish, *answer) else { return Ok(()) };
                let Some(shard) = scene.own else { return Ok(()) };
                let tasks = scene.book.job(shard, job).map_or(0, |saga| saga.tasks());
                let cut = self.cuts.entry((shard, job)).or_insert(Cut { tasks, running });
                cut.tasks = cut.tasks.max(tasks);
                cut.running |= running;
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        match settled.record {
            Record::Granted { items, node } => {
                for &(_, range) in items {
                    let cut = self.cut(scene, settled.shard, range);
                    hold!(cut.is_none(), "{range:?} was granted to {node} after a cancel");
                }
            }
            Record::Ended { items } => {
                for item in items {
                    let cut = self.cut(scene, settled.shard, item.range);
                    let dead = cut.is_some_and(|cut| cut.running);
                    hold!(!dead, "{:?} ended as {:?} after a cancel", item.range, item.end);
                }
            }
            Record::Retried { job } => {
                self.cuts.remove(&(settled.shard, *job));
            }
            _ => {}
        }
        Ok(())
    }
}
