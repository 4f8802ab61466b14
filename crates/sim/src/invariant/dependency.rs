//! No task is granted or started before what it waits for has ended in a way that lets it run,
//! and it reads exactly the results that those gave.

use bary_ledger::record::Record;
use bary_model::id::{ShardId, TaskRange};

use crate::history::Fact;
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::saga::{Leave, Saga};

/// The graph is kept.
#[derive(Debug, Default)]
pub struct Dependencies;

impl Invariant for Dependencies {
    fn name(&self) -> &'static str {
        "dependency"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Started { work, .. } => {
                let saga = scene.book.granted(work.fence, work.range);
                saga.map_or(Ok(()), |saga| allowed(saga, work.range, "started"))
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
