//! Sessions with homes: what this node holds is said when one begins, outcomes are kept until they
//! are answered, and a pulse shows that it is here while it holds something.

use std::collections::VecDeque;
use std::sync::Arc;

use bary_model::digest::Digest;
use bary_model::id::{Epoch, Fence, NodeId, ShardId, TaskRange};
use bary_model::message::{Hello, Message, OutcomeItem, Outcomes, Say};
use bary_model::time::{Moment, Span};

use crate::outbox::Outbox;
use crate::runner::stop::outside;
use crate::runner::{Need, Runner};
use crate::timers::{Timer, TimerKey, Timers};

/// The conversation with the home of one shard, wherever that is.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) node: NodeId,
    epoch: Epoch,
    /// Whether the home has been told what this node holds.
    greeted: bool,
    /// Whether there is no home, as far as has been heard.
    away: bool,
    /// The last request for that list.
    relist: u64,
    /// The number of the last ask.
    pub(super) asks: u64,
    /// What it was for, while it is not answered.
    pub(super) open: Option<Need>,
    /// When it was sent.
    pub(super) asked: Moment,
    /// Outcomes not sent yet.
    pub(super) outgoing: Vec<OutcomeItem>,
    pub(super) flush: Option<TimerKey>,
    /// The number of the last batch of outcomes.
    batch: u64,
    /// Batches that were sent and not answered.
    unsettled: VecDeque<(u64, Arc<Vec<OutcomeItem>>)>,
    pulse: Option<TimerKey>,
}

impl Session {
    fn new(node: NodeId, epoch: Epoch) -> Self {
        Self {
            node,
            epoch,
            greeted: false,
            away: false,
            relist: 0,
            asks: 0,
            open: None,
            asked: Moment(0),
            outgoing: Vec::new(),
            flush: None,
            batch: 0,
            unsettled: VecDeque::new(),
            pulse: None,
        }
    }

    /// Whether nothing is held back, but for a home that is not there.
    pub(super) fn has_reported(&self) -> bool {
        self.outgoing.is_empty() || self.away
    }

    /// Whether its home has said that all outcomes are durable there; or is not there.
    pub(super) fn has_settled(&self) -> bool {
        self.outgoing.is_empty() && self.unsettled.is_empty() || self.away
    }

    fn message(&self, shard: ShardId, say: Say) -> Message {
        Message { shard, epoch: self.epoch, say }
    }
}

impl Runner {
    /// A home was heard: its shard is there now, under this reign.
    pub(crate) fn meet(&mut self, shard: ShardId, node: NodeId, epoch: Epoch) {
        let session = self.sessions.or_insert_with(shard, || Session::new(node, epoch));
        if (session.node, session.epoch) != (node, epoch) || session.away {
            (session.node, session.epoch) = (node, epoch);
            (session.greeted, session.open, session.relist) = (false, None, 0);
            self.choice = None;
            session.away = false;
            self.broken.insert(shard);
            self.forget_words(shard);
        }
    }

    /// The link to a node began anew: its homes have to be told again.
    pub(crate) fn on_renewed(&mut self, peer: NodeId) {
        for (shard, session) in self.sessions.iter_mut().filter(|(_, one)| one.node == peer) {
            (session.greeted, session.open) = (false, None);
            self.choice = None;
            self.reservations.forget(*shard);
            self.claims.forget(*shard);
            self.broken.insert(*shard);
        }
    }

    /// A node is gone, and with it the homes that were there.
    pub(crate) fn on_left(&mut self, node: NodeId) {
        let there = self.sessions.iter().filter(|(_, session)| session.node == node);
        let there: Vec<ShardId> = there.map(|(shard, _)| *shard).collect();
        there.into_iter().for_each(|shard| self.on_away(shard));
    }

