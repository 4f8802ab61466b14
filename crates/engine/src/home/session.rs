//! Sessions with nodes: what they say they hold, how long their silence is borne, and which of
//! their outcomes they may forget.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::digest::Digest;
use bary_model::event::EventKind;
use bary_model::id::{Epoch, Fence, GrantNo, JobNo, NodeId, TaskRange};
use bary_model::message::{Hello, Retract, Say};
use bary_model::node::Peer;

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::account::{Account, Session};
use crate::home::reach::Seeking;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// There is a node, or more is known of it.
    pub(crate) fn on_joined(&mut self, peer: &Peer, out: &mut Outbox, timers: &mut Timers) {
        let node = peer.info.id;
        if let Some(account) = self.accounts.reshape(&node) {
            account.meet(peer);
        } else {
            let mut account = Account::new(peer.clone());
            account.holding = self.strangers.remove(&node).unwrap_or_default();
            let holds = account.holding.tasks() > 0;
            self.accounts.insert(node, account);
            self.meet_neighbours(node);
            if self.departed.remove(&node) || holds {
                self.relist(node, out);
            }
        }
        self.label(node);
        self.serve(out, timers);
    }

    /// A node is gone: what it held is granted anew.
    pub(crate) fn on_left(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        if node != out.me && self.accounts.contains_key(&node) {
            // What is ready again is not announced to it.
            self.departed.insert(node);
            self.give_up_on(node, out, timers);
            if self.flaws.has(Flaw::FarewellForgotten) {
                return;
            }
            if let Some(mut account) = self.accounts.remove(&node)
                && let Some(lease) = account.lease.take()
            {
                timers.unset(lease);
            }
            self.take_back(node);
            self.forget_neighbours(node);
        }
    }

    /// The link to a node began anew: nothing that was on its way will arrive, word of ready work
    /// neither.
    pub(crate) fn on_renewed(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        self.break_off(node, out);
        self.forget_keeper(node);
        let holds = |account: &Account| account.holding.tasks() > 0;
        if self.accounts.get(&node).is_some_and(holds) || self.open.has(node) {
            // Another life of the node does not hold what the one before did.
            self.relist(node, out);
        }
        self.serve(out, timers);
    }

    fn break_off(&mut self, node: NodeId, out: &mut Outbox) {
        let shard = self.log.shard;
        if let Some(account) = self.accounts.get_mut(&node) {
            let awaited = account.break_off(shard);
            account.session.relisted = None;
            self.sampling.forget(node);
            self.parked.remove(&node);
            self.log.forget(node);
            if awaited {
                self.relist(node, out);
            }
        }
        self.take_back(node);
        // Word of work was lost with the link, and nothing else would tell it.
        if self.opening.is_none() {
            self.spread_the_word(Seeking::Anywhere, out);
        }
    }

    /// Nodes that have said what they hold, and can be granted more.
    pub(super) fn met(&self) -> impl Iterator<Item = (&NodeId, &Account)> {
        self.accounts.iter().filter(|(_, account)| account.session.open)
    }

    pub(super) fn has_session(&self, node: NodeId) -> bool {
        self.accounts.get(&node).is_some_and(|account| account.session.open)
    }

    /// Asks a node for the list of what it holds, once until it answers.
    pub(super) fn relist(&mut self, node: NodeId, out: &mut Outbox) {
        let Some(account) = self.accounts.get_mut(&node) else { return };
        account.break_off(self.log.shard);
        self.sampling.forget(node);
        self.parked.remove(&node);
        self.log.forget(node);
        let session = &mut account.session;
        if self.opening.is_some() {
            self.unlisted.insert(node);
        } else if session.relisted.is_none() {
            session.relists += 1;
            session.relisted = Some(session.relists);
            self.log.say(node, Say::Relist { number: session.relists }, out);
        }
    }

    /// A node says all that it holds. What it lacks is granted anew; what it should not have it
    /// drops.
    pub(super) fn on_hello(
        &mut self,
        from: NodeId,
        hello: Hello,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let life = out.links.life(from);
        let Some(account) = self.accounts.get_mut(&from) else { return };
        let session = &mut account.session;
        if session.open || session.relisted.is_some_and(|number| hello.answers != number) {
            return;
        }
        let relists = session.relists;
        if session.life == life {
            // What it was told last may have been lost.
            (session.open, session.relisted, session.told) = (true, None, 0);
        } else {
            *session = Session { open: true, relists, life, ..Session::default() };
            // Batches of a former life have numbers that mean others now.
            self.settling.retain(|(_, node, _)| *node != from);
        }
        account.bare = false;
        self.gangs.forget_told(from);
        let Some(account) = self.accounts.get_mut(&from) else { return };
        let holds = account.holding.tasks() > 0 || self.open.has(from);
        if holds || !hello.held.is_empty() {
            let jobs: BTreeSet<JobNo> = hello.held.iter().map(|(_, range)| range.job).collect();
            self.reconcile(from, hello.held, out, timers);
            // That a job is held or being cancelled softly it may not have heard.
            let shut = |job: &JobNo| self.begins_nothing(*job);
            let jobs: Vec<JobNo> = jobs.into_iter().filter(shut).collect();
            for job in jobs {
                self.log.say_after_held(from, Say::Retract(Retract::Unstarted(job)), out);
            }
            if self.is_drained(from) || self.holds_unfit(from) {
                self.empty(from, out);
            }
        }
        let awaited = self.accounts.get_mut(&from).and_then(|account| account.awaited.take());
        if let Some(parked) = awaited {
            self.park(from, parked);
        }
        if self.policy.force.sees_used() {
            self.gauge_one(from, out);
        }
        self.serve(out, timers);
    }

    fn reconcile(
        &mut self,
        from: NodeId,
        held: Vec<(Fence, TaskRange)>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut stale = Vec::new();
        let mut listed: BTreeMap<(Epoch, GrantNo), Vec<TaskRange>> = BTreeMap::new();
        for (fence, range) in held {
            let mine = |holder: Holder| holder.node == from || holder.node == NodeId::ANY;
            let holder = self.ledger.holder(range).filter(|holder| mine(*holder));
            if holder.is_some() && self.ledger.accepts(fence, range) {
                listed.entry((fence.epoch, fence.grant)).or_default().push(range);
            } else {
                stale.push((fence, range));
            }
        }
        if !stale.is_empty() {
            self.log.say_after_held(from, Say::Retract(Retract::Stale(stale)), out);
        }
        if self.flaws.has(Flaw::StaleIncarnation) {
            return;
        }
        let mut missing = Vec::new();
        self.ledger.held(|holder, range| {
            if holder.node == from && !self.gangs.is_done(range) {
                let listed = listed.get(&(holder.epoch, holder.grant));
                let listed = listed.map_or(&[][..], Vec::as_slice);
                missing.extend(beyond(range, listed).into_iter().map(|part| (holder, part)));
            }
        });
        missing.extend(self.lost_copies(from, &listed));
        missing.extend(self.claim_listed(from, &listed));
        if self.open.has(from) {
            self.watch_lease(from, out, timers);
        }
        self.requeue(from, missing, out, timers);
    }

    /// Takes tasks from a node that has lost them; they are ready again.
    pub(super) fn requeue(
        &mut self,
        node: NodeId,
        lost: Vec<(Holder, TaskRange)>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if lost.is_empty() {
            return;
        }
        for (holder, range) in &lost {
            self.holds_no_longer(*holder, *range);
            self.open.closed(holder.epoch, holder.grant, range.count);
        }
        let ranges = lost.iter().map(|(_, range)| *range).collect();
        let items = lost.iter().map(|(holder, range)| (holder.grant, *range)).collect();
        let mut then = Consequences::default();
        self.commit(Record::Retracted { items }, &mut then);
        self.log.tell(EventKind::Retracted { node, ranges }, out);
        self.follow(then, out, timers);
    }

    /// Sees to it that the silence of a node that holds something is judged.
    pub(super) fn watch_lease(&mut self, node: NodeId, out: &Outbox, timers: &mut Timers) {
        let (me, at) = (out.me, out.now + self.limits.lease);
        let lease = Timer::Lease(self.log.shard, node);
        match self.accounts.get_mut(&node) {
            Some(account) if node != me && account.lease.is_none() => {
                account.lease = Some(timers.set(at, lease));
            }
            None => {
                timers.set(at, lease);
            }
            Some(_) => {}
        }
    }

    /// A node that has been heard since keeps what it holds; one that has not loses it.
    pub(super) fn on_lease_timer(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let lease = Timer::Lease(self.log.shard, node);
        let until = out.links.heard(node) + self.limits.lease;
        let holds = self.strangers.get(&node).is_some_and(|holding| holding.tasks() > 0);
        if let Some(account) = self.accounts.get_mut(&node) {
            account.lease = None;
            let copies = self.open.has(node);
            if account.holding.tasks() == 0 && !copies || node == out.me {
                return;
            }
            if until > out.now {
                account.lease = Some(timers.set(until, lease));
                return;
            }
        } else if !holds {
            return;
        }
        if node == NodeId::ANY {
            let unclaimed = self.unclaimed();
            self.requeue(node, unclaimed, out, timers);
        } else {
            self.give_up_on(node, out, timers);
        }
    }

    /// Ends the session with a node and takes back all that it holds.
    fn give_up_on(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        out.renew(node);
        self.break_off(node, out);
        let mut lost = Vec::new();
        self.ledger.held(|holder, range| {
            if holder.node == node && !self.gangs.is_done(range) {
                lost.push((holder, range));
            }
        });
        lost.extend(self.lost_copies(node, &BTreeMap::new()));
        self.requeue(node, lost, out, timers);
        self.strangers.remove(&node);
    }

    /// A node says in two numbers what it holds. Numbers that differ while nothing is on its way
    /// mean that something was lost that should not have been: the list decides.
    pub(super) fn on_pulse(&mut self, from: NodeId, digest: Digest, out: &mut Outbox) {
        let Some(account) = self.accounts.get(&from) else { return };
        // Copies of open grants are on nobody's account.
        let differs = account.holding.digest != digest && !self.open.has(from);
        let quiet = out.links.is_quiet(from) && !self.log.waits_for(from);
        if differs && quiet && !self.flaws.has(Flaw::StaleIncarnation) {
            self.relist(from, out);
        }
    }

    /// Notes which batches of outcomes have become durable, and tells their nodes in time.
    pub(super) fn settle(&mut self, out: &mut Outbox, timers: &mut Timers) {
        while let Some(&(lsn, node, batch)) = self.settling.front() {
            if lsn > self.log.durable() {
                return;
            }
            self.settling.pop_front();
            let Some(account) = self.accounts.book(&node) else { continue };
            let session = &mut account.session;
            session.settled = session.settled.max(batch);
            if node == out.me {
                session.told = session.settled;
                self.log.say(node, Say::Settled { batch: session.settled }, out);
            } else if !session.telling {
                session.telling = true;
                let at = out.now + self.limits.settle_delay;
                timers.set(at, Timer::Settle(self.log.shard, node));
            }
        }
    }

    pub(super) fn on_settle_timer(&mut self, node: NodeId, out: &mut Outbox) {
        let Some(account) = self.accounts.get_mut(&node) else { return };
        let session = &mut account.session;
        session.telling = false;
        if session.told < session.settled && session.open {
            session.told = session.settled;
            self.log.say(node, Say::Settled { batch: session.settled }, out);
        }
    }
}

/// The parts of a range that are in none of the others.
pub(super) fn beyond(range: TaskRange, others: &[TaskRange]) -> Vec<TaskRange> {
    let mut sorted: Vec<&TaskRange> = others.iter().collect();
    sorted.sort_unstable();
    let (mut parts, mut at) = (Vec::new(), range.first);
    for other in sorted {
        if (other.job, other.spec) != (range.job, range.spec) || other.end() <= at {
            continue;
        }
        if other.first > at && at < range.end() {
            parts.push(range.with(at, other.first.min(range.end()) - at));
        }
        at = at.max(other.end());
    }
    if at < range.end() {
        parts.push(range.with(at, range.end() - at));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_not_beyond() {
        let range = |first, count| TaskRange { first, count, ..TaskRange::default() };
        assert_eq!(beyond(range(0, 10), &[]), [range(0, 10)]);
        assert_eq!(beyond(range(0, 10), &[range(0, 10)]), []);
        assert_eq!(beyond(range(2, 8), &[range(7, 1), range(0, 4)]), [range(4, 3), range(8, 2)]);
        assert_eq!(beyond(range(2, 3), &[range(9, 4)]), [range(2, 3)]);
    }
}
