//! A task is run once, and once more for each attempt that failed and each fault that touched it:
//! its node, its home, or the way between them. Under Open binding any holder may run it. So an
//! outcome comes too late only after a fault, or where its job was cancelled.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{Epoch, GrantNo, JobNo, Lsn, NodeId, ShardId, TaskRange};
use bary_model::time::{Moment, Span};

use crate::history::{Fact, How, Tale, Work};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::stretches::Stretches;

/// How long after a fault its victims may still act on what they knew before.
const WAKE: Span = Span::secs(30);

/// The last execution of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    node: NodeId,
    began: Moment,
    /// Whether it failed or was stopped, so that another may follow.
    vain: bool,
}

/// No execution without a cause.
#[derive(Debug)]
pub struct Executions {
    open: bool,
    last: BTreeMap<(ShardId, JobNo), Stretches<Last>>,
    /// Until when each node is touched by faults.
    trouble: BTreeMap<NodeId, Moment>,
    /// Who opened each shard last, and when.
    homes: BTreeMap<ShardId, (NodeId, Moment)>,
    /// Jobs of which something was cancelled.
    cancelled: BTreeSet<(ShardId, JobNo)>,
    /// The last grant of each shard, and that before each job's last retry: who has not heard that
    /// the job was cancelled before may still begin what it was granted then.
    granted: BTreeMap<ShardId, (Epoch, GrantNo)>,
    retried: BTreeMap<(ShardId, JobNo), (Epoch, GrantNo)>,
}

