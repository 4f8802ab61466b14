//! Between homes, room flows to where work is: a home with nodes that wait and nothing ready sends
//! their asks to homes that have more ready, as far as it has heard. Asks move rather than tasks,
//! since only a task's own home may grant it; an ask is at one home at a time, so that no node is
//! promised twice.

use std::collections::BTreeMap;

use bary_model::id::{NodeId, ShardId};
use bary_model::message::{Ask, Level, Say};
use bary_model::time::Span;
use bary_policy::pull::{self, NEAR};

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::account::Parked;
use crate::home::reach::Seeking;
use crate::home::seek::Served;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// Another home as this one last heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    pub(super) node: NodeId,
    pub(super) level: Level,
}

/// The other homes, and what they were told of this one.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) neighbours: BTreeMap<ShardId, Neighbour>,
    /// Homes that were heard although their nodes have left, as far as is known here. What would be
    /// sent there is lost if that is so, and nobody would say so a second time.
    away: BTreeMap<ShardId, Neighbour>,
    told: Level,
    telling: bool,
    /// The last ask of each node that was sent on, and where to, in case that home is lost.
    lent: BTreeMap<NodeId, (ShardId, Parked)>,
    /// How long the last wait was until work that still waits was told of again.
    pub(super) patience: Span,
    /// For how many of the ready tasks nodes have been sought.
    pub(super) sought: u64,
    /// Who was granted something since it was last told that work waits.
    pub(super) served: Served,
}

/// Another home, as somewhere to send a node to.
pub(super) struct Candidate {
    pub(super) shard: ShardId,
    level: Level,
    /// How long a message there and its answer take.
    pub(super) distance: Span,
    /// Whether what it has ready is.
    is_worth_the_way: bool,
}

/// How often an ask may move to where nodes are few; to where work is it always may.
const HOPS_MAX: u8 = 3;
/// With so many more nodes waiting than at another home, one of them moves there.
const UNEVEN: u32 = 2;

impl Exchange {
    /// The node that is home of a shard, where that has been heard.
    pub(super) fn place_of(&self, shard: ShardId) -> Option<NodeId> {
        self.neighbours.get(&shard).map(|neighbour| neighbour.node)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.neighbours.len()
    }

    pub(super) fn is_alone(&self) -> bool {
        self.neighbours.is_empty()
    }
}

impl Home {
    /// Another home spoke to this node: it has had work.
    pub(crate) fn on_neighbour(&mut self, shard: ShardId, node: NodeId, ready: u64) {
        if shard == self.log.shard {
            return;
        }
        let level = Level { ready, tasks: u64::from(ready > 0), parked: 0 };
        self.note_place(shard, node);
        let here = self.accounts.contains_key(&node);
        let Exchange { neighbours, away, .. } = &mut self.exchange;
        let homes = if here { neighbours } else { away };
        let known = homes.entry(shard).or_insert(Neighbour { node, level });
        if ready > 0 {
            known.level.ready = ready;
            known.level.tasks = known.level.tasks.max(1);
        }
    }

    /// Asks that were sent to a home are lost where it is elsewhere now.
    fn note_place(&mut self, shard: ShardId, node: NodeId) {
        if self.exchange.place_of(shard).is_some_and(|before| before != node) {
            self.take_back_from(&[shard]);
            self.exchange.neighbours.remove(&shard);
        }
    }

    /// Forgets the homes at a node that is gone.
    pub(super) fn forget_neighbours(&mut self, node: NodeId) {
        self.exchange.neighbours.retain(|_, neighbour| neighbour.node != node);
    }

    /// Takes up the homes at a node that is there again, as they were heard meanwhile.
    pub(super) fn meet_neighbours(&mut self, node: NodeId) {
        let Exchange { neighbours, away, .. } = &mut self.exchange;
        for (shard, home) in away.extract_if(.., |_, home| home.node == node) {
            neighbours.entry(shard).or_insert(home);
        }
    }

    pub(crate) fn on_level(
        &mut self,
        shard: ShardId,
        node: NodeId,
        level: Level,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if shard != self.log.shard {
            self.note_place(shard, node);
            if self.accounts.contains_key(&node) {
                self.exchange.neighbours.insert(shard, Neighbour { node, level });
                self.trade(out, timers);
            } else {
                self.exchange.away.insert(shard, Neighbour { node, level });
            }
        }
    }

