//! What durable records come to, told a second time and plainly, so that the ledger is not its
//! own judge: which tasks there are, who holds them, how they ended.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::decree::{Decree, Labels};
use bary_model::id::{Epoch, Fence, GrantNo, JobNo, NodeId, ShardId, TaskRange};
use bary_model::job::JobRef;
use bary_model::outcome::End;

use crate::oracle::saga::Saga;

/// All shards, by their durable records.
#[derive(Debug, Default)]
pub struct Book {
    shards: BTreeMap<ShardId, Shard>,
    /// Who is home of each shard that somebody is home of.
    homes: BTreeMap<ShardId, NodeId>,
}

/// One shard.
#[derive(Debug, Default)]
pub struct Shard {
    /// The reign of the last durable opening.
    pub epoch: Epoch,
    /// Its jobs, by number.
    pub jobs: Vec<Saga>,
    /// The policy that was decreed last.
    pub policy: Option<Box<str>>,
    /// The nodes that are drained by decree.
    pub drained: BTreeSet<Box<str>>,
    /// The labels that nodes have by decree.
    pub labels: BTreeMap<Box<str>, Labels>,
    /// What the job that is submitted next waits for in other shards.
    awaits: Vec<JobRef>,
}

/// Who holds a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The node.
    pub node: NodeId,
    /// The reign in which it was granted.
    pub epoch: Epoch,
    /// The grant.
    pub grant: GrantNo,
}

/// How a task ended, without what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It succeeded.
    Succeeded,
    /// It failed with no attempts left.
    Failed,
    /// It took its process down too often.
    Quarantined,
    /// It was cancelled.
    Cancelled,
    /// What it waited for does not let it run.
    Skipped,
}

impl From<&End> for Ending {
    fn from(end: &End) -> Self {
        match end {
            End::Succeeded => Self::Succeeded,
            End::Failed(_) => Self::Failed,
            End::Quarantined(_) => Self::Quarantined,
            End::Cancelled => Self::Cancelled,
            End::Skipped => Self::Skipped,
        }
    }
}

impl Book {
    /// The shard, if anything durable is known of it.
    #[must_use]
    pub fn shard(&self, shard: ShardId) -> Option<&Shard> {
        self.shards.get(&shard)
    }

    /// The job, if its submission is durable.
    #[must_use]
    pub fn job(&self, shard: ShardId, job: JobNo) -> Option<&Saga> {
        self.shards.get(&shard)?.jobs.get(job.index())
    }

    /// The job that tasks under this grant are of. A grant of an earlier reign than the one in
    /// which a job of this number was submitted is of another job, whose submission was lost; and
    /// so with specs that were added to it.
    #[must_use]
    pub fn granted(&self, fence: Fence, range: TaskRange) -> Option<&Saga> {
        let saga = self.job(fence.shard, range.job)?;
        saga.had(range, fence.epoch).then_some(saga)
    }

    /// All shards.
    pub fn shards(&self) -> impl Iterator<Item = (ShardId, &Shard)> {
        self.shards.iter().map(|(id, shard)| (*id, shard))
    }

    /// The shards that somebody is home of.
    pub fn living(&self) -> impl Iterator<Item = (ShardId, &Shard)> {
        self.shards().filter(|(id, _)| self.homes.contains_key(id))
    }

    /// How the jobs of other shards that a job waits for may be said to have ended: all well, or
    /// not all. It is neither while some have not, and both where some were retried.
    pub fn said_of(&self, saga: &Saga) -> impl Iterator<Item = bool> {
        let has = |upstream: JobRef, known: Option<bool>, good| match known {
            Some(end) => end == good,
            None => self.job(upstream.shard, upstream.job).is_some_and(|one| one.has_ended(good)),
        };
        let all = saga.upstream();
        let well = all.iter().all(|&(job, end)| has(job, end, true));
        let ended = all.iter().all(|&(job, end)| has(job, end, true) || has(job, end, false));
        let badly = ended && all.iter().any(|&(job, end)| has(job, end, false));
        [(well, true), (badly, false)].into_iter().filter(|(may, _)| *may).map(|(_, good)| good)
    }

    /// Whether a job waits, by way of others maybe, for one that will not finish: nobody is home of
    /// its shard, or its client never closed or released it.
    #[must_use]
    pub fn is_stuck(&self, saga: &Saga) -> bool {
        let awaited = saga.upstream().iter().filter(|(_, end)| end.is_none());
        awaited.map(|(upstream, _)| upstream).any(|upstream| {
            let awaited = self.job(upstream.shard, upstream.job);
            !self.homes.contains_key(&upstream.shard)
                || awaited.is_some_and(|one| {
                    one.held && !one.is_over() || one.open && one.left == 0 || self.is_stuck(one)
                })
        })
    }

