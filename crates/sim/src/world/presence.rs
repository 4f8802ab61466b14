//! Who sees whom where gossip decides it: every node has a room that speaks over the world's
//! network by the node's own clock, and what it learns of members its engine is told.

use bary_engine::input::Input;
use bary_gossip::event::{Event, Input as Heard, Output};
use bary_gossip::gossip::Gossip;
use bary_gossip::identity::{Address, Identity, Name};
use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::Moment;

use crate::lot::Lot;
use crate::node::{State, WAITING_MAX};
use crate::plan::presence::PresencePlan;
use crate::world::World;
use crate::world::due::Due;

/// Under which key a node says what it has.
const INFO: &str = "node";
/// After how many steps of rooms it is looked whether there is anything left to notice.
const LOOK_EVERY: u64 = 16;

/// The gossip of a world.
#[derive(Default)]
pub(super) struct Presence {
    /// By node; a node that is down has none.
    rooms: Vec<Option<Room>>,
    steps: u64,
    /// Whether all see each other for good and nothing is left to do: then nobody speaks.
    pub(super) over: bool,
}

/// The gossip of one life of a node.
struct Room {
    gossip: Gossip,
    /// When it is to be woken; the latest moment where it is not.
    wake: Moment,
    /// What came while its process stood still.
    waiting: Vec<Heard>,
    /// What is known of each node.
    others: Vec<Other>,
}

#[derive(Clone, Copy, Default)]
struct Other {
    /// In which life it is a member.
    member: Option<u64>,
    suspected: bool,
    /// Whether the engine takes it for present.
    told: bool,
}

impl Presence {
    pub(super) fn new(nodes: usize) -> Self {
        Self { rooms: (0..nodes).map(|_| None).collect(), ..Self::default() }
    }

    /// A node's process is gone.
    pub(super) fn end(&mut self, node: usize) {
        self.rooms[node] = None;
    }
}

impl Room {
    /// Whether the engine shall take another for present, and what that one has.
    fn present(&self, other: usize, plan: &PresencePlan) -> Option<NodeInfo> {
        let known = self.others[other];
        known.member?;
        if known.suspected && plan.suspects_leave {
            return None;
        }
        serde_json::from_slice(self.gossip.value(name(other), INFO)?).ok()
    }
}

fn name(node: usize) -> Name {
    Name(node as u64)
}

fn address(node: usize) -> Address {
    Address::Number(node as u64)
}