    /// Another home has more ready than nodes that wait.
    pub(crate) fn on_seek(&mut self, shard: ShardId, tasks: u64, out: &mut Outbox) {
        if let Some(neighbour) = self.exchange.neighbours.get_mut(&shard) {
            neighbour.level.tasks = neighbour.level.tasks.max(tasks);
        }
        // A node that waits although something is ready here can run none of it.
        for _ in 0..tasks {
            if !self.send_ask(shard, out) {
                return;
            }
        }
    }

    /// A node says that it has room: it gets work, or waits parked while work is sought.
    pub(super) fn on_ask(&mut self, from: NodeId, ask: Ask, out: &mut Outbox, timers: &mut Timers) {
        if let Some(account) = self.accounts.book(&from) {
            account.session.asked = ask.number;
        }
        let asked = vec![(self.log.shard, ask.number)];
        self.park(from, Parked { ask, asked, hops: 0 });
        self.serve(out, timers);
        self.seek_work_for(from, out, timers);
    }

    /// A node waits that asked another home; it is this one's to grant to. An ask of this home that
    /// comes back may be older than the last one that the node made here: that one counts.
    pub(crate) fn on_token(
        &mut self,
        node: NodeId,
        parked: Parked,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let last = self.accounts.get(&node).map_or(0, |account| account.session.asked);
        let Some(parked) = parked.without_former(self.log.shard, last) else { return };
        if self.has_session(node) {
            self.park(node, parked);
            self.serve(out, timers);
        } else if let Some(account) = self.accounts.get_mut(&node) {
            account.awaited = Some(parked.and(account.awaited.take()));
            self.relist(node, out);
        }
    }

    /// A home that this one spoke to is not where it was.
    pub(crate) fn on_absent(
        &mut self,
        shard: ShardId,
        node: NodeId,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        self.exchange.away.remove(&shard);
        if self.exchange.place_of(shard) == Some(node) {
            self.exchange.neighbours.remove(&shard);
            self.take_back_from(&[shard]);
            self.serve(out, timers);
        }
    }

    /// Asks that were sent to homes at a node may have been lost with it: they wait here again.
    pub(super) fn take_back(&mut self, peer: NodeId) {
        let there = self.exchange.neighbours.iter().filter(|(_, one)| one.node == peer);
        let there: Vec<ShardId> = there.map(|(shard, _)| *shard).collect();
        self.take_back_from(&there);
    }

    fn take_back_from(&mut self, there: &[ShardId]) {
        let lost = self.exchange.lent.iter().filter(|(_, (at, _))| there.contains(at));
        let lost: Vec<NodeId> = lost.map(|(node, _)| *node).collect();
        for node in lost {
            if let Some((_, parked)) = self.exchange.lent.remove(&node)
                && self.has_session(node)
            {
                self.park(node, parked);
            }
        }
    }

    /// Sends asks to where work is or nodes are few, or seeks nodes for work that is ready.
    pub(super) fn trade(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.trade_with(Seeking::Near, out, timers);
    }

    pub(super) fn trade_with(&mut self, how: Seeking, out: &mut Outbox, timers: &mut Timers) {
        if self.exchange.is_alone() || !self.trades() {
            return;
        }
        if !self.is_waiting() {
            (self.exchange.sought, self.exchange.patience) = (0, Span::ZERO);
            self.send_asks(out);
        } else if !self.keeps_to_few() {
            self.seek_asks(how, out);
        }
        self.tell_level(out, timers);
    }

    fn send_asks(&mut self, out: &mut Outbox) {
        while !self.parked.is_empty() {
            let Some(shard) = self.place_for_an_ask(out.me) else { return };
            if !self.send_ask(shard, out) {
                return;
            }
        }
    }

