//! What other homes, and keepers of limits, say to this node or to its homes.

use bary_model::id::{Epoch, NodeId, ShardId};
use bary_model::job::JobRef;
use bary_model::message::{Message, Need, Say};

use crate::engine::{Engine, KEEPER};
use crate::home::account::Parked;
use crate::keeper::Lent;
use crate::timers::Timer;

impl Engine {
    /// A home says something to this node's homes, or to the node itself.
    pub(super) fn on_word(&mut self, from: NodeId, shard: ShardId, epoch: Epoch, say: Say) {
        let (out, timers) = (&mut self.out, &mut self.timers);
        match say {
            Say::Level(level) => {
                for home in self.homes.values_mut() {
                    home.on_level(shard, from, level, out, timers);
                }
            }
            Say::Seek { at, tasks } => match self.homes.get_mut(&at) {
                Some(home) => home.on_seek(shard, tasks, out),
                None => self.tell_absent(from, at),
            },
            Say::Token { at, node, asked, ask, hops } => match self.homes.get_mut(&at) {
                Some(home) => home.on_token(node, Parked { ask, asked, hops }, out, timers),
                None => self.tell_absent(from, at),
            },
            Say::Need(need) => self.on_need((from, shard, epoch), &need),
            Say::Permitted { at, name, tasks, number } => {
                if let Some(home) = self.homes.get_mut(&at) {
                    home.on_permitted(&name, (tasks, number), out, timers);
                }
            }
            Say::Absent { shard: absent } => {
                for home in self.homes.values_mut() {
                    home.on_absent(absent, from, out, timers);
                }
            }
            Say::Keeps { name } => {
                for home in self.homes.values_mut() {
                    home.on_keeps(&name, out, timers);
                }
            }
            Say::Watch { upstream, by } => match self.homes.get_mut(&upstream.shard) {
                Some(home) => home.on_watch(from, shard, upstream.job, by, out),
                None => self.tell_absent(from, upstream.shard),
            },
            Say::Done { dependent, job, good } => {
                if let Some(home) = self.homes.get_mut(&dependent.shard) {
                    home.on_done(dependent.job, JobRef { shard, job }, good, out, timers);
                }
            }
            Say::Survey { number, peers } => self.on_survey(from, number, &peers),
            Say::Distances { number, trips } => self.on_distances(from, number, &trips),
            Say::Probe { at } => self.on_probe(from, at),
            Say::Echo { at } => self.on_echo(from, at),
            say => self.on_order(from, shard, say),
        }
    }

    /// Tells a node's homes that a home that one of them spoke to is not here.
    pub(super) fn tell_absent(&mut self, node: NodeId, shard: ShardId) {
        let say = Say::Absent { shard };
        self.out.send(node, Message { shard: KEEPER, epoch: Epoch(0), say });
    }

    /// A home needs permits of a limit that this node keeps. Where nothing is known of the limit,
    /// the homes that may use it are asked first.
    fn on_need(&mut self, home: (NodeId, ShardId, Epoch), need: &Need) {
        let now = self.out.now;
        let mut lent_from = now;
        if self.keeper.is_new(&need.name) && self.view.peers.len() > 1 {
            lent_from = now + self.config.limits.permit_delay;
            let epoch = Epoch(0);
            for &node in self.view.peers.keys().filter(|node| **node != self.view.me) {
                let say = Say::Keeps { name: need.name.clone() };
                self.out.send(node, Message { shard: KEEPER, epoch, say });
            }
        }
        self.keeper.on_need(home, need, lent_from, now);
        self.lend();
    }

    /// Lends what is free of the limits that this node keeps.
    pub(super) fn lend(&mut self) {
        let (now, lease) = (self.out.now, self.config.limits.lease);
        let mut lent = self.keeper.lend(now, lease);
        // A node that is gone may never answer, and permits count until its lease is over.
        lent.retain(|lent| self.view.peers.contains_key(&lent.node));
        for Lent { node, shard, name, tasks, number } in lent {
            let say = Say::Permitted { at: shard, name, tasks, number };
            self.out.send(node, Message { shard: KEEPER, epoch: Epoch(0), say });
        }
        if let Some(key) = self.keeper_timer.take() {
            self.timers.unset(key);
        }
        if let Some(at) = self.keeper.wake(now, lease) {
            self.keeper_timer = Some(self.timers.set(at, Timer::Keeper));
        }
    }

    /// A home says something to this node.
    fn on_order(&mut self, from: NodeId, shard: ShardId, say: Say) {
        let (out, timers) = (&mut self.out, &mut self.timers);
        match say {
            Say::Load { ready } => {
                self.view.set_ready(shard, ready, true, out.now);
                self.runner.on_call(shard);
                for home in self.homes.values_mut() {
                    home.on_neighbour(shard, from, ready);
                }
            }
            Say::Grant(grant) => {
                self.view.set_ready(shard, grant.ready, false, out.now);
                self.runner.on_grant(shard, grant, out, timers);
            }
            Say::Settled { batch } => self.runner.on_settled(shard, batch),
            Say::Retract(retract) => {
                self.runner.on_retract(shard, retract, &self.view, out, timers);
            }
            Say::Announce(announce) => self.runner.on_announce(shard, announce, &self.view, out),
            Say::Reserve { tasks } => self.runner.on_reserve(shard, tasks),
            Say::Release => self.runner.on_release(shard),
            Say::Relist { number } => self.runner.on_relist(shard, number),
            Say::Gauge => self.runner.on_gauge(shard, out),
            Say::Away => {
                self.view.forget(shard);
                self.runner.on_away(shard);
            }
            _ => {}
        }
    }
}