impl World<'_> {
    /// Begins the gossip of a node's new life, which knows nobody but where to ask.
    pub(super) fn enter(&mut self, node: usize, plan: &PresencePlan) {
        let life = u64::from(self.nodes[node].life);
        let me = Identity::new(name(node), address(node), life);
        let purpose = self.plan.seed ^ (node as u64) << 32 ^ life;
        let seed = Lot::new(purpose, "gossip").below(u64::MAX);
        let info = serde_json::to_vec(&self.nodes[node].info);
        let made = Gossip::new(plan.config.clone(), me, seed);
        let (mut gossip, info) = match (made, info) {
            (Ok(gossip), Ok(info)) => (gossip, info),
            (made, info) => panic!("a plan's gossip can be made: {:?} {info:?}", made.err()),
        };
        let set = gossip.set(INFO, Some(&info));
        assert!(set.is_ok(), "what a node has fits into a value: {set:?}");
        let others = vec![Other::default(); self.nodes.len()];
        let room = Room { gossip, wake: Moment(u64::MAX), waiting: Vec::new(), others };
        if let Some(presence) = &mut self.presence {
            presence.rooms[node] = Some(room);
        }
        let seeds = (0..plan.seeds.min(self.nodes.len())).map(address).collect();
        self.converse(node, vec![Heard::Join { seeds }]);
    }

    /// A datagram arrives.
    pub(super) fn hear(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let Some(presence) = self.presence.as_mut().filter(|presence| !presence.over) else {
            return;
        };
        self.tally.events += 1;
        self.trail.gossip(self.now, to, from, &bytes);
        let heard = Heard::Datagram { from: address(from), bytes };
        match (self.nodes[to].state, &mut presence.rooms[to]) {
            (State::Up, Some(_)) => self.talk(to, vec![heard]),
            (State::Paused, Some(room)) if room.waiting.len() < WAITING_MAX => {
                room.waiting.push(heard);
            }
            _ => self.tally.lost += 1,
        }
    }

    /// A room asked to be woken.
    pub(super) fn chime(&mut self, node: usize) {
        let Some(presence) = self.presence.as_mut().filter(|presence| !presence.over) else {
            return;
        };
        let Some(room) = presence.rooms[node].as_mut().filter(|room| room.wake == self.now) else {
            return;
        };
        room.wake = Moment(u64::MAX);
        presence.steps += 1;
        let looks = presence.steps.is_multiple_of(LOOK_EVERY);
        if self.nodes[node].state == State::Up {
            self.tally.events += 1;
            self.talk(node, Vec::new());
        }
        if looks && self.calm && self.all_meet() && self.is_done() {
            self.presence.iter_mut().for_each(|presence| presence.over = true);
        }
    }

    /// Lets a room speak, and gives its node what it learnt.
    fn talk(&mut self, node: usize, heard: Vec<Heard>) {
        self.converse(node, heard);
        if !self.inputs.is_empty() {
            self.step(node);
        }
    }

    /// What came for a room while its process stood still is there at once.
    pub(super) fn catch_up(&mut self, node: usize) {
        let room = self.presence.as_mut().and_then(|presence| presence.rooms[node].as_mut());
        if let Some(room) = room {
            let waiting = std::mem::take(&mut room.waiting);
            self.converse(node, waiting);
        }
    }

    /// Steps a room; what its node learns by it waits to be given.
    fn converse(&mut self, node: usize, heard: Vec<Heard>) {
        let local = self.nodes[node].clock.shows(self.now);
        let room = self.presence.as_mut().and_then(|presence| presence.rooms[node].as_mut());
        let Some(room) = room else { return };
        let mut outputs = Vec::new();
        room.gossip.step(local, heard, &mut outputs);
        for output in outputs {
            match output {
                Output::Send { to: Address::Number(to), bytes } => {
                    self.post(node, to as usize, bytes);
                }
                Output::Send { to, .. } => panic!("nobody has the address {to:?}"),
                Output::Tell(event) => self.learn(node, &event),
            }
        }
        self.plan_chime(node);
    }

    /// Puts when a room is to be woken.
    pub(super) fn plan_chime(&mut self, node: usize) {
        let clock = self.nodes[node].clock;
        let room = self.presence.as_mut().and_then(|presence| presence.rooms[node].as_mut());
        let Some(room) = room else { return };
        let Some(local) = room.gossip.wake() else { return };
        let at = clock.when(self.now, local);
        if at < room.wake {
            room.wake = at;
            self.queue.put(at, Due::Chime { node: node as u32 });
        }
    }

    /// A clock has jumped: rooms are woken by what it shows now.
    pub(super) fn reset_chime(&mut self, node: usize) {
        let room = self.presence.as_mut().and_then(|presence| presence.rooms[node].as_mut());
        if let Some(room) = room {
            room.wake = Moment(u64::MAX);
            self.plan_chime(node);
        }
    }

    fn post(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let [first, second] = self.network.carry(self.now, from, to);
        let Some(first) = first else {
            self.tally.events += 1;
            self.tally.lost += 1;
            return;
        };
        let (from, to) = (from as u32, to as u32);
        if let Some(second) = second {
            let bytes = bytes.clone();
            self.queue.put(self.now + second, Due::Datagram { from, to, bytes });
        }
        self.queue.put(self.now + first, Due::Datagram { from, to, bytes });
    }

    /// A room has learnt something of a member.
    fn learn(&mut self, node: usize, event: &Event) {
        let Some(plan) = &self.plan.presence else { return };
        let room = self.presence.as_mut().and_then(|presence| presence.rooms[node].as_mut());
        let Some(room) = room else { return };
        let about = match event {
            Event::Joined(identity) => identity.name,
            Event::Left { name, .. }
            | Event::Suspected { name, .. }
            | Event::Trusted { name }
            | Event::Changed { name, .. } => *name,
            Event::Risen { renewal } => {
                self.trail.other(self.now, node, "rises", u64::from(*renewal));
                return;
            }
            Event::Superseded { incarnation } => {
                panic!("n{node} lives its last life, but was taken for over by {incarnation}")
            }
        };
        let other = about.0 as usize;
        let known = &mut room.others[other];
        match event {
            Event::Joined(identity) => {
                (known.member, known.suspected) = (Some(identity.incarnation), false);
            }
            Event::Left { .. } => (known.member, known.suspected) = (None, false),
            Event::Suspected { .. } => {
                known.suspected = true;
                self.trail.other(self.now, node, "suspects", about.0);
            }
            Event::Trusted { .. } => {
                known.suspected = false;
                self.trail.other(self.now, node, "trusts", about.0);
            }
            _ => {}
        }
        let info = room.present(other, plan);
        let told = std::mem::replace(&mut room.others[other].told, info.is_some());
        let input = match info {
            Some(info) if !told => {
                let round_trip = self.believed_trip(node, other);
                let machine = self.nodes[other].machine;
                Input::Joined(Box::new(Peer { info, round_trip, machine }))
            }
            None if told => Input::Left(NodeId(other as u64)),
            _ => return,
        };
        self.take(node, input);
    }

    /// Whether every node that is not dead is there, and takes exactly those for present that
    /// are, each in its present life, which is so where gossip decides nothing; and whether all
    /// know what machines were found to be.
    pub(super) fn all_meet(&self) -> bool {
        if !self.all_know_machines() {
            return false;
        }
        let Some(presence) = &self.presence else { return true };
        let meets = |node: usize| {
            let Some(room) = &presence.rooms[node] else {
                return self.nodes[node].state == State::Dead;
            };
            room.others.iter().enumerate().filter(|(other, _)| *other != node).all(|(at, other)| {
                let there = &self.nodes[at];
                let life = there.lives().then_some(u64::from(there.life));
                other.told == there.lives() && other.member == life
            })
        };
        (0..self.nodes.len()).all(meets)
    }
}
