//! What comes of what other members say, and of who is not let in.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use bary_identity::audit::{Entry, Outcome};
use bary_identity::certificate::Certificate;
use bary_identity::name::Name;
use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::node::Peer;
use bary_model::payload::Payload;
use bary_model::time::Moment;
use bary_transport::mesh::Ears;
use bytes::Bytes;

use super::card::Card;
use super::clocks::Clock;
use super::envelope::{self, Said};
use super::roster::{Link, Peers, lock};
use crate::board::clock;
use crate::serve::log::Level;

/// What the mesh tells, for as long as there are peers.
#[derive(Default)]
pub(super) struct Hearing(pub(super) OnceLock<Weak<Peers>>);

impl Hearing {
    fn peers(&self) -> Option<Arc<Peers>> {
        self.0.get()?.upgrade()
    }
}

impl Ears for Hearing {
    fn welcome(&self, certificate: &[u8]) -> Option<u64> {
        let number = Certificate::read(certificate.to_vec()).ok()?.number;
        let peers = self.peers()?;
        (!peers.revoked.has(number)).then_some(number)
    }

    fn frame(&self, from: u64, frame: Bytes) {
        let Some(peers) = self.peers() else { return };
        let is_new = match lock(&peers.links).get_mut(&from) {
            Some(link) => {
                link.heard = Instant::now();
                false
            }
            None => true,
        };
        if is_new {
            peers.begin(from);
        }
        if let Some(said) = envelope::read(from, peers.me, &frame) {
            peers.on_said(from, said);
        }
    }

    fn linked(&self, member: u64, there: bool) {
        let Some(peers) = self.peers() else { return };
        match there {
            true => peers.begin(member),
            // Another stream may have begun meanwhile, which the next beat finds.
            false => peers.end(member, "its stream has ended"),
        }
    }

    fn refused(&self, from: SocketAddr, why: &str) {
        if let Some(peers) = self.peers() {
            peers.on_refused(from, why);
        }
    }

    fn unreached(&self, member: u64, why: &str) {
        if let Some(peers) = self.peers() {
            peers.on_unreached(member, why);
        }
    }
}

impl Peers {
    fn on_said(self: &Arc<Self>, from: u64, said: Said) {
        match said {
            Said::Frame { from: node, to, frame } => self.on_frame(from, node, to, frame),
            Said::Card(card) => self.on_card(from, card),
            Said::Hail => self.mesh.send(from, envelope::card(&self.card())),
            Said::Revoked(text) => self.on_revoked(&text),
            Said::Settings(told) => self.on_settings(told),
            Said::Secret(told) => self.on_secret(told),
            Said::Load(load) => {
                if let Some(link) = lock(&self.links).get_mut(&from) {
                    link.load = Some(load);
                }
            }
            Said::Trips(trips) => {
                if let Some(link) = lock(&self.links).get_mut(&from) {
                    link.trips = trips;
                }
            }
            Said::Vitals(vitals) => {
                if let Some(link) = lock(&self.links).get_mut(&from) {
                    link.vitals = vitals;
                    self.meet(from, link);
                }
            }
            // Before the nodes are there, the clock is not theirs.
            Said::Ping { .. } if self.inside.get().is_none() => {}
            Said::Ping { at } => self.mesh.send(from, envelope::pong(at, self.now())),
            Said::Pong { at, theirs } => self.on_pong(from, at, theirs),
        }
    }

    /// An answer says how far a member is. One that took far longer than usual is asked for again
    /// at once, and a way that is another one is told at once.
    fn on_pong(&self, from: u64, at: Moment, theirs: Moment) {
        let mut links = lock(&self.links);
        let Some(link) = links.get_mut(&from) else { return };
        let clock = Clock::after(link.clock, at, theirs, self.now());
        let before = link.clock.replace(clock);
        self.meet(from, link);
        drop(links);
        if clock.is_doubted() {
            self.mesh.send(from, envelope::ping(self.now()));
        }
        if before.is_some_and(|before| before.is_far(clock.round_trip)) {
            self.tell_sight();
        }
    }

