//! Taking up what the reigns before left: who holds what, and what is ready.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::graph;
use bary_ledger::record::Record;
use bary_model::id::{JobNo, NodeId, TaskRange};
use bary_model::task::TaskSpec;

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::account::Holding;
use crate::home::levels::Levels;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// Takes up what the reigns before left: who holds what, and what is ready.
    pub(super) fn recover(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if !self.limits.retains_finished {
            self.ledger.forget_finished();
        }
        let jobs: Vec<JobNo> = self.ledger.numbers().collect();
        for &no in &jobs {
            self.take_up(no, out, timers);
        }
        let mut strangers: BTreeMap<NodeId, Holding> = BTreeMap::new();
        let ledger = &self.ledger;
        ledger.held(|holder, range| {
            let weight = ledger.job(range.job).and_then(|job| job.spec(range.spec));
            let weight = weight.map_or(0, |spec| spec.weight.times(u64::from(range.count)));
            let holding = strangers.entry(holder.node).or_default();
            holding.add(holder.epoch, holder.grant, range, weight);
        });
        self.strangers = strangers;
        let mut held = Vec::new();
        self.ledger.held(|holder, range| held.push((holder, range)));
        for (holder, range) in held {
            self.use_permits(range);
            if let Some(job) = self.ledger.job(range.job)
                && let Some(spec) = job.spec(range.spec)
            {
                self.note_rank(spec.body.priority.saturating_add(job.priority));
            }
            if holder.node == NodeId::ANY {
                self.open.granted(holder.epoch, holder.grant, range.count);
            }
        }
        if !self.flaws.has(Flaw::LeaseForgotten) {
            let holders: Vec<NodeId> = self.strangers.keys().copied().collect();
            for node in holders {
                self.watch_lease(node, out, timers);
            }
        }
        let mut ready = Vec::new();
        self.ledger.ready(|range| ready.push(range));
        if self.flaws.has(Flaw::ReplayCallsPolicy) {
            self.judge_anew(&ready);
        }
        let mut then = Consequences::default();
        for range in ready {
            self.make_ready_or_cancel(range, &mut then);
        }
        let mut arrivals = VecDeque::new();
        for no in jobs {
            arrivals.append(&mut self.await_own(no));
        }
        self.follow_all(then, arrivals, out, timers);
    }

    /// Takes up one job that is not over: its levels, its size and its layout.
    fn take_up(&mut self, no: JobNo, out: &mut Outbox, timers: &mut Timers) {
        let Some(job) = self.ledger.job(no).filter(|job| !job.is_over()) else { return };
        let specs: Vec<_> = job.specs().cloned().collect();
        self.specs_held += specs.len() as u64;
        self.set_levels(no, &specs);
        // What is being cancelled ends whether it is held or not.
        if !self.is_stopping(no) {
            self.shut(no, out, timers);
            self.lay_out(no, &specs, out, timers);
        }
    }

    /// The bug of that name: what has failed before is given up, and no record says so.
    fn judge_anew(&mut self, ready: &[TaskRange]) {
        for task in ready.iter().flat_map(|range| range.tasks()) {
            let tries = self.ledger.job(task.job).map(|job| job.tries(task.spec, task.index));
            if tries.is_some_and(|tries| tries.failed > 0) {
                let range = TaskRange::one(task);
                let record = Record::Cancelled { range, running: false };
                self.ledger.apply(&record, &mut Consequences::default());
            }
        }
    }

    pub(super) fn set_levels(&mut self, no: JobNo, specs: &[Arc<TaskSpec>]) {
        if specs.iter().any(|spec| !spec.after.is_empty())
            && let Ok(order) = graph::order(specs)
        {
            let ranks = self.ranks(specs, &order);
            let levels = graph::b_levels(specs, &order, |spec| self.worth(spec));
            self.levels.insert(no, Levels::new(levels, ranks, specs));
        }
    }
}
