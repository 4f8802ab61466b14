//! Stealing through the home: an idle node's ask makes it take back what another has not begun.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::event::{Cause, EventKind};
use bary_model::id::{Fence, NodeId, TaskRange};
use bary_model::message::Retract;
use bary_policy::preset::Binding;
use bary_policy::steal::wait;

use crate::flaw::Flaw;
use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// Past this many steals without an end of anything a thief rests between them.
const STEALS_MAX: u32 = 4;

impl Home {
    /// Looks for a victim for an idle node whose ask is still parked.
    pub(super) fn seek_work_for(&mut self, thief: NodeId, out: &mut Outbox, timers: &mut Timers) {
        if self.policy.binding == Binding::Open {
            self.copy_to(thief, out, timers);
            return;
        }
        let idle = self.accounts.get(&thief).is_some_and(|account| {
            account.parked.as_ref().is_some_and(|parked| parked.ask.held == 0)
        });
        if !idle
            || self.is_kept(thief)
            || self.accounts.is_stealing(thief)
            || self.must_rest(thief, out, timers)
        {
            return;
        }
        // A node that the guard keeps from what is ready would get just that for what it steals.
        if self.policy.giants.is_some() && !self.ready.is_empty() {
            return;
        }
        let Some((victim, weight)) = self.pick_victim(thief) else { return };
        let what = match self.bounds() {
            Some(bounds) => self.few(bounds, victim, thief),
            None => Retract::Weight { weight, thief },
        };
        let fails = self.accounts.get(&thief).map_or(0, |account| account.fails);
        timers.set(out.now + wait::wait(fails), Timer::Steal(self.log.shard, thief));
        self.retract_for(thief, victim, what, out);
    }

    /// Whether a thief that cannot start what it steals has to wait; two of them would steal it
    /// from each other without end.
    fn must_rest(&mut self, thief: NodeId, out: &Outbox, timers: &mut Timers) -> bool {
        let shard = self.log.shard;
        let Some(account) = self.accounts.get_mut(&thief) else { return true };
        if account.steals < STEALS_MAX {
            return false;
        }
        if account.rests.is_none() {
            let until = out.now + wait::LONGEST;
            account.rests = Some(until);
            timers.set(until, Timer::Steal(shard, thief));
        }
        true
    }

    /// A thief may look for work again, once if it had to rest.
    pub(super) fn on_steal_timer(&mut self, thief: NodeId, out: &mut Outbox, timers: &mut Timers) {
        if let Some(account) = self.accounts.get_mut(&thief)
            && account.rests.is_some_and(|until| until <= out.now)
        {
            account.rests = None;
            account.steals = account.steals.min(STEALS_MAX - 1);
        }
        self.seek_work_for(thief, out, timers);
    }

    fn pick_victim(&mut self, thief: NodeId) -> Option<(NodeId, u64)> {
        let totals = self.totals();
        // The thief may be listed too; the policy knows whom it is for.
        let idle = self.accounts.get(&thief)?.view(totals);
        let victims = self.accounts.victims();
        let victim = self.policy.steal.victim(&idle, victims, &mut self.steal_dice)?;
        let account = self.accounts.get(&victim)?;
        let busy = account.power(totals.scale);
        let amount = self.policy.steal.amount(&account.as_victim(), idle.power, busy);
        (amount > 0).then_some((victim, amount))
    }

    /// A victim gave back what it had not begun; it goes to whoever asks, the thief first.
    pub(crate) fn on_retracted(
        &mut self,
        from: NodeId,
        items: Vec<(Fence, TaskRange)>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut accepted = items;
        accepted.retain(|&(fence, range)| self.ledger.accepts(fence, range));
        let open = accepted.iter().copied().filter(|(_, range)| self.is_open_grant(*range));
        for (fence, range) in open.collect::<Vec<_>>() {
            self.stop_copies(fence, range, from, out);
        }
        let thief = self.settle_retract(from, &accepted);
        if !accepted.is_empty() {
            let ranges = accepted.iter().map(|(_, range)| *range).collect();
            let items = accepted.iter().map(|(fence, range)| (fence.grant, *range)).collect();
            let mut then = Consequences::default();
            self.commit(Record::Retracted { items }, &mut then);
            self.log.tell(EventKind::Retracted { node: from, ranges }, out);
            if let Some(thief) = thief.filter(|_| self.bounds().is_some()) {
                let ranges = std::mem::take(&mut then.ready);
                then.ready = self.hand_over(thief, ranges, out, timers);
            }
            for range in std::mem::take(&mut then.ready) {
                if self.flaws.has(Flaw::GateLeftOpen) {
                    self.offer(range);
                } else {
                    self.make_ready_or_cancel(range, &mut then);
                }
            }
            // Where steals are counted the thief has its tasks already.
            if let Some(thief) = thief.filter(|_| self.bounds().is_none()) {
                self.answer(thief, Cause::Stolen, out, timers);
            }
            self.follow(then, out, timers);
        }
        if let Some(thief) = thief {
            self.seek_work_for(thief, out, timers);
        }
    }

    /// Books what a victim gave back; tells for whom it was.
    fn settle_retract(&mut self, from: NodeId, accepted: &[(Fence, TaskRange)]) -> Option<NodeId> {
        for (_, range) in accepted {
            if let Some(holder) = self.ledger.holder(*range) {
                self.holds_no_longer(holder, *range);
            }
        }
        let tasks: u64 = accepted.iter().map(|(_, range)| u64::from(range.count)).sum();
        let account = self.accounts.get_mut(&from)?;
        account.bare |= tasks == 0;
        let thief = account.thief.take();
        if thief.is_some() && tasks > 0 {
            self.counts.steals_successful += 1;
            self.counts.tasks_stolen += tasks;
        }
        if let Some(thief) = thief.and_then(|thief| self.accounts.get_mut(&thief)) {
            thief.fails = if tasks == 0 { thief.fails.saturating_add(1) } else { 0 };
            thief.steals += u32::from(tasks > 0);
        }
        thief
    }
}
