//! Durable means durable: what was acknowledged or told rests on durable records, and no crash
//! takes it back.

use std::collections::BTreeMap;

use bary_model::id::{JobNo, ShardId};

use crate::history::{Answer, Fact, Tale, Wish};
use crate::invariant::{Broken, Invariant, Scene, hold};
use crate::oracle::book::Ending;
use crate::oracle::saga::Saga;

/// Nothing is promised before it is durable.
#[derive(Debug, Default)]
pub struct Durable {
    /// What was asked for, by node and ticket.
    wishes: BTreeMap<(u64, u64), Wish>,
    /// How often jobs were retried, as their home has told or had found.
    retries: BTreeMap<(ShardId, JobNo), u32>,
}

impl Invariant for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Asked { ticket, wish } => {
                self.wishes.insert((scene.node.0, *ticket), *wish);
            }
            Fact::Answered { ticket, answer } => {
                let wish = self.wishes.remove(&(scene.node.0, *ticket));
                let Some(shard) = scene.own else { return Ok(()) };
                answered(scene, shard, wish, *answer)?;
            }
            Fact::Opened { shard, .. } => {
                self.retries.retain(|(of, _), _| of != shard);
                let jobs = scene.book.shard(*shard).map_or(&[][..], |shard| &shard.jobs);
                let known =
                    (0..).zip(jobs).map(|(no, saga)| ((*shard, JobNo(no)), saga.generation));
                self.retries.extend(known);
            }
            Fact::Told { shard, tale: Tale::Retried(job) } => {
                *self.retries.entry((*shard, *job)).or_default() += 1;
            }
            Fact::Told { shard, tale } => self.told(scene, *shard, tale)?,
            _ => {}
        }
        Ok(())
    }
}

fn answered(
    scene: &Scene<'_>,
    shard: ShardId,
    wish: Option<Wish>,
    answer: Answer,
) -> Result<(), Broken> {
    let job = |job: JobNo| scene.book.job(shard, job);
    match (wish, answer) {
        (_, Answer::Refused) => {}
        (Some(Wish::Submit), Answer::Accepted(no)) => {
            hold!(job(no).is_some(), "job {} was acknowledged before it was durable", no.0);
        }
        (Some(Wish::Close(no)), Answer::Done) => {
            let closed = job(no).is_some_and(|saga| !saga.open);
            hold!(closed, "the close of job {} was acknowledged before it was durable", no.0);
        }
        (Some(Wish::Cancel { job: no, running }), Answer::Done) => {
            let ended = |saga: &Saga| saga.stopping || saga.left == 0;
            let done =
                job(no).is_some_and(|saga| if running { saga.left == 0 } else { ended(saga) });
            hold!(done, "the cancel of job {} was acknowledged before it was durable", no.0);
        }
        (Some(Wish::Cancel { job: no, .. }), Answer::Over(good)) => {
            let ended = job(no).is_some_and(|saga| saga.has_ended(good));
            hold!(ended, "job {} was said to have finished, {good}, but has not so", no.0);
        }
        (Some(Wish::Forget(no)), Answer::Done) => {
            let gone = job(no).is_some_and(|saga| saga.forgotten);
            hold!(gone, "job {} was said to be forgotten before that was durable", no.0);
        }
        (Some(Wish::Retry(no)), Answer::Done) => {
            let again = job(no).is_some_and(|saga| saga.generation > 0);
            hold!(again, "the retry of job {} was acknowledged before it was durable", no.0);
        }
        _ => {}
    }
    Ok(())
}

impl Durable {
    fn told(&self, scene: &Scene<'_>, shard: ShardId, tale: &Tale) -> Result<(), Broken> {
        match tale {
            Tale::Ended(range, end) | Tale::Dropped(range, end) => {
                let saga = scene.book.job(shard, range.job).filter(|saga| saga.has(*range));
                let wanted = Some(Ending::from(end));
                let is_so = |saga: &Saga| saga.ends(*range).all(|(_, end)| end == wanted);
                let known =
                    saga.is_some_and(|saga| self.is_behind(shard, range.job, saga) || is_so(saga));
                hold!(known, "{range:?} was told as {end:?} before that was durable");
            }
            Tale::Finished(no) => {
                let saga = scene.book.job(shard, *no);
                let over =
                    saga.is_some_and(|saga| self.is_behind(shard, *no, saga) || saga.is_over());
                hold!(over, "job {} was told as finished before that was durable", no.0);
            }
            Tale::Added { .. } | Tale::Retried(_) | Tale::Superseded(_) => {}
        }
        Ok(())
    }

    /// Whether the home has yet to tell of a retry that is durable: what it tells is of before.
    fn is_behind(&self, shard: ShardId, job: JobNo, saga: &Saga) -> bool {
        self.retries.get(&(shard, job)).copied().unwrap_or(0) < saga.generation
    }
}