    /// Where a node that waits here is needed most, or would wait with fewer others.
    fn place_for_an_ask(&mut self, me: NodeId) -> Option<ShardId> {
        let mine = self.parked.len() as u32;
        let homes = self.homes();
        if let Some(up) = self.up_the_flow(me) {
            let home = homes.iter().find(|home| Some(home.shard) == up)?;
            let needs = home.level.tasks > 0 && home.is_worth_the_way;
            // One on the way to where work is passes nodes on.
            return (needs || home.level.parked + UNEVEN <= mine).then_some(home.shard);
        }
        let pull = &self.policy.pull;
        let needy = homes.iter().filter(|home| home.level.tasks > 0 && home.is_worth_the_way);
        let draws = |home: &Candidate| pull::attraction(home.level.ready, 1.0, home.distance, pull);
        let most = needy.max_by_key(|home| (draws(home), home.shard));
        // A node that waits far away is of no use to those who are there.
        let near = homes.iter().filter(|home| pull::nearness(home.distance, pull) <= NEAR);
        let few = near.min_by_key(|home| (home.level.parked, home.shard));
        let few = few.filter(|home| home.level.parked + UNEVEN <= mine);
        most.or(few).map(|home| home.shard)
    }

    /// The other homes.
    pub(super) fn homes(&mut self) -> Vec<Candidate> {
        let power = self.share_of_power();
        let (accounts, pull) = (&self.accounts, &self.policy.pull);
        let homes = self.exchange.neighbours.iter().map(|(&shard, &Neighbour { node, level })| {
            let distance = accounts.get(&node).map_or(Span::ZERO, |one| one.peer.round_trip);
            let is_worth_the_way = pull::is_worth_the_way(level.ready, power, distance, pull);
            Candidate { shard, level, distance, is_worth_the_way }
        });
        homes.collect()
    }

    /// Sends one parked ask to another home; tells whether there was one that may still move.
    fn send_ask(&mut self, at: ShardId, out: &mut Outbox) -> bool {
        let kept = &self.gangs.kept;
        let Some(neighbour) = self.exchange.neighbours.get_mut(&at) else { return false };
        let needed = neighbour.level.tasks > 0;
        let movable = self.parked.iter().find(|node| {
            let parked = self.accounts.get(node).and_then(|account| account.parked.as_ref());
            !kept.contains(node) && parked.is_some_and(|parked| needed || parked.hops < HOPS_MAX)
        });
        let Some(node) = movable.copied() else { return false };
        neighbour.level.tasks = neighbour.level.tasks.saturating_sub(1);
        neighbour.level.parked += 1;
        let to = neighbour.node;
        if let Some(parked) = self.unpark(node) {
            self.exchange.lent.insert(node, (at, parked.clone()));
            let Parked { ask, asked, hops } = parked;
            let hops = if needed { hops } else { hops + 1 };
            let say = Say::Token { at, node, asked, ask, hops };
            self.log.say(to, say, out);
        }
        true
    }

    /// Tells the other homes how this one stands, but not at every change.
    fn tell_level(&mut self, out: &Outbox, timers: &mut Timers) {
        if !self.exchange.telling && self.level() != self.exchange.told {
            self.exchange.telling = true;
            timers.set(out.now + self.limits.level_delay, Timer::Level(self.log.shard));
        }
    }

    pub(super) fn on_level_timer(&mut self, out: &mut Outbox) {
        self.exchange.telling = false;
        let level = self.level();
        if level == self.exchange.told {
            return;
        }
        self.exchange.told = level;
        for neighbour in self.exchange.neighbours.values() {
            self.log.say(neighbour.node, Say::Level(level), out);
        }
    }

    fn level(&mut self) -> Level {
        // Nodes that others would send could be given nothing.
        let few = self.keeps_to_few();
        let (ready, tasks) = if few { (0, 0) } else { self.waiting() };
        Level { ready, tasks, parked: self.parked.len() as u32 }
    }

    /// Lets an ask wait for work.
    pub(super) fn park(&mut self, node: NodeId, parked: Parked) {
        if self.is_drained(node) && !self.flaws.has(Flaw::DrainForgotten) {
            // It is granted nothing, and asks anew when it hears of work.
            return;
        }
        if let Some(account) = self.accounts.get_mut(&node) {
            account.parked = Some(parked.and(account.parked.take()));
            self.parked.insert(node);
            self.exchange.lent.remove(&node);
        }
    }

    /// Takes an ask that waited.
    pub(super) fn unpark(&mut self, node: NodeId) -> Option<Parked> {
        self.parked.remove(&node);
        self.accounts.get_mut(&node)?.parked.take()
    }
}
