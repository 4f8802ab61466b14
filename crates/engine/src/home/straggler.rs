//! Copies of stragglers: a grant that takes too long is made open to a node that has nothing to
//! do, and goes on as one that several nodes may run, of which the first outcome counts. It keeps
//! its number, so whoever runs it need not hear of that.

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::id::{Fence, NodeId, TaskRange};
use bary_model::message::{Grant, GrantItem, Say};
use bary_model::time::{Moment, Span};
use bary_policy::speculate::Run;

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// How long it takes at least until stragglers are looked for again.
const LOOK_MIN: Span = Span::millis(10);

impl Home {
    /// Sees to it that stragglers are looked for while nodes wait and others run something.
    pub(super) fn watch_stragglers(&mut self, out: &Outbox, timers: &mut Timers) {
        let Some(late) = self.policy.queue.speculate else { return };
        if self.line.look.is_none() && !self.parked.is_empty() && self.line.runs_something() {
            let at = out.now + late.age_min.max(LOOK_MIN);
            self.line.look = Some(timers.set(at, Timer::Straggle(self.log.shard)));
        }
    }

    pub(super) fn on_straggle_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.line.look = None;
        if self.opening.is_some() {
            return;
        }
        let idle: Vec<NodeId> = self.parked.iter().copied().collect();
        for node in idle {
            if !self.is_waiting() {
                self.copy_straggler_to(node, out, timers);
            }
        }
        self.watch_stragglers(out, timers);
    }

    /// Gives a node without work a copy of the task that takes longest, if one is worth it.
    fn copy_straggler_to(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let Some(late) = self.policy.queue.speculate else { return };
        let Some(account) = self.accounts.get(&node) else { return };
        let idle = account.parked.as_ref().is_some_and(|parked| parked.ask.held == 0);
        if !idle || account.tasks() > 0 || self.open.has(node) || self.is_barred(node) {
            return;
        }
        let (fences, runs) = self.runs_for(node, out.now);
        let copies = self.open.len() as u64;
        let Some(fence) = late.pick(&runs, copies).and_then(|at| fences[at]) else { return };
        let items = self.share(fence, node);
        if items.is_empty() {
            return;
        }
        let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
        let settled = self.accounts.get(&node).map_or(0, |account| account.session.settled);
        if let Some(account) = self.accounts.get_mut(&node) {
            account.told = false;
        }
        self.watch_lease(node, out, timers);
        self.watch_lease(NodeId::ANY, out, timers);
        let say = Say::Grant(Grant { items, answers, ready: 0, settled });
        self.log.say_when_durable(node, say, out);
    }

    /// All that runs, as the rule sees it for a node, with the fence of what could be copied.
    fn runs_for(&mut self, node: NodeId, now: Moment) -> (Vec<Option<Fence>>, Vec<Run>) {
        let scale = self.totals().scale;
        let (shard, epoch) = (self.log.shard, self.log.epoch);
        let mut all = (Vec::new(), Vec::new());
        for (&(granted_in, grant), held) in self.line.held() {
            let Some(account) = self.accounts.get(&held.node) else { continue };
            // What waits at its node is stolen rather than copied.
            if account.backlog() > 0 {
                continue;
            }
            let since = self.line.begun(held);
            let info = self.accounts.get(&node).map(|account| &account.peer.info);
            let request = &held.spec.body.request;
            let may = granted_in == epoch
                && held.node != node
                && held.spec.gang == 0
                && !self.open.contains(granted_in, grant)
                && !self.begins_nothing(held.job)
                && info.is_some_and(|info| {
                    let room = info.resources.times(&request.resources);
                    info.can_run(request) && room >= u64::from(held.tasks)
                });
            let expected = self.expected(&held.spec, held.node, scale);
            let fresh = may.then(|| self.expected(&held.spec, node, scale));
            all.0.push(may.then_some(Fence { shard, epoch, grant }));
            all.1.push(Run { elapsed: now.since(since), expected, fresh });
        }
        all
    }

    /// Makes what is left of a grant open, with copies at its holder and at a node. On record it is
    /// given back and granted to whoever has it, under the same number.
    fn share(&mut self, fence: Fence, node: NodeId) -> Vec<GrantItem> {
        let mut parts: Vec<(Holder, TaskRange)> = Vec::new();
        self.ledger.held(|holder, range| {
            if (holder.epoch, holder.grant) == (fence.epoch, fence.grant) {
                parts.push((holder, range));
            }
        });
        let Some(&(was, _)) = parts.first() else { return Vec::new() };
        let items: Vec<_> = parts.iter().map(|(_, range)| (fence.grant, *range)).collect();
        let mut nothing = Consequences::default();
        self.commit(Record::Retracted { items: items.clone() }, &mut nothing);
        self.commit(Record::Granted { node: NodeId::ANY, items }, &mut nothing);
        for (_, range) in &parts {
            let weight = self.weight(*range);
            if let Some(account) = self.accounts.book(&was.node) {
                account.holding.remove(fence.epoch, fence.grant, *range, weight);
            } else if let Some(holding) = self.strangers.get_mut(&was.node) {
                holding.remove(fence.epoch, fence.grant, *range, weight);
            }
            let all = self.strangers.entry(NodeId::ANY).or_default();
            all.add(fence.epoch, fence.grant, *range, weight);
            self.open.granted(fence.epoch, fence.grant, range.count);
        }
        self.open.claim(fence, was.node);
        self.open.claim(fence, node);
        let ranges = parts.into_iter().map(|(_, range)| range);
        ranges.filter_map(|range| self.grant_item(&self.entry(range)?, range, fence)).collect()
    }
}