    /// Notes that a node opened a shard's journal.
    pub(crate) fn opened(&mut self, shard: ShardId, node: NodeId) {
        self.homes.insert(shard, node);
    }

    /// Notes that a node is home of a shard no more.
    pub(crate) fn deposed(&mut self, shard: ShardId, node: NodeId) {
        if self.homes.get(&shard) == Some(&node) {
            self.homes.remove(&shard);
        }
    }

    /// Notes that a node is gone with all that it was home of.
    pub(crate) fn crashed(&mut self, node: NodeId) {
        self.homes.retain(|_, home| *home != node);
    }

    /// Folds a durable record in. What does not fit is left out: the invariants have seen it.
    pub(crate) fn settle(&mut self, id: ShardId, record: &Record) {
        let shard = self.shards.entry(id).or_default();
        match record {
            Record::Opened { epoch } => shard.epoch = *epoch,
            Record::Awaits { upstream } => shard.awaits.clone_from(upstream),
            Record::Arrived { job, upstream, good } => {
                shard.job(*job, |saga| saga.arrive(*upstream, *good));
            }
            Record::Submitted { specs, open, about, .. } => {
                let awaits = std::mem::take(&mut shard.awaits);
                let mut saga = Saga::new(*open, awaits);
                (saga.held, saga.not_before) = (about.held, about.not_before);
                saga.priority = about.priority;
                saga.add(specs, shard.epoch);
                shard.jobs.push(saga);
            }
            Record::Granted { node, items } => {
                for &(grant, range) in items {
                    let hold = Hold { node: *node, epoch: shard.epoch, grant };
                    shard.on(range, |saga| saga.grant(range, hold));
                }
            }
            Record::Retracted { items } => {
                items.iter().for_each(|&(_, range)| shard.on(range, |saga| saga.release(range)));
            }
            Record::Failed { task, .. } => {
                let range = TaskRange::one(*task);
                shard.on(range, |saga| saga.release(range));
            }
            Record::Ended { items } => {
                items.iter().for_each(|item| shard.on(item.range, |saga| saga.ended(item)));
            }
            Record::Cancelled { range, running } => {
                shard.on(*range, |saga| saga.cancel(*range, *running));
            }
            Record::Extended { job, specs } => {
                let epoch = shard.epoch;
                shard.job(*job, |saga| saga.add(specs, epoch));
            }
            Record::Closed { job } => shard.job(*job, |saga| saga.open = false),
            Record::Stopping { job, .. } => shard.job(*job, |saga| saga.stopping = true),
            Record::Held { job, held, .. } => shard.job(*job, |saga| saga.held = *held),
            Record::Prioritised { job, priority } => {
                shard.job(*job, |saga| saga.priority = *priority);
            }
            Record::Forgotten { job } => shard.job(*job, |saga| saga.forgotten = true),
            Record::Checkpointed { task, step, payload, .. } => {
                let range = TaskRange::one(*task);
                shard.on(range, |saga| saga.leave_word(range, *step, payload));
            }
            Record::Retried { job } => {
                let news = shard.news(id, *job);
                shard.job(*job, |saga| saga.retry(news));
            }
            // No log of the simulator leaves anything out.
            Record::Bygone { .. } => {}
            Record::Decreed { decree } => shard.decreed(decree),
            Record::Ran { .. } => {}
        }
    }
}

impl Shard {
    fn decreed(&mut self, decree: &Decree) {
        match decree {
            Decree::Follow(policy) => self.policy = Some(policy.clone()),
            Decree::Drain { node, drain } => {
                self.drained.retain(|other| other != node);
                self.drained.extend(drain.then(|| node.clone()));
            }
            Decree::Label { node, labels } => {
                self.labels.retain(|other, _| other != node);
                if !labels.is_empty() {
                    self.labels.insert(node.clone(), labels.clone());
                }
            }
        }
    }

    /// The jobs that one waits for, and how each ended: those of the same shard as they are now.
    fn news(&self, id: ShardId, job: JobNo) -> Vec<(JobRef, Option<bool>)> {
        let upstream = self.jobs.get(job.index()).map_or(&[][..], Saga::upstream);
        let now = upstream.iter().map(|&(one, known)| {
            let own = self.jobs.get(one.job.index()).filter(|_| one.shard == id);
            (one, own.map_or(known, |saga| saga.is_over().then(|| saga.is_good())))
        });
        now.collect()
    }

    fn job(&mut self, job: JobNo, act: impl FnOnce(&mut Saga)) {
        if let Some(saga) = self.jobs.get_mut(job.index()) {
            act(saga);
        }
    }

    fn on(&mut self, range: TaskRange, act: impl FnOnce(&mut Saga)) {
        self.job(range.job, |saga| {
            if saga.has(range) {
                act(saga);
            }
        });
    }
}
