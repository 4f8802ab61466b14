//! No task is granted or started before what it waits for has ended in a way that lets it run, in
//! its own job or in others, and it reads exactly the results that those gave.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{ShardId, TaskRange};

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::saga::{Leave, Saga};

/// The graph is kept.
#[derive(Debug, Default)]
pub struct Dependencies {
    /// How many jobs a submission waits for, by node and ticket.
    waits: BTreeMap<(u64, u64), u32>,
}

impl Invariant for Dependencies {
    fn name(&self) -> &'static str {
        "dependency"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Asked { ticket, wish: Wish::SubmitAfter(count) } => {
                self.waits.insert((scene.node.0, *ticket), *count);
                Ok(())
            }
            Fact::Answered { ticket, answer } => {
                let Some(count) = self.waits.remove(&(scene.node.0, *ticket)) else {
                    return Ok(());
                };
                let Answer::Accepted(job) = *answer else { return Ok(()) };
                // A home that was deposed meanwhile still says what it had accepted.
                let Some(shard) = scene.own else { return Ok(()) };
                let saga = scene.book.job(shard, job);
                let known = saga.map_or(0, |saga| saga.upstream().len());
                let no = job.0;
                hold!(
                    known == count as usize,
                    "job {no} was to wait for {count} others, but waits for {known}"
                );
                Ok(())
            }
            Fact::Started { work, .. } => {
                let saga = scene.book.granted(work.fence, work.range);
                // That the others have ended need not be on record here yet, as the answer would
                // be the same a second time.
                let Some(saga) = saga else { return Ok(()) };
                let runs = |good| {
                    let parts = saga.leave_given(work.range, Some(good));
                    parts.iter().all(|(_, leave)| *leave == Leave::Runs)
                };
                if scene.book.said_of(saga).any(runs) {
                    return Ok(());
                }
                allowed(saga, work.range, "started")
            }
            Fact::Reads { work, from, aligned, results } => {
                let Some(saga) = scene.book.granted(work.fence, work.range) else {
                    return Ok(());
                };
                let there = saga.results(work.range, *from, *aligned);
                hold!(
                    there == *results,
                    "{:?} reads {results:?} of spec {}, which gave {there:?}",
                    work.range,
                    from.0,
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        match settled.record {
            Record::Granted { items, .. } => items.iter().try_for_each(|&(_, range)| {
                let saga = known(scene, settled.shard, range);
                saga.map_or(Ok(()), |saga| allowed(saga, range, "was granted"))
            }),
            Record::Arrived { upstream, good, .. } => {
                let saga = scene.book.job(upstream.shard, upstream.job);
                let right = saga.is_some_and(|saga| saga.has_ended(*good));
                hold!(right, "{upstream:?} was said to have ended, {good}, but has not so");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn known<'a>(scene: &Scene<'a>, shard: ShardId, range: TaskRange) -> Option<&'a Saga> {
    scene.book.job(shard, range.job).filter(|saga| saga.has(range))
}

fn allowed(saga: &Saga, range: TaskRange, what: &str) -> Result<(), Broken> {
    for (part, leave) in saga.leave(range) {
        hold!(leave == Leave::Runs, "{part:?} {what}, but the graph says that it {leave:?}");
    }
    Ok(())
}
