//! Links between nodes: while both ends live, each message arrives once and in order, whatever
//! frames the network loses, doubles, delays or mixes up. When an end begins anew, so does the
//! link, and all that was on its way is lost; sessions are built to bear that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bary_model::id::{Birth, Incarnation, NodeId};
use bary_model::message::{Frame, Message};
use bary_model::time::{Moment, Span};

use crate::effect::Effect;
use crate::limits::Limits;
use crate::sorted::Sorted;

/// All links of a node.
#[derive(Debug)]
pub(crate) struct Links {
    incarnation: Incarnation,
    limits: Limits,
    links: Sorted<NodeId, Link>,
    /// When each link that wants something wants it.
    wakes: BTreeSet<(Moment, NodeId)>,
}

/// What came of a frame.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// The link began anew: what was on its way is lost.
    pub(crate) renewed: bool,
    /// Messages, in order.
    pub(crate) messages: Vec<Arc<Message>>,
}

/// The link to one peer. Numbers count from 1 for each pair of ends.
#[derive(Debug)]
struct Link {
    mine: Birth,
    /// The peer's end; zero until it was heard.
    theirs: Birth,
    round_trip: Span,
    sent: u64,
    /// Sent and not acknowledged, or waiting for the peer's end to be known.
    unacked: VecDeque<(u64, Arc<Message>)>,
    /// All up to this number has arrived.
    arrived: u64,
    /// Arrived before its turn.
    early: BTreeMap<u64, Arc<Message>>,
    heard: Moment,
    /// Since when an acknowledgement has been owed.
    owes: Option<Moment>,
    /// When what is not acknowledged is sent again, and how often it was.
    resend: Option<Moment>,
    tries: u32,
    wake: Option<Moment>,
}

impl Links {
    pub(crate) fn new(incarnation: Incarnation, limits: Limits) -> Self {
        Self { incarnation, limits, links: Sorted::default(), wakes: BTreeSet::new() }
    }

    /// Notes how far a peer is.
    pub(crate) fn measure(&mut self, peer: NodeId, round_trip: Span, now: Moment) {
        self.link(peer, now).round_trip = round_trip;
    }

    /// When the peer was last heard of.
    pub(crate) fn heard(&self, peer: NodeId) -> Moment {
        self.links.get(&peer).map_or(Moment(0), |link| link.heard)
    }

    /// The life of the peer that was heard last; this node's own where it is not linked.
    pub(crate) fn life(&self, peer: NodeId) -> Incarnation {
        self.links.get(&peer).map_or(self.incarnation, |link| link.theirs.incarnation())
    }

    /// Whether all that was said to the peer has arrived.
    pub(crate) fn is_quiet(&self, peer: NodeId) -> bool {
        self.links.get(&peer).is_none_or(|link| link.unacked.is_empty())
    }

    /// Whether the peer has left something unanswered for longer than it should take.
    pub(crate) fn is_stuck(&self, peer: NodeId) -> bool {
        self.links.get(&peer).is_some_and(|link| link.tries > 0)
    }

    /// Sends a message; tells whether the link had to begin anew for it, as too much is on its
    /// way that was never answered.
    pub(crate) fn send(
        &mut self,
        to: NodeId,
        message: Message,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let most = self.limits.link_messages_max;
        let renewed = self.links.get(&to).is_some_and(|link| link.unacked.len() >= most);
        if renewed {
            self.renew(to, now);
        }
        let wait = self.limits.resend_min;
        let link = self.link(to, now);
        link.sent += 1;
        let message = Arc::new(message);
        link.unacked.push_back((link.sent, Arc::clone(&message)));
        if link.resend.is_none() {
            link.resend = Some(now + link.patience(wait));
        }
        if link.theirs != Birth(0) {
            let frame = link.frame(Some((link.sent, message)));
            effects.push(Effect::Send { to, frame });
        } else if link.unacked.len() == 1 {
            let frame = link.frame(None);
            effects.push(Effect::Send { to, frame });
        }
        self.schedule(to);
        renewed
    }

    /// Opens the link to a peer, if nothing has yet: the first message need not wait for it.
    pub(crate) fn open(&mut self, peer: NodeId, now: Moment, effects: &mut Vec<Effect>) {
        let link = self.link(peer, now);
        if link.theirs == Birth(0) && link.unacked.is_empty() {
            effects.push(Effect::Send { to: peer, frame: link.frame(None) });
        }
    }

    /// Begins anew with a peer: all that was on its way is given up.
    pub(crate) fn renew(&mut self, peer: NodeId, now: Moment) {
        let link = self.link(peer, now);
        let next = link.mine.next();
        let (theirs, round_trip) = (link.theirs, link.round_trip);
        let (heard, wake) = (link.heard, link.wake);
        *link = Link { theirs, round_trip, heard, wake, ..Link::new(next) };
        self.schedule(peer);
    }