    /// The home is not where it was: what is held of its shard waits until it is heard again.
    pub(crate) fn on_away(&mut self, shard: ShardId) {
        if let Some(session) = self.sessions.get_mut(&shard) {
            (session.greeted, session.open, session.away) = (false, None, true);
            self.choice = None;
            self.forget_words(shard);
        }
    }

    /// A home wants the list of what this node holds.
    pub(crate) fn on_relist(&mut self, shard: ShardId, number: u64) {
        if let Some(session) = self.sessions.get_mut(&shard) {
            (session.greeted, session.open, session.relist) = (false, None, number);
            self.choice = None;
            self.forget_words(shard);
            self.broken.insert(shard);
        }
    }

    /// A home calls for nodes, and so does not have this node's ask: it was sent on, perhaps to a
    /// home that lost it or whose answer was lost. Asked again, it costs a grant too many at worst.
    pub(crate) fn on_call(&mut self, shard: ShardId) {
        if let Some(session) = self.sessions.get_mut(&shard) {
            session.open = None;
            self.choice = None;
        }
    }

    /// Outcomes up to a batch are durable at their home.
    pub(crate) fn on_settled(&mut self, shard: ShardId, batch: u64) {
        let Some(session) = self.sessions.get_mut(&shard) else { return };
        while session.unsettled.front().is_some_and(|(number, _)| *number <= batch) {
            if let Some((_, items)) = session.unsettled.pop_front() {
                self.unsettled -= items.len() as u64;
            }
        }
    }

    /// Begins broken sessions anew where something hangs on them, or where a home wants to know.
    pub(super) fn mend(&mut self, out: &mut Outbox, timers: &mut Timers) {
        while let Some(shard) = self.broken.pop_first() {
            let Some(session) = self.sessions.get(&shard) else { continue };
            let keeps = !session.unsettled.is_empty() || !session.outgoing.is_empty();
            if keeps || session.relist > 0 || self.holds(shard) {
                self.greet(shard, out, timers);
            }
        }
    }

    /// Tells a home what this node holds, where it has not been told, and repeats all outcomes
    /// that were not answered.
    pub(super) fn greet(&mut self, shard: ShardId, out: &mut Outbox, timers: &mut Timers) {
        if self.sessions.get(&shard).is_none_or(|session| session.greeted || session.away) {
            return;
        }
        let mut held = self.holdings(shard);
        let Some(session) = self.sessions.get_mut(&shard) else { return };
        let settling = session.unsettled.iter().flat_map(|(_, items)| items.iter());
        held.extend(settling.map(|item| (item.fence, item.range)));
        session.greeted = true;
        let hello = Hello { held, answers: session.relist };
        out.send(session.node, session.message(shard, Say::Hello(hello)));
        // Many batches to a message: as many messages as batches might be more than a link takes,
        // which would begin it anew, and call for the next greeting.
        let all: usize = session.unsettled.iter().map(|(_, items)| items.len()).sum();
        let fewest = all.div_ceil((self.limits.link_messages_max / REPEATS_PER_LINK).max(1));
        let most = self.limits.outcome_items_max.max(fewest);
        let (mut batches, mut count) = (Vec::new(), 0);
        for (batch, items) in &session.unsettled {
            if count + items.len() > most && count > 0 {
                let repeat = Say::Repeat(std::mem::take(&mut batches));
                out.send(session.node, session.message(shard, repeat));
                count = 0;
            }
            count += items.len();
            batches.push(Outcomes { batch: *batch, items: Arc::clone(items), ask: None });
        }
        if !batches.is_empty() {
            out.send(session.node, session.message(shard, Say::Repeat(batches)));
        }
        self.pulse_later(shard, out, timers);
    }

    /// Says something to a home, after telling it what this node holds where it does not know.
    pub(super) fn say(&mut self, shard: ShardId, say: Say, out: &mut Outbox, timers: &mut Timers) {
        self.greet(shard, out, timers);
        if let Some(session) = self.sessions.get(&shard).filter(|session| !session.away) {
            out.send(session.node, session.message(shard, say));
        }
    }

