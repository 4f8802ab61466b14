//! Durable means durable: what was acknowledged or told rests on durable records, and no crash
//! takes it back.

use std::collections::BTreeMap;

use bary_model::id::{JobNo, ShardId};

use crate::history::{Answer, Fact, Tale, Wish};
use crate::invariant::{Broken, Invariant, Scene, hold};
use crate::oracle::book::Ending;

/// Nothing is promised before it is durable.
#[derive(Debug, Default)]
pub struct Durable {
    /// What was asked for, by node and ticket.
    wishes: BTreeMap<(u32, u64), Wish>,
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
            Fact::Told { shard, tale } => told(scene, *shard, tale)?,
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
            let ended = |saga: &crate::oracle::saga::Saga| saga.stopping || saga.left == 0;
            let done =
                job(no).is_some_and(|saga| if running { saga.left == 0 } else { ended(saga) });
            hold!(done, "the cancel of job {} was acknowledged before it was durable", no.0);
        }
        (Some(Wish::Retry(no)), Answer::Done) => {
            let again = job(no).is_some_and(|saga| saga.generation > 0);
            hold!(again, "the retry of job {} was acknowledged before it was durable", no.0);
        }
        _ => {}
    }
    Ok(())
}

fn told(scene: &Scene<'_>, shard: ShardId, tale: &Tale) -> Result<(), Broken> {
    match tale {
        Tale::Ended(range, end) | Tale::Dropped(range, end) => {
            let saga = scene.book.job(shard, range.job).filter(|saga| saga.has(*range));
            let wanted = Some(Ending::from(end));
            let true_ = saga.is_some_and(|saga| saga.ends(*range).all(|(_, end)| end == wanted));
            hold!(true_, "{range:?} was told as {end:?} before that was durable");
        }
        Tale::Finished(no) => {
            let over = scene.book.job(shard, *no).is_some_and(|saga| saga.is_over());
            hold!(over, "job {} was told as finished before that was durable", no.0);
        }
        Tale::Superseded(_) => {}
    }
    Ok(())
}
