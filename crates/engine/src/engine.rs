//! The engine of one node: its homes, its runner, its links and its view, stepped together.

mod leaving;
mod survey;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use bary_ledger::ledger::Ledger;
use bary_model::decree::Decree;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::message::{Frame, Message, Say};
use bary_model::node::NodeInfo;
use bary_model::time::{Moment, Wall};
use bary_policy::preset::{self, Policy};

use crate::chart::Chart;
use crate::counts::Counts;
use crate::effect::Effect;
use crate::flaw::Flaws;
use crate::home::{Home, HomeConfig};
use crate::input::{Input, Refusal, Reply, Request};
use crate::keeper::Keeper;
use crate::limits::Limits;
use crate::link::Links;
use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::sorted::Sorted;
use crate::timers::{Timer, TimerKey, Timers};
use crate::view::View;
use crate::ways::Ways;

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The node it decides for.
    pub node: NodeInfo,
    /// The node's life: durable before the engine says anything, and higher in each later life.
    pub incarnation: Incarnation,
    /// From which all its dice are made.
    pub seed: u64,
    /// How it places tasks.
    pub policy: Policy,
    /// What it never exceeds.
    pub limits: Limits,
    /// Bugs put back on purpose; none but in tests of the simulator's alarm.
    pub flaws: Flaws,
    /// The calendar's moment that is `Moment(0)`, for jobs that are not to begin before a time.
    pub calendar: Wall,
}

/// The one engine.
#[derive(Debug)]
pub struct Engine {
    homes: Sorted<ShardId, Home>,
    /// Homes that were deposed in this step: what they said before is written all the same, where
    /// it is refused, so that nothing is said that was never written.
    deposed: Vec<Home>,
    /// The shard that users' requests go to: the first that was opened here.
    own: Option<ShardId>,
    /// What homes that were deposed have counted.
    counted: Counts,
    runner: Runner,
    view: View,
    config: HomeConfig,
    keeper: Keeper,
    keeper_timer: Option<TimerKey>,
    chart: Chart,
    ways: Ways,
    timers: Timers,
    out: Outbox,
}

/// The shard in the words of a node that is home of none of those it speaks to.
const KEEPER: ShardId = ShardId(0);

impl Engine {
    /// An engine that knows only its own node, and is home of nothing.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        let EngineConfig { node, incarnation, seed, policy, limits, flaws, calendar } = config;
        let drained = BTreeSet::new();
        let links = Links::new(incarnation, limits.clone());
        Self {
            homes: Sorted::default(),
            deposed: Vec::new(),
            own: None,
            counted: Counts::default(),
            out: Outbox::new(node.id, links),
            view: View::new(node.clone()),
            runner: Runner::new(node, limits.clone(), flaws, calendar),
            config: HomeConfig { seed, policy, limits, flaws, calendar, drained },
            keeper: Keeper::default(),
            keeper_timer: None,
            chart: Chart::default(),
            ways: Ways::default(),
            timers: Timers::default(),
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
        self.homes.values_mut().for_each(|home| home.begin(now));
        for input in inputs {
            self.take_in(input);
            self.deliver_local();
        }
        while let Some(timer) = self.timers.pop_due(now) {
            self.on_timer(timer);
            self.deliver_local();
        }
        self.settle();
        self.survey();
        let (links, said) = self.out.links_and_effects();
        links.on_time(now, said);
        for home in self.homes.values_mut().chain(&mut self.deposed) {
            home.close(effects);
        }
        self.deposed.clear();
        self.out.close(effects);
    }

    /// When the engine wants to be stepped again even if nothing comes in.
    #[must_use]
    pub fn wake(&self) -> Option<Moment> {
        self.timers.next().into_iter().chain(self.out.links.wake()).min()
    }