    /// Hands on a frame of a node that the ones here know; links say again what is lost. What
    /// refers to a store without saying whose would be read from the wrong one.
    fn on_frame(self: &Arc<Self>, member: u64, from: NodeId, to: NodeId, frame: Frame) {
        let clock = lock(&self.links)
            .get(&member)
            .and_then(|link| link.met.contains_key(&from).then_some(link.clock).flatten());
        let is_bare = |payload: &Payload| matches!(payload, Payload::Stored(_));
        let body = frame.body.as_ref();
        if body.is_some_and(|(_, message)| message.say.any_payload(&mut { is_bare })) {
            let text = "a message of another member refers to results without saying whose";
            return self.log.say(Level::Warning, text, &[]);
        }
        if let (Some(clock), Some(inside)) = (clock, self.inside.get()) {
            inside.network.deliver(from, to, clock.read(frame));
        }
    }

    fn on_card(self: &Arc<Self>, from: u64, card: Box<Card>) {
        let heard = (from, card.name.clone(), card.addresses.clone());
        // Where a member is, it says itself; in its list may be where it was in another life.
        let others = card.members.iter().filter(|(number, ..)| *number != from);
        for (number, name, addresses) in std::iter::once(&heard).chain(others) {
            // What a member says of itself counts more than what others say of it.
            let is_hearsay = *number != from && self.book.has(*number);
            if let (Ok(name), false) = (Name::new(name), is_hearsay) {
                self.expect(*number, &name, addresses);
            }
        }
        let mut links = lock(&self.links);
        if let Some(link) = links.get_mut(&from) {
            link.card = Some(card);
            self.meet(from, link);
        }
    }

    /// Tells the nodes here of those of a member, once it is known who and how far they are.
    fn meet(&self, member: u64, link: &mut Link) {
        let (Some(card), Some(clock), Some(inside)) = (&link.card, link.clock, self.inside.get())
        else {
            return;
        };
        // One that comes up has no nodes yet.
        if link.met.is_empty() && !card.nodes.is_empty() {
            let text = format!("member {} is there, {} µs away", card.name, trip_us(clock));
            self.log.say(Level::Info, &text, &[]);
        }
        let there: BTreeSet<NodeId> = card.nodes.iter().map(|(info, _)| info.id).collect();
        for (info, guest) in &card.nodes {
            let machine = link.vitals.probed.machine(info.resources.milli_gpus);
            let same = |known: &Peer| {
                // A way that has become twice as long, or half, is news.
                let (least, most) = (known.round_trip.0 / 2, known.round_trip.0.saturating_mul(2));
                let near = (least..=most).contains(&clock.round_trip.0);
                known.info == *info && known.machine == machine && near
            };
            if !link.met.get(&info.id).is_some_and(same) {
                let (info, round_trip) = (info.clone(), clock.round_trip);
                let peer = Peer { info, round_trip, machine };
                inside.crew.meet(peer.clone(), *guest);
                link.met.insert(peer.info.id, peer);
            }
        }
        let gone = link.met.extract_if(.., |node, _| !there.contains(node));
        gone.for_each(|(node, _)| inside.crew.part(node));
        lock(&self.awaited).retain(|node| node.member() != member || !there.contains(node));
    }

    /// Somebody who is no member was not let in. Of many, only some are written down.
    fn on_refused(&self, from: SocketAddr, why: &str) {
        let audit = self.inside.get().and_then(|inside| inside.audit.get());
        let (at, from) = (clock::now(), from.to_string());
        let Ok(shed) = lock(&self.refused).count(at) else { return };
        let more = format!("{why}; {shed} more were refused before");
        let why = if shed == 0 { why } else { &more };
        self.log.say(Level::Warning, &format!("{from} was not let in: {why}"), &[]);
        let (door, verb, outcome) = ("member", "connect", Outcome::Refused);
        let entry =
            Entry { at, who: "", role: None, door, verb, target: &from, outcome, reason: why };
        if let Some(audit) = audit {
            // Nothing was done that would need the line.
            drop(audit.append(&entry));
        }
    }

    /// A member was not reached; that is told once until it is there.
    fn on_unreached(&self, member: u64, why: &str) {
        let mut away = lock(&self.away);
        let patience = self.pace.silence_max();
        // One that has just been let in, or begins again, is not there at once.
        let Some(away) = away.get_mut(&member) else { return };
        away.cause = Some(why.into());
        if away.told || away.since.elapsed() <= patience {
            return;
        }
        away.told = true;
        let name = self.member_name(member).unwrap_or_default();
        self.log.say(Level::Warning, &format!("member {name} is not reached: {why}"), &[]);
    }
}

fn trip_us(clock: Clock) -> u64 {
    clock.round_trip.0 / 1_000
}
