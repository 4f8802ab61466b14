//! Reporting outcomes: in batches, unless somebody waits.

use bary_model::id::{NodeId, RunNo, ShardId};
use bary_model::message::{Ask, OutcomeItem, Outcomes, Say};
use bary_model::outcome::Outcome;
use bary_model::time::Span;

use crate::outbox::Outbox;
use crate::runner::session::Session;
use crate::runner::stop::outside;
use crate::runner::{Runner, Running};
use crate::timers::{Timer, Timers};

impl Runner {
    /// A run is over: its room is free, its outcomes are on their way, the rest is held again.
    pub(crate) fn on_ended(
        &mut self,
        run: RunNo,
        mut items: Vec<OutcomeItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let Some(running) = self.runs.remove(&run) else { return };
        timers.unset(running.timeout);
        for key in &running.timers {
            timers.unset(*key);
        }
        self.free.give(running.used());
        self.free_slots.give(running.slot);
        self.learn(&running, &items);
        self.claims.ended(&items);
        let waited = running.items.iter().any(|held| held.urgent);
        let near = self.sessions.get(&running.home).is_some_and(|one| one.node == out.me);
        let mut urgent = waited || near;
        items.retain_mut(|item| {
            let wanted = running.give_back.contains(&item.range.job);
            urgent |= wanted;
            if item.outcome == Outcome::Returned && !wanted {
                self.hold_again(&running, item);
                return false;
            }
            item.usage.slot = running.slot;
            urgent |= matches!(item.outcome, Outcome::Failed { .. });
            true
        });
        self.report(running.home, items, urgent, out, timers);
    }

    /// Whether no outcome is held back for a home that is there.
    pub(crate) fn has_reported(&self) -> bool {
        self.sessions.values().all(|session| session.has_reported())
    }

    /// Whether the homes of other members that are there have all outcomes, durable.
    pub(crate) fn has_settled_elsewhere(&self, me: NodeId) -> bool {
        let mut elsewhere = self.sessions.values().filter(|one| one.node.member() != me.member());
        elsewhere.all(Session::has_settled)
    }

    fn learn(&mut self, running: &Running, items: &[OutcomeItem]) {
        let each = running.items[0].each();
        let good = items.iter().filter(|item| matches!(item.outcome, Outcome::Succeeded(_)));
        let (mut tasks, mut busy) = (0, Span::ZERO);
        for item in good {
            tasks += u64::from(item.range.count);
            busy += item.usage.busy;
        }
        self.held.classes[running.class].learn(each.times(tasks), busy);
    }

    fn hold_again(&mut self, running: &Running, item: &OutcomeItem) {
        let from = running
            .items
            .iter()
            .find(|held| held.fence == item.fence && held.range.spec == item.range.spec);
        let Some(from) = from else { return };
        let mut back = from.clone();
        back.range = item.range;
        for part in outside(&back, &running.cancelled).into_iter().rev() {
            self.held.push_front(running.home, part);
        }
    }

    pub(super) fn report(
        &mut self,
        home: ShardId,
        items: Vec<OutcomeItem>,
        urgent: bool,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if items.is_empty() {
            return;
        }
        let Some(session) = self.sessions.get_mut(&home) else { return };
        if session.outgoing.is_empty() {
            session.outgoing = items;
        } else {
            session.outgoing.extend(items);
        }
        if urgent || session.outgoing.len() >= self.limits.outcome_items_max {
            self.flush(home, None, out, timers);
        } else {
            self.flush_later(home, out, timers);
        }
    }

    fn flush_later(&mut self, home: ShardId, out: &Outbox, timers: &mut Timers) {
        if let Some(session) = self.sessions.get_mut(&home)
            && session.flush.is_none()
        {
            let delay = self.limits.outcome_delay_max;
            // A home that does not answer is not tried again before its link is.
            let stuck = out.links.is_stuck(session.node);
            let delay = if stuck { delay.max(self.limits.resend_min) } else { delay };
            session.flush = Some(timers.set(out.now + delay, Timer::Flush(home)));
        }
    }

    /// Sends what is held back for a home, and an ask with it. While the home does not answer,
    /// outcomes wait here.
    pub(super) fn flush(
        &mut self,
        home: ShardId,
        ask: Option<Ask>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let Some(session) = self.sessions.get_mut(&home) else { return };
        if let Some(key) = session.flush.take() {
            timers.unset(key);
        }
        if ask.is_none() && out.links.is_stuck(session.node) {
            self.flush_later(home, out, timers);
            return;
        }
        self.greet(home, out, timers);
        if let Some(outcomes) = self.batch(home) {
            self.say(home, Say::Outcomes(Outcomes { ask, ..outcomes }), out, timers);
            self.pulse_later(home, out, timers);
        } else if let Some(ask) = ask {
            self.say(home, Say::Ask(ask), out, timers);
        }
    }
}