impl Executions {
    /// For grants to one holder each, or to any.
    #[must_use]
    pub fn new(open: bool) -> Self {
        let (last, trouble, homes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (granted, retried) = (BTreeMap::new(), BTreeMap::new());
        Self { open, last, trouble, homes, cancelled: BTreeSet::new(), granted, retried }
    }

    fn touched(&mut self, node: NodeId, until: Moment) {
        let trouble = self.trouble.entry(node).or_default();
        *trouble = (*trouble).max(until + WAKE);
    }

    fn started(&mut self, scene: &Scene<'_>, work: &Work) -> Result<(), Broken> {
        let Some(saga) = scene.book.granted(work.fence, work.range) else { return Ok(()) };
        let numbers = saga.numbers(work.range);
        let key = (work.fence.shard, work.range.job);
        let grant = (work.fence.epoch, work.fence.grant);
        if self.retried.get(&key).is_some_and(|before| grant <= *before) {
            return Ok(());
        }
        let trouble = |node: NodeId| self.trouble.get(&node).copied().unwrap_or_default();
        let (home, moved) = self.homes.get(&key.0).copied().unwrap_or_default();
        let last = self.last.entry(key).or_default();
        for (piece, before) in last.over(numbers.clone()) {
            let Some(before) = before.filter(|before| !before.vain) else { continue };
            let touched = [trouble(before.node), trouble(scene.node), trouble(home), moved];
            let excused = touched.iter().any(|until| *until > before.began);
            let (range, count) = (work.range, piece.end - piece.start);
            hold!(
                excused || self.open,
                "{count} tasks of {range:?} start on {}, but no fault touched their start on {} \
                 at {} ns, which has not failed",
                scene.node,
                before.node,
                before.began.0,
            );
        }
        last.set(numbers, Last { node: scene.node, began: scene.at, vain: false });
        Ok(())
    }

    fn superseded(&self, shard: ShardId, range: TaskRange, node: NodeId) -> Result<(), Broken> {
        let excused = self.open
            || !self.trouble.is_empty()
            || self.cancelled.contains(&(shard, range.job))
            || self.homes.get(&shard).is_some_and(|(_, moved)| *moved > Moment(0));
        hold!(excused, "an outcome of {range:?} came too late for {node}, but there was no fault");
        Ok(())
    }

    /// What runs of these tasks is given up on: a retry need not wait until it is gone.
    fn cut_off(&mut self, scene: &Scene<'_>, shard: ShardId, range: TaskRange) {
        let saga = scene.book.job(shard, range.job).filter(|saga| saga.has(range));
        let (Some(saga), Some(last)) = (saga, self.last.get_mut(&(shard, range.job))) else {
            return;
        };
        let all: Vec<_> = last.over(saga.numbers(range)).collect();
        for (piece, before) in all {
            if let Some(before) = before {
                last.set(piece, Last { vain: true, ..before });
            }
        }
    }

    /// What ran of a job is given up on.
    fn give_up(&mut self, shard: ShardId, job: JobNo) {
        let Some(last) = self.last.get_mut(&(shard, job)) else { return };
        let all: Vec<_> = last.iter().collect();
        for (piece, before) in all {
            last.set(piece, Last { vain: true, ..before });
        }
    }

    fn appended(&mut self, shard: ShardId, epoch: Epoch, record: &Record) {
        match record {
            Record::Granted { items, .. } => {
                if let Some((grant, _)) = items.last() {
                    self.granted.insert(shard, (epoch, *grant));
                }
            }
            Record::Retried { job } => {
                self.give_up(shard, *job);
                if let Some(grant) = self.granted.get(&shard) {
                    self.retried.insert((shard, *job), *grant);
                }
            }
            _ => {}
        }
    }

    /// A rank that has ended well runs again where its gang has fallen apart.
    fn fell_apart(&mut self, scene: &Scene<'_>, shard: ShardId, record: &Record) {
        let Record::Retracted { items } = record else { return };
        for (_, range) in items {
            let spec = scene.book.job(shard, range.job).and_then(|saga| saga.spec(range.spec));
            if spec.is_some_and(|spec| spec.gang > 0) {
                self.cut_off(scene, shard, *range);
            }
        }
    }

    fn ran(&mut self, scene: &Scene<'_>, work: &Work, how: How) {
        if how == How::Succeeded {
            return;
        }
        let Some(saga) = scene.book.granted(work.fence, work.range) else { return };
        let Some(last) = self.last.get_mut(&(work.fence.shard, work.range.job)) else { return };
        let mine: Vec<_> = last
            .over(saga.numbers(work.range))
            .filter_map(|(piece, last)| Some((piece, last?)))
            .filter(|(_, last)| last.node == scene.node)
            .collect();
        for (piece, before) in mine {
            last.set(piece, Last { vain: true, ..before });
        }
    }
}

impl Invariant for Executions {
    fn name(&self) -> &'static str {
        "execution"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Started { work, .. } => self.started(scene, work)?,
            Fact::Ran { work, how, .. } => self.ran(scene, work, *how),
            Fact::Told { shard, tale: Tale::Superseded(range) } => {
                self.superseded(*shard, *range, scene.node)?;
            }
            // A home may start anew what it has retried before that is durable.
            Fact::Appended { shard, epoch, records, .. } => {
                for record in &**records {
                    self.fell_apart(scene, *shard, record);
                    self.appended(*shard, *epoch, record);
                }
            }
            Fact::Crashed => self.touched(scene.node, scene.at),
            Fact::Touched { until } => self.touched(scene.node, *until),
            Fact::Opened { shard, next } => {
                // Where nobody was home of it before, there is nothing that a home may not know.
                let first = *next <= Lsn(1) && !self.homes.contains_key(shard);
                let until = if first { Moment(0) } else { scene.at + WAKE };
                self.homes.insert(*shard, (scene.node, until));
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        match settled.record {
            Record::Retried { job } => {
                self.last.remove(&(settled.shard, *job));
            }
            Record::Cancelled { range, running } => {
                self.cancelled.insert((settled.shard, range.job));
                if *running {
                    self.cut_off(scene, settled.shard, *range);
                }
            }
            Record::Stopping { job, .. } => {
                self.cancelled.insert((settled.shard, *job));
            }
            _ => {}
        }
        Ok(())
    }
}
