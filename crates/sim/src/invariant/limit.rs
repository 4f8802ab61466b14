//! Never more tasks of one limit run at a time than it allows, seen from starts and ends. A task
//! whose home has written that it ended counts no longer, though a copy of it, or what was
//! cancelled, may take a while to stop. Excused is what began
//! before the last fault was over that touched a home, a keeper of the limit, or a node that runs
//! some of it: what a home that is gone had lent may run on while it is lent again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::id::{GrantNo, JobNo, Lsn, NodeId, RunNo, ShardId, SpecNo, TaskRange};
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::history::{Fact, Work};
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::stretches::Stretches;

/// How long after a fault its victims may still act on what they knew before: until others have
/// learnt of it, and a lease has run out.
const WAKE: Span = Span::secs(30);

/// Tasks of a limit that were started and have not come to an end.
#[derive(Clone, Copy, Debug)]
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
    /// Whether a grant is for any holder: then a copy may start when its task has ended.
    open: bool,
    /// The last grant of each shard.
    last: BTreeMap<ShardId, GrantNo>,
    /// The last grant of tasks that were cancelled since, or under which they ended where grants
    /// are for any holder: who was not told in time may still start them.
    over: BTreeMap<(ShardId, JobNo, SpecNo), Stretches<GrantNo>>,
}

impl LimitsKept {
    /// For grants to one holder each, or to any.
    #[must_use]
    pub fn new(open: bool) -> Self {
        Self { open, ..Self::default() }
    }

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
        let late = self.over.get(&(work.fence.shard, work.range.job, work.range.spec));
        let is_late = |over: &Stretches<GrantNo>| {
            let mut over = over.over(indices(work.range));
            over.all(|(_, over)| over.is_some_and(|over| work.fence.grant <= over))
        };
        if late.is_some_and(is_late) {
            return Ok(());
        }
        limit.going.push(Going { node: scene.node, run, work, began: scene.at });
        let (running, since) = limit.running();
        if running <= u64::from(limit.most) {
            return Ok(());
        }
        let runners = limit.going.iter().map(|going| going.node);
        let mut nodes = self.reigned.iter().chain(&limit.keepers).copied().chain(runners);
        let trouble = |node: NodeId| self.trouble.get(&node).is_some_and(|until| *until >= since);
        // Where it is not known who keeps it, any node may have.
        let excused = match limit.keepers.is_empty() {
            true => self.trouble.values().any(|until| *until >= since),
            false => nodes.any(trouble),
        };
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

    /// A home has written what it granted, even before it is known that there are limits.
    fn note_grants(&mut self, shard: ShardId, records: &[Record]) {
        for record in records {
            if let Record::Granted { items, .. } = record {
                self.last.extend(items.last().map(|(grant, _)| (shard, *grant)));
            }
        }
    }

    /// A home has written that tasks ended, or an attempt at one: it may lend their permits anew.
    fn written(&mut self, shard: ShardId, record: &Record) {
        let open = self.open;
        match record {
            Record::Ended { items } => {
                let grant = |grant| Some(grant).filter(|_| open);
                items.iter().for_each(|item| self.end(shard, item.range, grant(item.grant)));
            }
            Record::Failed { task, grant, .. } => {
                self.end(shard, TaskRange::one(*task), Some(*grant).filter(|_| open));
            }
            // One of the holders says that it had not started what another runs.
            Record::Cancelled { range, running } if *running || open => {
                self.end(shard, *range, self.last.get(&shard).copied());
            }
            _ => {}
        }
    }

    fn end(&mut self, shard: ShardId, range: TaskRange, over: Option<GrantNo>) {
        self.limits.values_mut().for_each(|limit| limit.end(shard, range));
        if let Some(grant) = over {
            let over = self.over.entry((shard, range.job, range.spec)).or_default();
            over.set(indices(range), grant);
        }
    }

    fn ran(&mut self, node: NodeId, run: RunNo) {
        for limit in self.limits.values_mut() {
            limit.going.retain(|going| (going.node, going.run) != (node, run));
        }
    }
}

impl Limit {
    /// Counts these tasks no longer, wherever they run.
    fn end(&mut self, shard: ShardId, over: TaskRange) {
        let same = |range: &TaskRange| (range.job, range.spec) == (over.job, over.spec);
        let mut rest = Vec::new();
        self.going.retain(|going| {
            let range = going.work.range;
            let apart = range.end() <= over.first || over.end() <= range.first;
            if going.work.fence.shard != shard || !same(&range) || apart {
                return true;
            }
            let (before, after) = (over.first.max(range.first), over.end().min(range.end()));
            for (first, end) in [(range.first, before), (after, range.end())] {
                if first < end {
                    let work = Work { range: range.with(first, end - first), ..going.work };
                    rest.push(Going { work, ..*going });
                }
            }
            false
        });
        self.going.append(&mut rest);
    }

    /// How many different tasks of it run, and since when the first of them does.
    fn running(&self) -> (u64, Moment) {
        let mut tasks: BTreeMap<_, Stretches<()>> = BTreeMap::new();
        let mut since = Moment(u64::MAX);
        for going in &self.going {
            let Work { fence, range, .. } = going.work;
            let of = tasks.entry((fence.shard, range.job, range.spec)).or_default();
            of.set(indices(range), ());
            since = since.min(going.began);
        }
        let all = tasks.values().flat_map(Stretches::iter);
        (all.map(|(piece, ())| piece.end - piece.start).sum(), since)
    }
}

fn indices(range: TaskRange) -> Range<u64> {
    u64::from(range.first)..u64::from(range.end())
}

impl Invariant for LimitsKept {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        if let Fact::Appended { shard, records, .. } = fact {
            self.note_grants(*shard, records);
        }
        match fact {
            Fact::Opened { shard, next } => {
                self.reigned.insert(scene.node);
                let former = self.homes.insert(*shard, scene.node);
                former.into_iter().for_each(|former| self.touched(former, scene.at));
                if former.is_some() || *next > Lsn(1) {
                    self.touched(scene.node, scene.at);
                }
            }
            Fact::Touched { until } => self.touched(scene.node, *until),
            // Until views agree, two nodes may keep a limit.
            Fact::Sees => self.touched(scene.node, scene.at),
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
            Fact::Appended { shard, records, .. } => {
                records.iter().for_each(|record| self.written(*shard, record));
            }
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