    /// Takes a frame in. What follows has to be done in this order: hear of the renewal, then the
    /// messages.
    pub(crate) fn receive(
        &mut self,
        from: NodeId,
        frame: Frame,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) -> Arrival {
        let (delay, early_max) = (self.limits.acknowledge_delay, self.limits.link_messages_max);
        let wait = self.limits.resend_min;
        let link = self.link(from, now);
        let mut arrival = Arrival::default();
        if frame.from < link.theirs {
            return arrival;
        }
        if frame.from > link.theirs {
            arrival.renewed = link.theirs != Birth(0);
            link.meet(frame.from, arrival.renewed);
        }
        link.heard = now;
        if frame.to != link.mine {
            // It does not know this end yet: tell it, with what waits for it.
            link.repeat(from, REPEATED_MAX, effects);
            if link.unacked.is_empty() {
                effects.push(Effect::Send { to: from, frame: link.frame(None) });
            }
            self.schedule(from);
            return arrival;
        }
        let met = frame.ack == 0 && link.arrived == 0 && frame.body.is_none();
        let repeated = link.acknowledged(frame.ack, now, wait);
        if met || repeated {
            link.repeat(from, if met { usize::MAX } else { REPEATED_MAX }, effects);
        }
        if let Some((number, message)) = frame.body {
            link.owes.get_or_insert(now + delay);
            link.take_in(number, message, early_max, &mut arrival.messages);
        }
        self.schedule(from);
        arrival
    }

    pub(crate) fn wake(&self) -> Option<Moment> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Acknowledges what has waited long enough, and sends again what was not acknowledged.
    pub(crate) fn on_time(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some(&(at, peer)) = self.wakes.first() {
            if at > now {
                return;
            }
            let (first, last) = (self.limits.resend_min, self.limits.resend_max);
            if let Some(link) = self.links.get_mut(&peer) {
                if link.resend.is_some_and(|at| at <= now) {
                    link.tries += 1;
                    let wait = link.patience(first).times(1 << link.tries.min(8)).min(last);
                    link.resend = Some(now + wait);
                    link.repeat(peer, REPEATED_MAX, effects);
                    if link.theirs == Birth(0) {
                        effects.push(Effect::Send { to: peer, frame: link.frame(None) });
                    }
                }
                if link.owes.is_some_and(|at| at <= now) {
                    effects.push(Effect::Send { to: peer, frame: link.frame(None) });
                }
            }
            self.schedule(peer);
        }
    }

    fn link(&mut self, peer: NodeId, now: Moment) -> &mut Link {
        let first = Birth::first(self.incarnation);
        self.links.or_insert_with(peer, || Link { heard: now, ..Link::new(first) })
    }

    fn schedule(&mut self, peer: NodeId) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let wake = link.resend.into_iter().chain(link.owes).min();
        if wake == link.wake {
            return;
        }
        if let Some(at) = std::mem::replace(&mut link.wake, wake) {
            self.wakes.remove(&(at, peer));
        }
        if let Some(at) = wake {
            self.wakes.insert((at, peer));
        }
    }
}

/// How many messages are sent again at a time; the rest follows when these have arrived.
const REPEATED_MAX: usize = 16;

impl Link {
    fn new(mine: Birth) -> Self {
        Self {
            mine,
            theirs: Birth(0),
            round_trip: Span::ZERO,
            sent: 0,
            unacked: VecDeque::new(),
            arrived: 0,
            early: BTreeMap::new(),
            heard: Moment(0),
            owes: None,
            resend: None,
            tries: 0,
            wake: None,
        }
    }

    /// A frame of this link; it carries the acknowledgement that is owed.
    fn frame(&mut self, body: Option<(u64, Arc<Message>)>) -> Frame {
        self.owes = None;
        Frame { from: self.mine, to: self.theirs, ack: self.arrived, body }
    }

    /// The peer has another end than before: numbers begin anew. What waited for the first end
    /// to be known has waited for this one.
    fn meet(&mut self, theirs: Birth, lost: bool) {
        self.theirs = theirs;
        self.arrived = 0;
        self.early.clear();
        if lost {
            (self.sent, self.resend, self.owes, self.tries) = (0, None, None, 0);
            self.unacked.clear();
        }
    }

    /// Forgets what has arrived there; tells whether to go on repeating the rest.
    fn acknowledged(&mut self, ack: u64, now: Moment, wait: Span) -> bool {
        let before = self.unacked.len();
        while self.unacked.front().is_some_and(|(number, _)| *number <= ack) {
            self.unacked.pop_front();
        }
        if self.unacked.len() == before {
            return false;
        }
        let repeating = std::mem::take(&mut self.tries) > 0;
        self.resend = (!self.unacked.is_empty()).then(|| now + self.patience(wait));
        repeating
    }

    /// Takes a message in its turn, or keeps it until its turn comes.
    fn take_in(
        &mut self,
        number: u64,
        message: Arc<Message>,
        early_max: usize,
        messages: &mut Vec<Arc<Message>>,
    ) {
        if number == self.arrived + 1 {
            self.arrived = number;
            messages.push(message);
            while let Some(message) = self.early.remove(&(self.arrived + 1)) {
                self.arrived += 1;
                messages.push(message);
            }
        } else if number > self.arrived && self.early.len() < early_max {
            self.early.insert(number, message);
        }
    }

    /// Sends again what was not acknowledged, where the peer's end is known.
    fn repeat(&mut self, peer: NodeId, most: usize, effects: &mut Vec<Effect>) {
        if self.theirs == Birth(0) {
            return;
        }
        let again: Vec<_> = self.unacked.iter().take(most).cloned().collect();
        for body in again {
            let frame = self.frame(Some(body));
            effects.push(Effect::Send { to: peer, frame });
        }
    }

    /// How long an answer may take.
    fn patience(&self, least: Span) -> Span {
        self.round_trip.times(4).max(least)
    }
}
