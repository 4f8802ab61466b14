//! The engine of one node: its home, its runner and its view, stepped together.

use bary_ledger::ledger::Ledger;
use bary_model::id::{NodeId, ShardId};
use bary_model::message::Message;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;

use crate::effect::Effect;
use crate::home::Home;
use crate::input::{Input, Request};
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::timers::{Timer, Timers};
use crate::view::View;

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The node it decides for.
    pub node: NodeInfo,
    /// The shard it is home of.
    pub shard: ShardId,
    /// From which all its dice are made.
    pub seed: u64,
    /// How it places tasks.
    pub policy: Policy,
    /// What it never exceeds.
    pub limits: Limits,
}

/// The one engine.
#[derive(Debug)]
pub struct Engine {
    home: Home,
    runner: Runner,
    view: View,
    policy: Policy,
    timers: Timers,
    out: Outbox,
}

impl Engine {
    /// An engine that knows only its own node.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        let EngineConfig { node, shard, seed, policy, limits } = config;
        let me = node.id;
        let mut out = Outbox::new(me);
        let mut home = Home::new(shard, seed, policy.clone(), limits.clone(), &mut out);
        home.on_joined(&Peer { info: node.clone(), round_trip: Span::ZERO }, &mut out);
        let view = View::new(node.clone());
        Self {
            home,
            runner: Runner::new(node, limits),
            view,
            policy,
            timers: Timers::default(),
            out,
        }
    }

    /// Takes inputs in, at `now`, and adds what is to be done to `effects`. The same inputs at
    /// the same moments give the same effects, byte for byte.
    ///
    /// Moments never go back.
    pub fn step(
        &mut self,
        now: Moment,
        inputs: impl IntoIterator<Item = Input>,
        effects: &mut Vec<Effect>,
    ) {
        assert!(now >= self.out.now, "time does not go back");
        self.out.now = now;
        for input in inputs {
            self.take_in(input);
            self.deliver_local();
        }
        while let Some(timer) = self.timers.pop_due(now) {
            self.on_timer(timer);
            self.deliver_local();
        }
        self.settle();
        self.out.close(effects);
    }

    /// When the engine wants to be stepped again even if nothing comes in.
    #[must_use]
    pub fn wake(&self) -> Option<Moment> {
        self.timers.next()
    }

    /// Whether this node runs nothing and holds nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.runner.is_idle()
    }

    /// What is true of the shard that this node is home of.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.home.ledger()
    }

    /// Checks what must always hold; for tests and simulation after each step.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        self.runner.check();
        self.home.check();
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Joined(peer) => {
                self.home.on_joined(&peer, &mut self.out);
                self.view.join(peer);
            }
            Input::Received { from, message } => self.on_message(from, message),
            Input::Durable(lsn) => self.out.on_durable(lsn),
            Input::Ended { run, items } => {
                self.runner.on_ended(run, items, &mut self.out, &mut self.timers);
            }
            Input::Beat { run } => self.runner.on_beat(run, &self.out),
            Input::Request { ticket, request } => {
                if let Request::Follow(policy) = &request {
                    self.policy = policy.clone();
                }
                self.home.on_request(ticket, request, &mut self.out);
            }
        }
    }

    /// Lets the runner act on what changed until neither it nor the home has more to say.
    fn settle(&mut self) {
        loop {
            self.runner.settle(&self.view, &self.policy, &mut self.out, &mut self.timers);
            if !self.deliver_local() {
                return;
            }
        }
    }

    /// Delivers messages of this engine to itself; tells whether there were any.
    fn deliver_local(&mut self) -> bool {
        let mut any = false;
        while let Some(message) = self.out.next_local() {
            any = true;
            self.on_message(self.view.me, message);
        }
        any
    }

    fn on_message(&mut self, from: NodeId, message: Message) {
        let (out, timers) = (&mut self.out, &mut self.timers);
        match message {
            Message::Load { ready } => {
                self.view.homes.insert(from, ready);
            }
            Message::Ask(ask) => self.home.on_ask(from, ask, out, timers),
            Message::Grant(grant) => {
                self.view.homes.insert(from, grant.ready);
                self.runner.on_grant(from, grant);
            }
            Message::Outcomes { items, ask } => {
                self.home.on_outcomes(from, items, out, timers);
                if let Some(ask) = ask {
                    self.home.on_ask(from, ask, out, timers);
                }
            }
            Message::Retract(retract) => {
                self.runner.on_retract(from, retract, &self.view, out, timers);
            }
            Message::Retracted { items } => self.home.on_retracted(from, items, out, timers),
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Retry(_) | Timer::Steal(_) => {
                self.home.on_timer(timer, &mut self.out, &mut self.timers);
            }
            _ => self.runner.on_timer(timer, &mut self.out, &mut self.timers),
        }
    }
}
