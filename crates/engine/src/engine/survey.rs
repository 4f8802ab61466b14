//! The graph of the cluster: measured and asked for where a policy looks at it, and shown to homes.

use bary_model::id::{Epoch, NodeId};
use bary_model::machine::Machine;
use bary_model::message::{Message, Say};
use bary_model::node::Peer;
use bary_model::time::{Moment, Span};
use bary_policy::dice::Dice;
use bary_policy::sample::drawn;
use bary_policy::topology::{PROBES, Topology};
use bary_policy::trip;

use crate::chart::{Measured, Question};
use crate::effect::Effect;
use crate::engine::{Engine, KEEPER};
use crate::timers::Timer;
use crate::ways::Answer;

impl Engine {
    /// Where nodes are in the graph of the cluster, as far as it was found; none where no policy
    /// has looked at it.
    #[must_use]
    pub fn topology(&self) -> Option<&Topology> {
        self.chart.found().map(|topology| &**topology)
    }

    /// What the machine of a node was measured to be, as it was last told; none where the node is
    /// not known.
    #[must_use]
    pub fn machine(&self, node: NodeId) -> Option<Machine> {
        self.view.peers.get(&node).map(|peer| peer.machine)
    }

    /// There is a node, or more is known of it; that may be this one.
    pub(super) fn join(&mut self, mut peer: Peer) {
        if peer.info.id == self.view.me {
            return self.find_own(peer.machine);
        }
        // What was measured counts more than what is said.
        peer.round_trip = self.ways.trip(peer.info.id).unwrap_or(peer.round_trip);
        self.out.links.measure(peer.info.id, peer.round_trip, self.out.now);
        for home in self.homes.values_mut() {
            home.on_joined(&peer, &mut self.out, &mut self.timers);
        }
        self.out.open(self.config.policy.binding, peer.info.id);
        self.view.join(peer);
        self.chart.touch();
    }

    /// What the own machine is was found.
    fn find_own(&mut self, machine: Machine) {
        let own = self.view.peers.get(&self.view.me).cloned();
        let Some(own) = own.filter(|own| own.machine != machine) else { return };
        let own = Peer { machine, ..own };
        for home in self.homes.values_mut() {
            home.on_joined(&own, &mut self.out, &mut self.timers);
        }
        self.view.join(own);
    }

    /// Asks for the graph of the cluster where that is due: nodes measure how far they are from
    /// each other first.
    pub(super) fn survey(&mut self) {
        // Only homes place tasks.
        if !self.homes.values().any(|home| home.needs_graph()) {
            return;
        }
        let now = self.out.now;
        let busy = self.homes.values_mut().any(|home| home.has_work());
        let limits = &self.config.limits;
        let question = self.chart.question(&self.view, limits, (now, busy), &mut self.timers);
        if let Some(question) = question {
            self.send_out(&question);
            while self.deliver_local() {}
        }
        if let Some(measured) = self.chart.measured(now) {
            let Measured { number, nodes, probes } = measured;
            let far = |node: NodeId| (node, self.view.round_trip(node));
            let nodes = nodes.into_iter().map(far).collect();
            self.out.effect(Effect::Plan { number, nodes, probes });
        }
    }

    /// Has every node measure a few others, drawn by lot, and measures how far each is from here.
    fn send_out(&mut self, question: &Question) {
        let (number, nodes) = (question.number, &question.nodes);
        let mut dice = Dice::new(self.config.seed ^ number, "survey");
        for (at, &node) in nodes.iter().enumerate() {
            let others = drawn(nodes.len() - 1, PROBES, &mut dice);
            // The node itself is left out of those it could measure.
            let peer = |other: usize| nodes[other + usize::from(other >= at)];
            let peers = others.into_iter().map(peer).collect();
            self.say(node, Say::Survey { number, peers });
            if node != self.view.me {
                self.say(node, Say::Probe { at: self.out.now });
            }
        }
    }

    fn say(&mut self, to: NodeId, say: Say) {
        self.out.send(to, Message { shard: KEEPER, epoch: Epoch(0), say });
    }

    /// A home wants to know how far others are from here.
    pub(super) fn on_survey(&mut self, from: NodeId, number: u64, peers: &[NodeId]) {
        let until = self.out.now + self.config.limits.survey_wait;
        let probed = self.ways.begin((from, number), peers, self.view.me, until);
        self.timers.set(until, Timer::Ways);
        for peer in probed {
            self.say(peer, Say::Probe { at: self.out.now });
        }
        self.tell_distances();
    }

    /// A probe is answered at once.
    pub(super) fn on_probe(&mut self, from: NodeId, at: Moment) {
        self.say(from, Say::Echo { at });
    }

    /// A probe has come back.
    pub(super) fn on_echo(&mut self, from: NodeId, at: Moment) {
        let trip = self.out.now.since(at);
        if at > self.out.now || trip > self.config.limits.survey_wait {
            return;
        }
        match self.ways.heard(from, at, self.out.now) {
            Answer::First => return self.say(from, Say::Probe { at: self.out.now }),
            Answer::Early => return,
            Answer::Measured => {}
        }
        let believed = self.view.round_trip(from);
        if self.ways.doubts(from, trip > believed && trip::differ(believed, trip)) {
            return self.say(from, Say::Probe { at: self.out.now });
        }
        let trip = self.ways.measured(from, trip);
        self.set_distance(from, trip);
        self.tell_distances();
    }

    pub(super) fn on_distances(&mut self, from: NodeId, number: u64, trips: &[(NodeId, Span)]) {
        self.chart.hear(from, number, trips);
    }

    /// Tells homes what was measured for them.
    pub(super) fn tell_distances(&mut self) {
        for errand in self.ways.done(self.out.now) {
            let (number, trips) = (errand.number, errand.trips);
            self.say(errand.home, Say::Distances { number, trips });
        }
    }

    /// Goes by what was measured, where that differs from what was believed.
    fn set_distance(&mut self, node: NodeId, trip: Span) {
        if !trip::differ(self.view.round_trip(node), trip) {
            return;
        }
        if self.view.set_distance(node, trip) {
            self.out.links.measure(node, trip, self.out.now);
            self.chart.moved(node, trip);
            self.homes.values_mut().for_each(|home| home.set_distance(node, trip));
        }
    }

    pub(super) fn on_planned(&mut self, number: u64, topology: Option<Box<Topology>>) {
        if self.chart.answer(number, topology.map(|topology| *topology))
            && let Some(topology) = self.chart.found()
        {
            let (out, timers) = (&mut self.out, &mut self.timers);
            self.homes.values_mut().for_each(|home| home.on_placed(topology, out, timers));
        }
    }
}
