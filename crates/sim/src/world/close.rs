//! The last look at a world: whether it is at rest, and what its run came to.

use bary_engine::engine::Engine;
use bary_ledger::job::Job;
use bary_ledger::ledger::Ledger;
use bary_model::id::{JobNo, ShardId};
use bary_model::time::Span;

use crate::report::{Report, Verdict};
use crate::shard::Shard;
use crate::watch::Seen;
use crate::world::World;

impl World<'_> {
    /// Whether no node runs or holds anything, and every job of every ledger has ended.
    pub(super) fn at_rest(&self) -> bool {
        self.is_idle() && self.unfinished().is_empty()
    }

    /// As [`World::at_rest`], where some jobs may have been left open.
    pub(super) fn is_done(&self) -> bool {
        self.is_idle() && self.unfinished().iter().all(|(.., left)| *left == 0)
    }

    fn is_idle(&self) -> bool {
        let mut engines = self.nodes.iter().filter_map(|node| node.engine.as_ref());
        engines.all(Engine::is_idle)
    }

    /// The ledger of a shard, as its home knows it.
    fn ledger(&self, shard: &Shard) -> Option<&Ledger> {
        self.nodes[shard.home?].engine.as_ref()?.ledger(shard.id)
    }

    /// Whether a job waits for one that will not finish: by way of others maybe, for one of a
    /// shard without a home, or one that its client left open or held.
    fn is_stuck(&self, job: &Job) -> bool {
        job.awaited().any(|upstream| {
            let shard = self.shards.iter().find(|shard| shard.id == upstream.shard);
            let Some(ledger) = shard.and_then(|shard| self.ledger(shard)) else { return true };
            let one = ledger.job(upstream.job);
            one.is_some_and(|one| {
                one.held && !one.is_over() || one.open && one.left == 0 || self.is_stuck(one)
            })
        })
    }

    /// The jobs of all ledgers that have not ended and could.
    fn unfinished(&self) -> Vec<(ShardId, JobNo, u64)> {
        let mut unfinished = Vec::new();
        for shard in &self.shards {
            let ledger = self.ledger(shard);
            let jobs = ledger.map_or(0, Ledger::jobs) as u32;
            let jobs = (0..jobs).map(JobNo).filter_map(|no| Some((no, ledger?.job(no)?)));
            let open = jobs.filter(|(_, job)| !job.is_over() && !job.held && !self.is_stuck(job));
            unfinished.extend(open.map(|(no, job)| (shard.id, no, job.left)));
        }
        unfinished
    }

    /// The last look at everything.
    pub(super) fn close(mut self, verdict: Verdict) -> Report {
        for node in 0..self.nodes.len() {
            if let (Some(engine), Some(watch)) = (&self.nodes[node].engine, &mut self.watch) {
                watch.see(self.now, node, Seen::Rest(engine));
            }
        }
        let busy: Vec<Span> = self.nodes.iter().map(|node| node.busy).collect();
        let mut report = Report::new(self.plan, &mut self.tally, &busy, verdict);
        report.node_time = self.scaling.paid(self.tally.last_end);
        report.scalings = self.scaling.changes;
        (report.until, report.hash) = (self.now, self.trail.hash());
        report.moved = self.freight.moved;
        report.crossed = self.freight.crossed;
        let engines = self.nodes.iter().filter_map(|node| node.engine.as_ref());
        engines.clone().for_each(|engine| report.counts.add(engine.counts()));
        let all = engines.flat_map(Engine::prediction_errors);
        let (off, count) =
            all.fold((0.0, 0), |sum, (error, count)| (sum.0 + error * count as f64, sum.1 + count));
        report.predicted = (if count > 0 { off / count as f64 } else { 0.0 }, count);
        let unfinished = self.unfinished();
        let orphans = self.shards.iter().filter(|shard| self.ledger(shard).is_none());
        (report.unfinished, report.orphans) = (unfinished.len() as u64, orphans.count() as u64);
        for (shard, job, left) in unfinished {
            let words = format!("job {} has {left} tasks left", job.0);
            self.trail.told(self.now, 0, "unfinished", shard, &words);
        }
        report
    }
}
