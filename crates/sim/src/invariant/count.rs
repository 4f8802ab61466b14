//! Counters add up: a job's tasks are those that ended and those that are left, and a home that
//! saw a job from its beginning to its end has told the end of each task exactly once. The specs
//! that it tells of are those that were added.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{JobNo, NodeId, ShardId, TaskRange};

use crate::history::{Fact, Tale};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::stretches::Stretches;

/// What a home has told of a job in one reign and generation.
#[derive(Debug, Default)]
struct Told {
    ends: Stretches<()>,
    finished: bool,
    /// Whether the job began in this reign and generation.
    whole: bool,
}

/// Sums agree.
#[derive(Debug, Default)]
pub struct Counts {
    homes: BTreeMap<ShardId, NodeId>,
    told: BTreeMap<(ShardId, JobNo), Told>,
    /// Whether the history has what was told at all: a journal alone has not.
    heard: bool,
}

impl Counts {
    fn tell(&mut self, scene: &Scene<'_>, shard: ShardId, range: TaskRange) -> Result<(), Broken> {
        let saga = scene.book.job(shard, range.job).filter(|saga| saga.has(range));
        let Some(saga) = saga else { return Ok(()) };
        let told = self.told.entry((shard, range.job)).or_default();
        let again = told.ends.over(saga.numbers(range)).any(|(_, told)| told.is_some());
        hold!(!again, "{} told the end of {range:?} twice", scene.node);
        told.ends.set(saga.numbers(range), ());
        Ok(())
    }

    fn finished(&mut self, scene: &Scene<'_>, shard: ShardId, job: JobNo) -> Result<(), Broken> {
        let told = self.told.entry((shard, job)).or_default();
        let again = std::mem::replace(&mut told.finished, true);
        hold!(!again, "{} told twice that job {} has finished", scene.node, job.0);
        let Some(saga) = scene.book.job(shard, job).filter(|_| told.whole) else { return Ok(()) };
        let count: u64 = told.ends.iter().map(|(piece, ())| piece.end - piece.start).sum();
        let (no, tasks) = (job.0, saga.tasks());
        hold!(count == tasks, "job {no} finished with {count} ends told of {tasks} tasks");
        Ok(())
    }
}

impl Invariant for Counts {
    fn name(&self) -> &'static str {
        "count"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Opened { shard, .. } => {
                self.homes.insert(*shard, scene.node);
                self.told.retain(|(of, _), _| of != shard);
            }
            Fact::Told { shard, tale } if self.homes.get(shard) == Some(&scene.node) => {
                self.heard = true;
                match tale {
                    Tale::Ended(range, _) | Tale::Dropped(range, _) => {
                        self.tell(scene, *shard, *range)?;
                    }
                    Tale::Added { job, first, specs } => {
                        let saga = scene.book.job(*shard, *job);
                        let known = saga.map(|saga| saga.sum_of(*first, specs.count));
                        let no = job.0;
                        hold!(known == Some(*specs), "other specs of job {no} are told of");
                    }
                    Tale::Finished(job) => self.finished(scene, *shard, *job)?,
                    Tale::Retried(job) => drop(self.told.remove(&(*shard, *job))),
                    Tale::Superseded(_) => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, _: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        if let Record::Submitted { job, .. } = settled.record {
            let told = Told { whole: true, ..Told::default() };
            self.told.insert((settled.shard, *job), told);
        }
        Ok(())
    }

    fn at_end(&mut self, scene: &Scene<'_>) -> Result<(), Broken> {
        let living: BTreeSet<ShardId> = scene.book.living().map(|(id, _)| id).collect();
        for (id, shard) in scene.book.shards() {
            for (no, saga) in shard.jobs.iter().enumerate() {
                let ended: u64 = saga.all_ends().map(|(piece, _)| piece.end - piece.start).sum();
                let (left, tasks) = (saga.left, saga.tasks());
                hold!(ended + left == tasks, "job {no}: {ended} ended, {left} left of {tasks}");
                let told = self.told.get(&(id, JobNo(no as u32))).filter(|told| told.whole);
                let silent = told.is_some_and(|told| !told.finished) && living.contains(&id);
                let silent = silent && self.heard;
                hold!(!silent || !saga.is_over(), "nobody told that job {no} has finished");
            }
        }
        Ok(())
    }
}
