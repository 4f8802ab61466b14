//! The home of a shard: it alone grants its tasks and accepts their outcomes.

mod account;
mod explain;
mod grant;
mod halt;
mod outcome;
mod push;
mod ready;
mod requests;
mod steal;

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{Epoch, JobNo, NodeId, ShardId, TaskRange};
use bary_model::message::{Ask, Message, Retract};
use bary_model::node::Peer;
use bary_model::outcome::End;
use bary_policy::dice::Dice;
use bary_policy::preset::Policy;
use bary_policy::view::TaskView;

use crate::home::account::Account;
use crate::home::halt::Halts;
use crate::home::ready::{Entry, Ready};
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// The deciding half of a shard's home.
#[derive(Debug)]
pub(crate) struct Home {
    ledger: Ledger,
    limits: Limits,
    policy: Policy,
    ready: Ready,
    accounts: BTreeMap<NodeId, Account>,
    /// Bottom levels of the specs of jobs that have dependencies.
    levels: BTreeMap<JobNo, Vec<u64>>,
    /// Jobs that are being cancelled: what comes back of them does not run again.
    stopping: BTreeSet<JobNo>,
    halts: Halts,
    specs_held: u64,
    force_dice: Dice,
    steal_dice: Dice,
    retry_dice: Dice,
}

impl Home {
    pub(crate) fn new(
        shard: ShardId,
        seed: u64,
        policy: Policy,
        limits: Limits,
        out: &mut Outbox,
    ) -> Self {
        let mut ledger = Ledger::new(shard);
        let opened = Record::Opened { epoch: Epoch(1) };
        ledger.apply(&opened, &mut Consequences::default());
        out.record(opened);
        Self {
            ledger,
            limits,
            policy,
            ready: Ready::default(),
            accounts: BTreeMap::new(),
            levels: BTreeMap::new(),
            stopping: BTreeSet::new(),
            halts: Halts::default(),
            specs_held: 0,
            force_dice: Dice::new(seed, "force"),
            steal_dice: Dice::new(seed, "steal"),
            retry_dice: Dice::new(seed, "retry"),
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn on_joined(&mut self, peer: &Peer, out: &mut Outbox) {
        self.accounts.insert(peer.info.id, Account::new(peer.clone()));
        self.serve(out);
    }

    /// A node says that it has room: it gets work, or waits parked while work is sought.
    pub(crate) fn on_ask(&mut self, from: NodeId, ask: Ask, out: &mut Outbox, timers: &mut Timers) {
        if let Some(account) = self.accounts.get_mut(&from) {
            account.parked = Some(ask);
            self.serve(out);
            self.seek_work_for(from, out, timers);
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, out: &mut Outbox, timers: &mut Timers) {
        match timer {
            Timer::Retry(range) if self.still_waits(range) => {
                self.make_ready(range);
                self.serve(out);
            }
            Timer::Steal(thief) => self.on_steal_timer(thief, out, timers),
            _ => {}
        }
    }

    /// A task whose back-off is over may have been cancelled meanwhile.
    fn still_waits(&self, range: TaskRange) -> bool {
        self.ledger.job(range.job).is_some_and(|job| job.is_open(range.spec, range.first))
    }

    /// Writes a record and folds it in; what follows is added to `then`.
    fn commit(&mut self, record: Record, then: &mut Consequences, out: &mut Outbox) {
        self.ledger.apply(&record, then);
        out.record(record);
    }

    /// Tells what followed from records and hands out what became ready.
    fn follow(&mut self, mut then: Consequences, out: &mut Outbox) {
        for range in std::mem::take(&mut then.ready) {
            self.make_ready_or_cancel(range, &mut then, out);
        }
        for (range, because) in then.skipped {
            let because = Some(because);
            out.tell(EventKind::Dropped { range, end: End::Skipped, because });
        }
        for range in then.cancelled {
            out.tell(EventKind::Dropped { range, end: End::Cancelled, because: None });
        }
        self.stop_held(then.stopped, out);
        for job in then.finished {
            self.forget(job);
            out.tell(EventKind::Finished { job });
        }
        self.serve(out);
    }

    fn forget(&mut self, job: JobNo) {
        self.levels.remove(&job);
        self.stopping.remove(&job);
        self.halts.forget(job);
        self.specs_held -= self.ledger.job(job).map_or(0, |job| job.specs().len() as u64);
        self.ledger.forget(job);
    }

    fn stop_held(&mut self, stopped: Vec<(NodeId, TaskRange)>, out: &mut Outbox) {
        let mut by_node: BTreeMap<NodeId, Vec<TaskRange>> = BTreeMap::new();
        for (node, range) in stopped {
            if let Some(spec) = self.ledger.job(range.job).and_then(|job| job.spec(range.spec)) {
                let weight = spec.weight.times(u64::from(range.count));
                if let Some(account) = self.accounts.get_mut(&node) {
                    account.ended(weight, u64::from(range.count));
                }
            }
            by_node.entry(node).or_default().push(range);
        }
        for (node, ranges) in by_node {
            // Not before the grants that it is about.
            out.send_after_held(node, Message::Retract(Retract::Tasks(ranges)));
        }
    }

    /// Tasks that came back ready run again, unless their job is being cancelled.
    fn make_ready_or_cancel(
        &mut self,
        range: TaskRange,
        then: &mut Consequences,
        out: &mut Outbox,
    ) {
        if self.stopping.contains(&range.job) {
            self.commit(Record::Cancelled { range, running: false }, then, out);
        } else {
            self.make_ready(range);
        }
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self) {
        self.ledger.check();
        let mut held: BTreeMap<NodeId, u64> = BTreeMap::new();
        self.ledger.held(|node, range| {
            *held.entry(node).or_default() += u64::from(range.count);
        });
        for (node, account) in &self.accounts {
            let held = held.get(node).copied().unwrap_or(0);
            assert_eq!(account.tasks, held, "a node's account is what the ledger says it holds");
        }
    }

    fn make_ready(&mut self, range: TaskRange) {
        if let Some(entry) = self.entry(range) {
            self.ready.push(entry);
        }
    }

    fn entry(&self, range: TaskRange) -> Option<Entry> {
        let spec = self.ledger.job(range.job)?.spec(range.spec)?;
        let levels = self.levels.get(&range.job);
        let own = spec.weight.thousandths();
        let b_level = levels.and_then(|l| l.get(range.spec.index())).copied().unwrap_or(own);
        let view = TaskView {
            weight: spec.weight,
            b_level,
            sequence: u64::from(range.spec.0),
            request: &spec.body.request,
        };
        Some(Entry { key: self.policy.order.key(&view), range, spec: spec.clone() })
    }

    /// Sorts all ready tasks anew under the present order.
    fn reorder(&mut self) {
        let ranges: Vec<TaskRange> = self.ready.drain();
        for range in ranges {
            self.make_ready(range);
        }
    }
}
