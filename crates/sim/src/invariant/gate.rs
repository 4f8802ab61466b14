//! While a job is held, or before its time on the clock of its home, nothing of it is granted.
//! What was granted before a hold may start until its node hears of it; on the home's own node
//! that is before the hold is answered.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{JobNo, NodeId, ShardId, TaskRange};
use bary_model::time::{Moment, Span, Wall};

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Rules, Scene, Settled, hold};

/// What is shut stays shut.
#[derive(Debug)]
pub struct Gates {
    /// How far clocks may have jumped ahead, in all, and by how many millionths they run fast.
    ahead: Span,
    fast: u32,
    /// When jobs may begin, as each home has put it on record or found it there.
    times: BTreeMap<(NodeId, ShardId), BTreeMap<JobNo, Wall>>,
    /// The last wish about whether a job is held, by node and job.
    wishes: BTreeMap<(NodeId, JobNo), u64>,
    /// Jobs whose hold a node has acknowledged that is their home.
    held: BTreeSet<(NodeId, ShardId, JobNo)>,
    /// Who opened each shard last. A home before it that has not heard of that yet may acknowledge
    /// a hold, but who comes after it may have released the job.
    homes: BTreeMap<ShardId, NodeId>,
}

impl Gates {
    /// For nodes with clocks that the rules know.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let (ahead, fast) = (rules.ahead, rules.fast);
        let (times, wishes, held) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { ahead, fast, times, wishes, held, homes: BTreeMap::new() }
    }

    /// The latest that any clock can show.
    fn latest(&self, at: Moment) -> Wall {
        let fast = u128::from(at.0) * u128::from(self.fast) / 1_000_000;
        Wall(at.0) + Span(u64::try_from(fast).unwrap_or(u64::MAX)) + self.ahead
    }

    fn opened(&mut self, scene: &Scene<'_>, shard: ShardId) {
        let jobs = scene.book.shard(shard).map_or(&[][..], |shard| &shard.jobs);
        let times = (0..).zip(jobs).filter_map(|(no, saga)| Some((JobNo(no), saga.not_before?)));
        self.times.insert((scene.node, shard), times.collect());
    }

    fn appended(
        &mut self,
        scene: &Scene<'_>,
        shard: ShardId,
        record: &Record,
    ) -> Result<(), Broken> {
        let latest = self.latest(scene.at);
        let times = self.times.entry((scene.node, shard)).or_default();
        match record {
            Record::Submitted { job, about, .. } => {
                times.remove(job);
                times.extend(about.not_before.map(|at| (*job, at)));
            }
            Record::Retried { job } => drop(times.remove(job)),
            Record::Granted { items, .. } => {
                for (_, range) in items {
                    let early = times.get(&range.job).filter(|at| **at > latest);
                    hold!(early.is_none(), "{range:?} was granted, which is to wait for {early:?}");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn started(&self, scene: &Scene<'_>, shard: ShardId, range: TaskRange) -> Result<(), Broken> {
        let held = self.held.contains(&(scene.node, shard, range.job));
        hold!(!held, "{range:?} started on {}, which had acknowledged its hold", scene.node);
        Ok(())
    }
}

impl Invariant for Gates {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        let node = scene.node;
        match fact {
            Fact::Opened { shard, .. } => {
                self.opened(scene, *shard);
                self.homes.insert(*shard, node);
                // Whoever was its home before may not know that it is none any more.
                self.held.retain(|(of, known, _)| *of != node && known != shard);
            }
            Fact::Crashed | Fact::Deposed { .. } => self.held.retain(|(of, ..)| *of != node),
            Fact::Appended { shard, records, .. } => {
                for record in &**records {
                    self.appended(scene, *shard, record)?;
                }
            }
            Fact::Asked { ticket, wish: Wish::Hold { job, held } } => {
                self.wishes.insert((node, *job), *ticket);
                if !held {
                    self.held.retain(|(of, _, other)| (*of, other) != (node, job));
                    self.wishes.remove(&(node, *job));
                }
            }
            Fact::Asked { wish: Wish::Retry(job), .. } => {
                self.held.retain(|(of, _, other)| (*of, other) != (node, job));
                self.wishes.remove(&(node, *job));
            }
            Fact::Answered { ticket, answer: Answer::Done } => {
                let meant =
                    self.wishes.iter().find(|((of, _), last)| *of == node && *last == ticket);
                if let (Some((&(_, job), _)), Some(shard)) = (meant, scene.own)
                    && self.homes.get(&shard) == Some(&node)
                {
                    self.held.insert((node, shard, job));
                }
            }
            Fact::Started { work, .. } => self.started(scene, work.fence.shard, work.range)?,
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        if let Record::Granted { items, .. } = settled.record {
            for (_, range) in items {
                let job = scene.book.job(settled.shard, range.job);
                let held = job.is_some_and(|saga| saga.held);
                hold!(!held, "{range:?} was granted while its job was held");
            }
        }
        Ok(())
    }
}