    /// Numbers a batch of outcomes, keeps it until it is answered, and gives what to say.
    pub(super) fn batch(&mut self, shard: ShardId) -> Option<Outcomes> {
        let session = self.sessions.get_mut(&shard)?;
        if session.outgoing.is_empty() {
            return None;
        }
        let items = Arc::new(std::mem::take(&mut session.outgoing));
        session.batch += 1;
        session.unsettled.push_back((session.batch, Arc::clone(&items)));
        self.unsettled += items.len() as u64;
        let outcomes = Outcomes { batch: session.batch, items, ask: None };
        self.forget_unsettled();
        Some(outcomes)
    }

    /// Forgets outcomes past the limit, where most are unanswered. Nothing goes wrong by that: a
    /// home that has taken them in needs no repeat, and one that has not grants the tasks anew.
    fn forget_unsettled(&mut self) {
        while self.unsettled > self.limits.unsettled_items_max {
            let longest = self.sessions.values_mut().max_by_key(|one| one.unsettled.len());
            let Some((_, items)) = longest.and_then(|one| one.unsettled.pop_front()) else {
                return;
            };
            self.unsettled -= items.len() as u64;
        }
    }

    /// Whether anything of a shard is held or runs here.
    fn holds(&self, shard: ShardId) -> bool {
        let claimed = self.claims.waiting().any(|(home, _)| home == shard);
        claimed
            || self.held.of(shard).next().is_some()
            || self.runs.values().any(|run| run.home == shard)
    }

    /// All that is held of a shard, runs, or has outcomes that were not sent yet.
    fn holdings(&self, shard: ShardId) -> Vec<(Fence, TaskRange)> {
        let mut list: Vec<(Fence, TaskRange)> =
            self.held.of(shard).map(|item| (item.fence, item.range)).collect();
        let claimed = self.claims.waiting().filter(|(home, _)| *home == shard);
        list.extend(claimed.map(|(_, item)| (item.fence, item.range)));
        for run in self.runs.values().filter(|run| run.home == shard) {
            for item in &*run.items {
                let left = outside(item, &run.cancelled);
                list.extend(left.into_iter().map(|part| (part.fence, part.range)));
            }
        }
        if let Some(session) = self.sessions.get(&shard) {
            list.extend(session.outgoing.iter().map(|item| (item.fence, item.range)));
        }
        list
    }

    /// Sees to it that a home elsewhere hears of this node while it holds something of it.
    pub(super) fn pulse_later(&mut self, shard: ShardId, out: &Outbox, timers: &mut Timers) {
        let every = self.limits.lease.0 / PULSES_PER_LEASE;
        if let Some(session) = self.sessions.get_mut(&shard)
            && session.node != out.me
            && session.pulse.is_none()
            && !session.away
        {
            let at = out.now + Span(every);
            session.pulse = Some(timers.set(at, Timer::Pulse(shard)));
        }
    }

    /// Shows that this node is here, unless the home has not even answered what was said last.
    pub(super) fn on_pulse(&mut self, shard: ShardId, out: &mut Outbox, timers: &mut Timers) {
        let Some(session) = self.sessions.get_mut(&shard) else { return };
        session.pulse = None;
        if session.away {
            return;
        }
        let (node, waits) = (session.node, !session.unsettled.is_empty());
        let mut digest = Digest::default();
        for (fence, range) in self.holdings(shard) {
            digest.add(fence.epoch, fence.grant, range);
        }
        if digest.tasks == 0 && !waits {
            return;
        }
        if !out.links.is_stuck(node) {
            self.say(shard, Say::Pulse(digest), out, timers);
        }
        self.pulse_later(shard, out, timers);
    }
}

/// Repeats in one greeting are made so large that about one message in so many of a link is one.
const REPEATS_PER_LINK: usize = 16;

/// How often in the time of a lease a node shows that it is here.
const PULSES_PER_LEASE: u64 = 4;
