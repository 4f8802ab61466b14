//! What machines are found to be: a node hears of its own a while after its process begins, and
//! with it all who know the node.

use bary_engine::input::Input;
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::time::Span;

use crate::node::State;
use crate::plan::machines::Probe;
use crate::world::World;
use crate::world::due::Due;

impl World<'_> {
    /// A process begins: its machine is looked at.
    pub(super) fn probe(&mut self, node: usize) {
        let Probe { machine, takes } = self.plan.nodes[node].probe;
        self.nodes[node].machine = self.plan.nodes[node].probe.at_first();
        if machine == Machine::default() {
            return;
        }
        if takes == Span::ZERO {
            let own = self.peer(node, node);
            self.inputs.push(Input::Joined(Box::new(own)));
        } else {
            let due = Due::Found { node: node as u32, life: self.nodes[node].life };
            self.queue.put(self.now + takes, due);
        }
    }

    /// What the machine of a process is has been found.
    pub(super) fn found(&mut self, node: usize, life: u32) {
        self.tally.events += 1;
        if self.nodes[node].life != life || !self.nodes[node].lives() {
            return;
        }
        self.nodes[node].machine = self.plan.nodes[node].probe.machine;
        for other in 0..self.nodes.len() {
            self.correct(other, node);
            if self.known_machine(other, node).is_some() {
                let peer = self.peer(other, node);
                self.give(other, Input::Joined(Box::new(peer)));
            }
        }
    }

    /// Who stands still has yet to take in that a node is there, as the node is now.
    fn correct(&mut self, other: usize, node: usize) {
        let machine = self.nodes[node].machine;
        for input in &mut self.nodes[other].waiting {
            if let Input::Joined(peer) = input
                && peer.info.id == NodeId(node as u64)
            {
                peer.machine = machine;
            }
        }
    }

    /// What a node takes the machine of another to be; nothing where it does not know it.
    fn known_machine(&self, by: usize, node: usize) -> Option<Machine> {
        self.nodes[by].engine.as_ref()?.machine(NodeId(node as u64))
    }

    /// Whether all that are up go by what the machines of those that are there were found to be.
    pub(super) fn all_know_machines(&self) -> bool {
        let there =
            |node: &usize| self.nodes[*node].state == State::Up && !self.nodes[*node].removed;
        let all: Vec<usize> = (0..self.nodes.len()).filter(there).collect();
        all.iter().all(|by| {
            let right = |node: &usize| {
                let (machine, probe) = (self.nodes[*node].machine, self.plan.nodes[*node].probe);
                let found = machine == probe.machine;
                !found || self.known_machine(*by, *node).is_none_or(|known| known == machine)
            };
            all.iter().all(right)
        })
    }
}
