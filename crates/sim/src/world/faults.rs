//! Faults that begin and end, and the calm after them.

use bary_engine::input::Input;
use bary_model::id::NodeId;
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::node::{Doom, State};
use crate::plan::{FaultKind, SLOWNESS};
use crate::shard::Shard;
use crate::watch::Seen;
use crate::world::World;
use crate::world::due::Due;

impl World<'_> {
    pub(super) fn fault(&mut self, number: usize) {
        if self.calm {
            return;
        }
        self.tally.events += 1;
        let plan = self.plan;
        let fault = &plan.faults[number];
        let lasts = match &fault.kind {
            FaultKind::Pause { lasts, .. }
            | FaultKind::Partition { lasts, .. }
            | FaultKind::Full { lasts, .. }
            | FaultKind::SlowDisk { lasts, .. }
            | FaultKind::SlowNode { lasts, .. }
            | FaultKind::Removed { lasts, .. }
            | FaultKind::FalseLeft { lasts, .. } => Some(*lasts),
            _ => None,
        };
        self.trail.other(self.now, 0, fault.kind.name(), number as u64);
        self.strike(number, &fault.kind);
        if let Some(lasts) = lasts {
            self.queue.put(self.now + lasts, Due::Mend(number as u32));
        }
    }

    fn strike(&mut self, number: usize, kind: &FaultKind) {
        match kind {
            FaultKind::Crash { node, after, power, down } => {
                let doom = Doom { after: *after, power: *power, down: *down };
                self.nodes[*node].doom = Some(doom);
            }
            FaultKind::Death { node } => {
                if self.nodes[*node].lives() {
                    self.crash(*node, true, None);
                } else {
                    self.nodes[*node].state = State::Dead;
                }
            }
            FaultKind::Newcomer { node } => self.come(*node),
            FaultKind::Removed { node, .. } => self.remove(number, *node),
            FaultKind::Pause { node, .. } => {
                if self.nodes[*node].state == State::Up {
                    self.nodes[*node].state = State::Paused;
                }
            }
            FaultKind::Jump { node, by } => self.jump(*node, *by),
            FaultKind::Partition { shape, first, .. } => {
                self.network.cut(number, self.now, shape.clone(), first.clone());
            }
            FaultKind::SyncFails { shard, down } => self.of_shard(*shard, |shard, _| {
                (shard.fails, shard.down) = (true, *down);
            }),
            FaultKind::Full { shard, left, .. } => self.room(*shard, Some(*left)),
            FaultKind::Rot { shard } => self.of_shard(*shard, |shard, lot| shard.store.rot(lot)),
            FaultKind::SlowDisk { shard, sync, .. } => self.of_shard(*shard, |shard, _| {
                shard.slow = Some(*sync);
            }),
            FaultKind::SlowNode { node, lag, .. } => {
                self.network.lag(*node, *lag);
                self.nodes[*node].slow = SLOWNESS;
            }
            // Where gossip decides who is there, nobody else says so.
            FaultKind::FalseLeft { .. } if self.presence.is_some() => {}
            FaultKind::FalseLeft { node, by, .. } => {
                self.believed.push((*by, *node));
                self.give(*by, Input::Left(NodeId(*node as u64)));
            }
            FaultKind::Takeover { shard, by } => self.take_over(*shard, *by),
        }
    }

    pub(super) fn mend(&mut self, number: usize) {
        if self.calm {
            return;
        }
        self.tally.events += 1;
        self.trail.other(self.now, 0, "mend", number as u64);
        let plan = self.plan;
        match &plan.faults[number].kind {
            FaultKind::Pause { node, .. } => self.resume(*node),
            FaultKind::Removed { node, .. } => self.crash(*node, false, None),
            FaultKind::Partition { .. } => self.network.mend(number),
            FaultKind::Full { shard, .. } => self.room(*shard, None),
            FaultKind::SlowDisk { shard, .. } => {
                self.of_shard(*shard, |shard, _| shard.slow = None)
            }
            FaultKind::SlowNode { node, .. } => {
                self.network.unlag(*node);
                self.nodes[*node].slow = 1;
            }
            FaultKind::FalseLeft { .. } if self.presence.is_some() => {}
            FaultKind::FalseLeft { node, by, .. } => {
                self.believed.retain(|one| *one != (*by, *node));
                let life = self.nodes[*by].life;
                self.joined(*by, life, *node);
            }
            _ => {}
        }
    }

    fn jump(&mut self, node: usize, by: Span) {
        let now = self.now;
        self.nodes[node].clock.jump(now, by);
        self.nodes[node].wake = Moment(u64::MAX);
        self.plan_wake(node);
        self.reset_chime(node);
    }

    /// A process goes on: all that came meanwhile is there at once.
    fn resume(&mut self, node: usize) {
        if self.nodes[node].state == State::Paused {
            self.nodes[node].state = State::Up;
            self.inputs.append(&mut self.nodes[node].waiting);
            self.catch_up(node);
            self.step(node);
        }
    }

    /// Leaves only so many bytes on the disk of a shard, or room for all that is wanted.
    fn room(&mut self, native: usize, left: Option<u64>) {
        let Some(at) = self.shard_of[native] else { return };
        let shard = &mut self.shards[at];
        shard.low = left.is_some();
        shard.store.squeeze(left);
        let Some(home) = shard.home else { return };
        self.write(at);
        self.tell_room(at);
        self.fall();
        if !self.inputs.is_empty() {
            self.step(home);
        }
    }

    fn of_shard(&mut self, native: usize, act: impl FnOnce(&mut Shard, &mut Lot)) {
        if let Some(at) = self.shard_of[native] {
            act(&mut self.shards[at], &mut self.lots.disk);
        }
    }

    fn take_over(&mut self, native: usize, by: usize) {
        let Some(at) = self.shard_of[native] else { return };
        let free = self.nodes[by].state == State::Up && self.nodes[by].shards.is_empty();
        if free {
            self.open(at, by);
            if !self.inputs.is_empty() {
                self.step(by);
            }
        }
    }

    /// All is healed: every process that is not dead is there, every shard has a home, and
    /// everybody reaches everybody.
    pub(super) fn calm(&mut self) {
        self.tally.events += 1;
        self.calm = true;
        self.trail.other(self.now, 0, "calm", 0);
        self.see(0, Seen::Calm);
        self.network.heal();
        self.all_have_moved();
        for shard in &mut self.shards {
            (shard.fails, shard.down, shard.slow) = (false, Span::ZERO, None);
        }
        for node in 0..self.nodes.len() {
            (self.nodes[node].doom, self.nodes[node].slow) = (None, 1);
            self.resume(node);
            if self.nodes[node].state == State::Down {
                self.restart(node);
            }
        }
        for at in 0..self.shards.len() {
            self.room(self.shards[at].native, None);
            self.adopt(at, self.shards[at].term);
        }
        for (by, node) in std::mem::take(&mut self.believed) {
            let life = self.nodes[by].life;
            self.joined(by, life, node);
        }
    }
}
