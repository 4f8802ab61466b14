//! Processes that end and come back, journals that are opened, and what others learn of it.

use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::input::{Input, Request};
use bary_model::id::{Incarnation, NodeId};
use bary_model::node::Peer;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::preset;

use crate::node::State;
use crate::watch::Seen;
use crate::world::World;
use crate::world::due::Due;
use crate::world::work::NOBODY;

impl World<'_> {
    /// Begins a life of a node: an empty engine, its shard if nobody has it, and its peers.
    pub(super) fn restart(&mut self, node: usize) {
        self.tally.events += 1;
        let plan = self.plan;
        let policy = self.policy_of(node);
        let begun = &mut self.nodes[node];
        begun.life += 1;
        begun.state = State::Up;
        begun.wake = Moment(u64::MAX);
        let incarnation = Incarnation(begun.life);
        begun.engine = Some(Engine::new(EngineConfig {
            node: begun.info.clone(),
            incarnation,
            seed: plan.seed,
            policy,
            limits: plan.limits.clone(),
            flaws: plan.flaws,
            calendar: Wall::default(),
        }));
        let life = u64::from(begun.life);
        self.trail.other(self.now, node, "begins", life);
        self.see(node, Seen::Restarted { incarnation });
        if let Some(shard) = self.shard_to_open(node) {
            self.open(shard, node);
        }
        self.probe(node);
        self.meet(node);
        self.step(node);
    }

    /// The policy that a node was last told to follow.
    fn policy_of(&self, node: usize) -> preset::Policy {
        if let Some(policy) = &self.followed {
            return policy.clone();
        }
        let mut told = self.plan.changes.iter().rev();
        let last = told.find(|(at, to, _)| *at < self.now && *to == node);
        let text = last.map_or(&self.plan.policy, |(_, _, policy)| policy);
        preset::parse(text).unwrap_or_else(|fault| panic!("a plan names real policies: {fault}"))
    }

    /// The shard that a node opens when it begins: the one it opened last, or its own, if nobody
    /// is home of it.
    fn shard_to_open(&self, node: usize) -> Option<usize> {
        let free = |at: &usize| self.shards[*at].home.is_none() && !self.shards[*at].closed;
        let last = (0..self.shards.len()).filter(free).find(|at| self.shards[*at].last == node);
        let own = self.shard_of[node].filter(free);
        last.or(own)
    }

    /// All others that a node knows.
    pub(super) fn acquaintances(&self, node: usize) -> Vec<usize> {
        let all = self.plan.acquainted || self.plan.nodes[node].home;
        let known: &mut dyn Iterator<Item = usize> = if all {
            &mut (0..self.nodes.len())
        } else {
            &mut self.shards.iter().map(|shard| shard.native)
        };
        known.filter(|other| *other != node).collect()
    }

    pub(super) fn peer(&self, me: usize, other: usize) -> Peer {
        let (info, machine) = (self.nodes[other].info.clone(), self.nodes[other].machine);
        Peer { info, round_trip: self.believed_trip(me, other), machine }
    }

    /// How long a message there and its answer take, as a node believes that has not measured it.
    pub(super) fn believed_trip(&self, me: usize, other: usize) -> Span {
        let (there, back) = (self.network.latency(me, other), self.network.latency(other, me));
        self.plan.guess.map_or(there + back, |guess| guess.times(2))
    }

    /// Tells a node of all others that are not dead, and all others of it; who knew already that
    /// one of them is gone, learns it again after a while. Where there is gossip, it does that.
    fn meet(&mut self, node: usize) {
        if let Some(presence) = &self.plan.presence {
            return self.enter(node, presence);
        }
        let first = self.nodes[node].life == 1;
        for other in self.acquaintances(node) {
            let there = &self.nodes[other];
            if there.removed || matches!(there.state, State::Dead | State::Absent) {
                continue;
            }
            let peer = self.peer(node, other);
            self.inputs.push(Input::Joined(Box::new(peer)));
            if first {
                continue;
            }
            let soon = Span::millis(self.lots.members.between(1, 500));
            let (by, life) = (other as u32, self.nodes[other].life);
            let due = Due::Joined { by, life, node: node as u32 };
            self.queue.put(self.now + soon, due);
            if !self.nodes[other].lives() {
                self.suspect(node, other);
            }
        }
    }

    /// Lets a node learn after a while that another is gone, if it still is then.
    fn suspect(&mut self, by: usize, node: usize) {
        let after = Span::millis(self.lots.members.between(500, 8_000));
        let (life, was) = (self.nodes[by].life, self.nodes[node].life);
        let due = Due::Left { by: by as u32, life, node: node as u32, was };
        self.queue.put(self.now + after, due);
    }

    pub(super) fn left(&mut self, by: usize, life: u32, node: usize, was: u32) {
        self.tally.events += 1;
        let gone = !self.nodes[node].lives() && self.nodes[node].life == was;
        if gone && self.nodes[by].life == life {
            self.give(by, Input::Left(NodeId(node as u64)));
        }
    }

    pub(super) fn joined(&mut self, by: usize, life: u32, node: usize) {
        self.tally.events += 1;
        let there = self.nodes[node].lives() && !self.nodes[node].removed;
        if there && self.nodes[by].life == life {
            let peer = self.peer(by, node);
            self.give(by, Input::Joined(Box::new(peer)));
        }
    }

    /// Ends a process with all that it runs; for good where it is not said for how long, or its
    /// node was removed.
    pub(super) fn crash(&mut self, node: usize, power: bool, down: Option<Span>) {
        let down = down.filter(|_| !self.nodes[node].removed);
        let state = if down.is_some() { State::Down } else { State::Dead };
        if !self.end(node, power, state) {
            return;
        }
        for other in self.acquaintances(node) {
            if self.presence.is_none() && self.nodes[other].lives() {
                self.suspect(other, node);
            }
        }
        if let Some(down) = down {
            let life = self.nodes[node].life;
            let due = Due::Restart { node: node as u32, life };
            self.queue.put(self.now + down, due);
        }
    }

    /// Ends a process with all that it runs, and leaves its node in this state; not done where it
    /// does not live.
    pub(super) fn end(&mut self, node: usize, power: bool, state: State) -> bool {
        self.tally.events += 1;
        let ended = &mut self.nodes[node];
        if !ended.lives() {
            return false;
        }
        ended.engine = None;
        ended.state = state;
        ended.runs.clear();
        ended.waiting.clear();
        ended.shards.clear();
        (ended.doom, ended.wake) = (None, Moment(u64::MAX));
        self.presence.iter_mut().for_each(|presence| presence.end(node));
        self.trail.other(self.now, node, "crashes", u64::from(power));
        self.see(node, Seen::Crashed { power });
        if state == State::Dead {
            self.see(node, Seen::Dead);
        }
        for at in 0..self.shards.len() {
            if self.shards[at].home == Some(node) {
                self.shards[at].cut_off(power, &mut self.lots.disk);
                if state == State::Dead {
                    self.plan_adoption(at);
                }
            }
        }
        true
    }

    fn plan_adoption(&mut self, at: usize) {
        let after = Span::millis(self.lots.process.between(1, 10_000));
        let due = Due::Adopt { shard: at as u32, term: self.shards[at].term };
        self.queue.put(self.now + after, due);
    }

    /// Gives an orphaned shard to a node without one, if there is such a node.
    pub(super) fn adopt(&mut self, at: usize, term: u32) {
        let shard = &self.shards[at];
        if shard.home.is_some() || shard.term != term || shard.closed {
            return;
        }
        let free = |node: &usize| {
            let node = &self.nodes[*node];
            node.state == State::Up && node.shards.is_empty()
        };
        let last = self.shards[at].last;
        let chosen = Some(last).filter(free).or_else(|| (0..self.nodes.len()).find(free));
        if let Some(node) = chosen {
            self.open(at, node);
            if !self.inputs.is_empty() {
                self.step(node);
            }
        }
    }

    /// Lets a node open a shard's journal; whoever wrote before is fenced, and learns it when it
    /// appends or a while later. The input waits to be given.
    pub(super) fn open(&mut self, at: usize, node: usize) {
        if let Some(former) = self.shards[at].home {
            let after = Span::millis(self.lots.process.below(3_000));
            let life = self.nodes[former].life;
            let due = Due::Deposed { node: former as u32, life, shard: at as u32 };
            self.queue.put(self.now + after, due);
            self.shards[at].cut_off(true, &mut self.lots.disk);
        }
        let shard = &mut self.shards[at];
        let id = shard.id;
        let (ledger, next) = match shard.recover() {
            Ok(found) => found,
            Err(why) => {
                self.trail.told(self.now, node, "refuses", id, &why.0);
                self.see(node, Seen::Refused { shard: id });
                return;
            }
        };
        (shard.home, shard.last) = (Some(node), node);
        self.nodes[node].shards.push(at);
        self.see(node, Seen::Recovered { shard: id, ledger: &ledger, next });
        let policy = ledger.decrees().policy.clone();
        self.inputs.push(Input::Opened { ledger: Box::new(ledger), next });
        // Whoever opens a shard follows the policy that is on record there.
        if let Some(Ok(policy)) = policy.map(|policy| preset::parse(&policy)) {
            let request = Box::new(Request::Follow(policy));
            self.inputs.push(Input::Request { ticket: NOBODY, request });
        }
        self.tell_room(at);
    }

    pub(super) fn depose(&mut self, node: usize, life: u32, at: usize) {
        if self.nodes[node].life == life && self.nodes[node].lives() {
            self.depose_now(node, at);
            if !self.inputs.is_empty() {
                self.step(node);
            }
        }
    }

    /// Tells a home once that it is none any more.
    pub(super) fn depose_now(&mut self, node: usize, at: usize) {
        let shards = &mut self.nodes[node].shards;
        if self.shards[at].home != Some(node)
            && let Some(found) = shards.iter().position(|shard| *shard == at)
        {
            shards.remove(found);
            self.take(node, Input::Deposed { shard: self.shards[at].id });
        }
    }
}