    /// What is true of each shard that this node is home of.
    pub fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        self.homes.values().map(Home::ledger)
    }

    /// What is true of a shard, where this node is its home.
    #[must_use]
    pub fn ledger(&self, shard: ShardId) -> Option<&Ledger> {
        self.homes.get(&shard).map(Home::ledger)
    }

    /// What its homes have counted, deposed ones included.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut sum = self.counted;
        self.homes.values().for_each(|home| sum.add(home.counts()));
        sum
    }

    /// How far run times that were predicted were off in each home that learns them: the mean
    /// absolute relative error, and of how many outcomes.
    pub fn prediction_errors(&self) -> impl Iterator<Item = (f64, u64)> {
        self.homes.values().filter_map(Home::prediction_error)
    }

    /// Checks what must always hold; for tests and simulation after each step.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        self.runner.check(&self.view, &self.config.policy);
        for home in self.homes.values() {
            home.check();
            self.view.check_machines(|node| home.machine(node));
        }
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Opened { ledger, next } => self.open(*ledger, next),
            Input::Deposed { shard } => {
                self.deposed.extend(self.homes.remove(&shard).map(|home| *home));
                self.deposed.iter().for_each(|home| self.counted.add(home.counts()));
                self.timers.end_reign(shard);
                self.own = self.own.filter(|own| *own != shard);
                // What other homes sent to this one they have to take back.
                let peers: Vec<NodeId> = self.view.peers.keys().copied().collect();
                for node in peers {
                    self.tell_absent(node, shard);
                }
            }
            Input::Joined(peer) => self.join(*peer),
            Input::Left(node) => {
                for home in self.homes.values_mut() {
                    home.on_left(node, &mut self.out, &mut self.timers);
                }
                self.view.leave(node);
                self.chart.touch();
                self.ways.forget(node);
                self.runner.on_left(node);
                self.out.renew(node);
            }
            Input::Received { from, frame } => self.receive(from, frame),
            Input::Durable { shard, lsn } => {
                if let Some(home) = self.homes.get_mut(&shard) {
                    home.on_durable(lsn, &mut self.out, &mut self.timers);
                }
            }
            Input::Room { shard, low } => {
                if let Some(home) = self.homes.get_mut(&shard) {
                    home.on_room(low);
                }
            }
            Input::Ended { run, items } => {
                self.runner.on_ended(run, items, &mut self.out, &mut self.timers);
            }
            Input::Beat { run } => self.runner.on_beat(run, &self.out),
            Input::Checkpoint { run, task, step, payload } => {
                let (out, timers) = (&mut self.out, &mut self.timers);
                self.runner.on_checkpoint(run, task, (step, payload), out, timers);
            }
            Input::Planned { number, topology } => self.on_planned(number, topology),
            Input::Laid { shard, job, choice } => {
                if let Some(home) = self.homes.get_mut(&shard) {
                    home.on_laid(job, choice, &mut self.out, &mut self.timers);
                }
            }
            Input::Gauged(busy) => self.runner.on_gauged(busy, &mut self.out, &mut self.timers),
            Input::Request { ticket, request } => self.on_request(ticket, *request),
        }
    }

    fn open(&mut self, ledger: Ledger, next: Lsn) {
        let shard = ledger.shard();
        let (out, timers) = (&mut self.out, &mut self.timers);
        let mut home = Home::open(ledger, next, self.config.clone(), out, timers);
        for peer in self.view.peers.values() {
            home.on_joined(peer, out, timers);
        }
        self.chart.found().into_iter().for_each(|found| home.on_placed(found, out, timers));
        self.homes.insert(shard, home);
        self.own.get_or_insert(shard);
    }

    fn receive(&mut self, from: NodeId, frame: Frame) {
        let now = self.out.now;
        let (links, effects) = self.out.links_and_effects();
        let arrival = links.receive(from, frame, now, effects);
        if arrival.renewed {
            self.out.renewed.push_back(from);
            self.deliver_local();
        }
        for message in arrival.messages {
            self.on_message(from, Arc::unwrap_or_clone(message));
            self.deliver_local();
        }
    }

    fn on_request(&mut self, ticket: u64, request: Request) {
        let (out, timers) = (&mut self.out, &mut self.timers);
        let follows = match &request {
            Request::Follow(policy) => Some(policy.clone()),
            // One that is none is refused below.
            Request::Decree(Decree::Follow(policy)) => preset::parse(policy).ok(),
            _ => None,
        };
        if let Some(policy) = follows {
            self.config.policy = policy.clone();
            self.view.peers.keys().for_each(|peer| out.open(policy.binding, *peer));
            for home in self.homes.values_mut().filter(|home| Some(home.shard()) != self.own) {
                home.follow_policy(policy.clone(), out, timers);
            }
        }
        if let Request::Drain { node, drain } = request {
            if drain {
                self.config.drained.insert(node);
            } else {
                self.config.drained.remove(&node);
            }
            for home in self.homes.values_mut().filter(|home| Some(home.shard()) != self.own) {
                home.drain(node, drain, out, timers);
            }
        }
        match self.own.and_then(|own| self.homes.get_mut(&own)) {
            Some(home) => home.on_request(ticket, request, out, timers),
            None => {
                let reply = match request {
                    Request::Follow(_) | Request::Drain { .. } => Reply::Done,
                    _ => Reply::Refused(Refusal::NoHome),
                };
                out.effect(Effect::Reply { ticket, reply });
            }
        }
    }

    /// Lets the runner act on what changed until neither it nor the homes have more to say.
    fn settle(&mut self) {
        loop {
            let policy = &self.config.policy;
            self.runner.settle(&self.view, policy, &mut self.out, &mut self.timers);
            if !self.deliver_local() {
                return;
            }
        }
    }

    /// Delivers messages of this engine to itself, and word of links that began anew; tells
    /// whether there were any.
    fn deliver_local(&mut self) -> bool {
        let any = !self.out.is_delivered();
        if any {
            self.deliver_all();
        }
        any
    }

    fn deliver_all(&mut self) {
        loop {
            if let Some(peer) = self.out.renewed.pop_front() {
                for home in self.homes.values_mut() {
                    home.on_renewed(peer, &mut self.out, &mut self.timers);
                }
                self.runner.on_renewed(peer);
                self.keeper.on_renewed(peer);
            } else if let Some(message) = self.out.next_local() {
                self.on_message(self.view.me, message);
            } else {
                return;
            }
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message) {
        let Message { shard, epoch, .. } = message;
        match message.say {
            Say::Hello(_)
            | Say::Ask(_)
            | Say::Outcomes(_)
            | Say::Repeat(_)
            | Say::Retracted { .. }
            | Say::Checkpoint { .. }
            | Say::Yield { .. }
            | Say::Busy(_)
            | Say::Pulse(_) => {
                if let Some(home) = self.homes.get_mut(&shard) {
                    home.on_message(from, message, &mut self.out, &mut self.timers);
                } else {
                    self.out.send(from, Message { shard, epoch, say: Say::Away });
                }
            }
            Say::Claim(claim) => {
                if from != self.view.me {
                    let (out, timers) = (&mut self.out, &mut self.timers);
                    self.runner.on_claim(from, (shard, epoch), &claim, out, timers);
                }
                if let Some(home) = self.homes.get_mut(&shard) {
                    let message = Message { shard, epoch, say: Say::Claim(claim) };
                    home.on_message(from, message, &mut self.out, &mut self.timers);
                }
            }
            say => {
                // The home may be here by now, though it has not spoken yet.
                let ended = self.homes.get(&shard).is_some_and(|home| home.has_ended(epoch));
                if shard == KEEPER {
                    self.on_word(from, shard, epoch, say);
                } else if !ended && self.view.hear(shard, from, epoch) {
                    self.runner.meet(shard, from, epoch);
                    self.on_word(from, shard, epoch, say);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        if let Some(shard) = timer.home() {
            if let Some(home) = self.homes.get_mut(&shard) {
                home.on_timer(timer, &mut self.out, &mut self.timers);
            }
        } else if timer == Timer::Chart {
            self.chart.on_time();
        } else if timer == Timer::Ways {
            self.tell_distances();
        } else if timer == Timer::Keeper {
            self.keeper_timer = None;
            self.lend();
        } else {
            self.runner.on_timer(timer, &mut self.out, &mut self.timers);
        }
    }
}
