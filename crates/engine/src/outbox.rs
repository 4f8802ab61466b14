//! What leaves a step besides records: messages, to this node itself within the step and to others
//! over links, and effects of every other kind.

use std::collections::VecDeque;

use bary_model::id::NodeId;
use bary_model::message::Message;
use bary_model::time::Moment;
use bary_policy::preset::Binding;

use crate::effect::Effect;
use crate::link::Links;

/// Collects what a step wants done.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) me: NodeId,
    pub(crate) now: Moment,
    pub(crate) links: Links,
    /// Peers whose link began anew in this step, which both halves have yet to hear.
    pub(crate) renewed: VecDeque<NodeId>,
    /// Messages of this engine to itself, delivered within the step.
    local: VecDeque<Message>,
    effects: Vec<Effect>,
}

impl Outbox {
    pub(crate) fn new(me: NodeId, links: Links) -> Self {
        let (renewed, local) = (VecDeque::new(), VecDeque::new());
        Self { me, now: Moment(0), links, renewed, local, effects: Vec::new() }
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Sends at once; to the engine itself within this step.
    pub(crate) fn send(&mut self, to: NodeId, message: Message) {
        if to == self.me {
            self.local.push_back(message);
        } else if self.links.send(to, message, self.now, &mut self.effects) {
            self.renewed.push_back(to);
        }
    }

    /// Gives up what is on its way to a peer and begins anew with it.
    pub(crate) fn renew(&mut self, peer: NodeId) {
        if peer != self.me {
            self.links.renew(peer, self.now);
            self.renewed.push_back(peer);
        }
    }

    /// Opens the way to a peer where nodes claim: there all speak with all, in rounds, and one
    /// whose first claim had to wait for a link would be a round late.
    pub(crate) fn open(&mut self, binding: Binding, peer: NodeId) {
        // One end is enough.
        if binding == Binding::Claims && self.me < peer {
            self.links.open(peer, self.now, &mut self.effects);
        }
    }

    /// Whether this engine has heard all that it said to itself.
    pub(crate) fn is_delivered(&self) -> bool {
        self.local.is_empty() && self.renewed.is_empty()
    }

    pub(crate) fn next_local(&mut self) -> Option<Message> {
        self.local.pop_front()
    }

    /// The effects so far; links add theirs here.
    pub(crate) fn links_and_effects(&mut self) -> (&mut Links, &mut Vec<Effect>) {
        (&mut self.links, &mut self.effects)
    }

    /// Hands over all effects.
    pub(crate) fn close(&mut self, effects: &mut Vec<Effect>) {
        effects.append(&mut self.effects);
    }
}
