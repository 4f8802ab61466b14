//! Never more tasks of one limit run at a time than it allows, seen from starts and ends. A task
//! that was cancelled counts no longer, though it may take a while to stop. Excused is what began
//! before the last fault was over that touched a home, a keeper of the limit, or a node that runs
//! some of it: what a home that is gone had lent may run on while it is lent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::id::{NodeId, RunNo, ShardId};
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::history::{Fact, Work};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::stretches::Stretches;

/// How long after a fault its victims may still act on what they knew before: until others have
/// learnt of it, and a lease has run out.
const WAKE: Span = Span::secs(30);

/// Tasks of a limit that were started and have not come to an end.
#[derive(Debug)]
struct Going {
    node: NodeId,
    run: RunNo,
    work: Work,
    began: Moment,
}

/// One limit.
#[derive(Debug, Default)]
struct Limit {
    /// The largest that some spec says it is; where they differ, the least counts only for who
    /// has heard of it.
    most: u32,
    going: Vec<Going>,
    /// Nodes that homes took for its keeper.
    keepers: BTreeSet<NodeId>,
}

/// Limits over the whole cluster are kept.
#[derive(Debug, Default)]
pub struct LimitsKept {
    limits: BTreeMap<Box<str>, Limit>,
    /// Until when each node is touched by faults.
    trouble: BTreeMap<NodeId, Moment>,
    /// Who opened each shard last.
    homes: BTreeMap<ShardId, NodeId>,
    /// Nodes that were ever the home of a shard.
    reigned: BTreeSet<NodeId>,
}

impl LimitsKept {
    fn touched(&mut self, node: NodeId, until: Moment) {
        let trouble = self.trouble.entry(node).or_default();
        *trouble = (*trouble).max(until + WAKE);
    }

    fn named(&mut self, specs: &[Arc<TaskSpec>]) {
        for permit in specs.iter().filter_map(|spec| spec.body.permit.as_ref()) {
            if !self.limits.contains_key(&permit.name) {
                self.limits.insert(permit.name.clone(), Limit::default());
            }
            if let Some(limit) = self.limits.get_mut(&permit.name) {
                limit.most = limit.most.max(permit.most);
            }
        }
    }

    fn started(&mut self, scene: &Scene<'_>, run: RunNo, work: Work) -> Result<(), Broken> {
        let saga = scene.book.granted(work.fence, work.range);
        let spec = saga.and_then(|saga| saga.spec(work.range.spec));
        let Some(permit) = spec.and_then(|spec| spec.body.permit.as_ref()) else { return Ok(()) };
        let Some(limit) = self.limits.get_mut(&permit.name) else { return Ok(()) };
        limit.going.push(Going { node: scene.node, run, work, began: scene.at });
        let (running, since) = limit.running(scene);
        if running <= u64::from(limit.most) {
            return Ok(());
        }
        let runners = limit.going.iter().map(|going| going.node);
        let mut nodes = self.reigned.iter().chain(&limit.keepers).copied().chain(runners);
        let trouble = |node: NodeId| self.trouble.get(&node).is_some_and(|until| *until >= since);
        let excused = nodes.any(trouble);
        let most = limit.most;
        hold!(
            excused,
            "{running} tasks of limit {} run, of which {most} may, since {:?} started on {}; no \
             fault touched any of it since {} ns",
            permit.name,
            work.range,
            scene.node,
            since.0,
        );
        Ok(())
    }

    fn ran(&mut self, node: NodeId, run: RunNo) {
        for limit in self.limits.values_mut() {
            limit.going.retain(|going| (going.node, going.run) != (node, run));
        }
    }
}

impl Limit {
    /// How many different tasks of it run that have not ended, and since when the first of them
    /// does.
    fn running(&self, scene: &Scene<'_>) -> (u64, Moment) {
        let (mut tasks, mut since) = (BTreeMap::new(), scene.at);
        for going in &self.going {
            let Work { fence, range, .. } = going.work;
            let Some(saga) = scene.book.granted(fence, range) else { continue };
            for (piece, _) in saga.ends(range).filter(|(_, end)| end.is_none()) {
                let job: &mut Stretches<()> = tasks.entry((fence.shard, range.job)).or_default();
                job.set(piece, ());
                since = since.min(going.began);
            }
        }
        let all = tasks.values().flat_map(Stretches::iter);
        (all.map(|(piece, ())| piece.end - piece.start).sum(), since)
    }
}

impl Invariant for LimitsKept {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Opened { shard, .. } => {
                self.reigned.insert(scene.node);
                // A home that others had before.
                if let Some(former) = self.homes.insert(*shard, scene.node) {
                    self.touched(former, scene.at);
                    self.touched(scene.node, scene.at);
                }
            }
            Fact::Touched { until } => self.touched(scene.node, *until),
            Fact::Crashed => {
                self.touched(scene.node, scene.at);
                for limit in self.limits.values_mut() {
                    limit.going.retain(|going| going.node != scene.node);
                }
            }
            Fact::Keeps { limit, by } => {
                if let Some(limit) = self.limits.get_mut(&**limit) {
                    limit.keepers.insert(*by);
                }
            }
            _ if self.limits.is_empty() => {}
            Fact::Started { run, work, .. } => self.started(scene, *run, *work)?,
            Fact::Over { run } => self.ran(scene.node, *run),
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, _: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        if let Record::Submitted { specs, .. } | Record::Extended { specs, .. } = settled.record {
            self.named(specs);
        }
        Ok(())
    }
}
