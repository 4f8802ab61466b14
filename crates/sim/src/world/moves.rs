//! Nodes that come while others have long been there, and nodes that are removed for good.

use bary_engine::input::Input;
use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::network::Shape;
use crate::node::State;
use crate::plan::FaultKind;
use crate::world::World;
use crate::world::due::Due;

impl World<'_> {
    /// Has those not be there who come later.
    pub(super) fn expect_newcomers(&mut self) {
        for node in self.newcomers() {
            self.nodes[node].state = State::Absent;
        }
    }

    fn newcomers(&self) -> Vec<usize> {
        let newcomer = |kind: &FaultKind| match kind {
            FaultKind::Newcomer { node } => Some(*node),
            _ => None,
        };
        self.plan.faults.iter().filter_map(|fault| newcomer(&fault.kind)).collect()
    }

    /// A node comes that was not there, and the others hear of it by and by.
    pub(super) fn come(&mut self, node: usize) {
        if self.nodes[node].state != State::Absent {
            return;
        }
        self.restart(node);
        if self.presence.is_some() {
            return;
        }
        for other in self.acquaintances(node) {
            if self.nodes[other].lives() {
                let soon = Span::millis(self.lots.members.between(1, 500));
                let (by, life) = (other as u32, self.nodes[other].life);
                self.queue.put(self.now + soon, Due::Joined { by, life, node: node as u32 });
            }
        }
    }

    /// Nobody hears a node any more, and all others know that it is gone; its process does not.
    pub(super) fn remove(&mut self, number: usize, node: usize) {
        self.nodes[node].removed = true;
        if !self.nodes[node].lives() {
            self.nodes[node].state = State::Dead;
            return;
        }
        let alone = (0..self.nodes.len()).map(|other| other == node).collect();
        self.network.cut(number, self.now, Shape::Symmetric, alone);
        if self.presence.is_some() {
            return;
        }
        for other in self.acquaintances(node) {
            self.give(other, Input::Left(NodeId(node as u64)));
        }
    }

    /// All who were to come are there, and the processes of all who were removed have ended.
    pub(super) fn all_have_moved(&mut self) {
        for node in self.newcomers() {
            self.come(node);
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].removed {
                self.crash(node, false, None);
            }
        }
    }
}
