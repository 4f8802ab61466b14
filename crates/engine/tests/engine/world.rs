//! A small world for engines: virtual time, a network, a journal. Everything is checked after
//! each step, and whoever watches sees all that goes in and comes out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write as _;
use std::sync::Arc;

use bary_engine::effect::{Effect, Why};
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Reply, Request};
use bary_engine::limits::Limits;
use bary_ledger::ledger::Ledger;
use bary_model::action::{Action, Arg};
use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::{Incarnation, JobNo, Lsn, NodeId, RunNo, ShardId, TaskId};
use bary_model::job::JobSpec;
use bary_model::machine::Machine;
use bary_model::message::{GrantItem, Message, Say};
use bary_model::node::{NodeInfo, Offers, Peer};
use bary_model::outcome::{End, Failure};
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span, Wall};
use bary_model::weight::Weight;
use bary_policy::preset;

use crate::hands::{Course, Run};

/// What becomes of an attempt.
pub(crate) type Fate = Box<dyn Fn(&GrantItem, TaskId) -> Course>;

/// What an engine is told or wants done.
pub(crate) enum Seen<'a> {
    Input(&'a Input),
    Effect(&'a Effect),
}

/// Sees all that goes into engines and comes out of them, with the node's number.
pub(crate) type Watch = Box<dyn FnMut(Moment, usize, Seen<'_>)>;

/// What is to happen at a node.
enum Due {
    Input(Input),
    /// A run is over, unless it was stopped before.
    Over(RunNo),
    Beat(RunNo),
}

/// Nodes in virtual time.
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(Moment, u64)>>,
    due: BTreeMap<u64, (usize, Due)>,
    sequence: u64,
    /// How long a message takes from each node to each other.
    pub(crate) distances: Vec<Vec<Span>>,
    /// How long a batch takes to be durable.
    pub(crate) journal: Span,
    /// Time that a unit of weight takes at speed 1.
    pub(crate) unit: Span,
    pub(crate) fate: Fate,
    pub(crate) watch: Option<Watch>,
    /// Everything that was done, in words: the bytes that two runs are compared by.
    pub(crate) log: String,
    pub(crate) events: Vec<Event>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) messages: u64,
}

pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) speed: f64,
    runs: BTreeMap<RunNo, Run>,
}

/// Whether a message is one of those that placing work takes.
fn counts(body: &(u64, Arc<Message>)) -> bool {
    let say = &body.1.say;
    matches!(
        say,
        Say::Ask(_)
            | Say::Grant(_)
            | Say::Outcomes(_)
            | Say::Repeat(_)
            | Say::Retract(_)
            | Say::Retracted { .. }
    )
}

pub(crate) fn info(id: u32, slots: u32, speed: f64) -> NodeInfo {
    NodeInfo {
        offers: Offers::default(),
        id: NodeId(u64::from(id)),
        name: format!("n{id}").into(),
        region: "here".into(),
        resources: Resources { memory: 1 << 30, ..Resources::cpus(slots) },
        slots,
        speed,
        labels: BTreeMap::new(),
    }
}

pub(crate) fn body(name: &str) -> Body {
    Body::new(Action::Function { name: name.into(), args: Vec::<Arg>::new() })
}

pub(crate) fn spec(name: &str, count: u32, weight: f64, body: &Arc<Body>) -> TaskSpec {
    TaskSpec {
        name: name.into(),
        count,
        array: count > 1,
        weight: Weight::new(weight).expect("a test gives good weights"),
        ..TaskSpec::new(Arc::clone(body))
    }
}

pub(crate) fn job(specs: Vec<TaskSpec>) -> JobSpec {
    let specs: Vec<Arc<TaskSpec>> = specs.into_iter().map(Arc::new).collect();
    JobSpec::new("test", specs)
}

impl World {
    /// Nodes that are equally far from each other.
    pub(crate) fn new(nodes: &[NodeInfo], policy: &str, latency: Span) -> Self {
        let distances = vec![vec![latency; nodes.len()]; nodes.len()];
        let limits = Limits { explain: true, ..Limits::default() };
        Self::with(nodes, policy, &limits, distances)
    }

    pub(crate) fn with(
        nodes: &[NodeInfo],
        policy: &str,
        limits: &Limits,
        distances: Vec<Vec<Span>>,
    ) -> Self {
        let policy = preset::parse(policy).expect("a test names a policy that is there");
        let made = nodes.iter().map(|node| Node {
            engine: Engine::new(EngineConfig {
                node: node.clone(),
                incarnation: Incarnation(1),
                seed: 7,
                policy: policy.clone(),
                limits: limits.clone(),
                flaws: Flaws::default(),
                calendar: Wall::default(),
            }),
            speed: node.speed,
            runs: BTreeMap::new(),
        });
        let mut world = Self {
            now: Moment(0),
            nodes: made.collect(),
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            sequence: 0,
            distances,
            journal: Span::ZERO,
            unit: Span::millis(10),
            fate: Box::new(|_, _| Course::of(None)),
            watch: None,
            log: String::new(),
            events: Vec::new(),
            replies: Vec::new(),
            messages: 0,
        };
        for me in 0..nodes.len() {
            let ledger = Box::new(Ledger::new(ShardId(nodes[me].id.0 + 1)));
            world.put(Moment(0), me, Input::Opened { ledger, next: Lsn(1) });
            for (other, info) in nodes.iter().enumerate().filter(|(other, _)| *other != me) {
                let round_trip = world.distances[me][other] + world.distances[other][me];
                let machine = Machine::default();
                let peer = Peer { info: info.clone(), round_trip, machine };
                world.put(Moment(0), me, Input::Joined(Box::new(peer)));
            }
        }
        world
    }

    /// Says which attempts fail, by task and attempt.
    pub(crate) fn fail(&mut self, how: impl Fn(TaskId, u16) -> Option<Failure> + 'static) {
        self.fate = Box::new(move |item, task| Course::of(how(task, item.attempt)));
    }

    /// A request to the first node, done at once.
    pub(crate) fn request(&mut self, request: Request) {
        self.put(self.now, 0, Input::Request { ticket: 1, request: Box::new(request) });
        self.advance_to(self.now);
    }

    pub(crate) fn submit(&mut self, job: JobSpec) -> JobNo {
        self.request(Request::Submit(job));
        match self.replies.pop() {
            Some(Reply::Accepted(job)) => job,
            other => panic!("the job must be accepted, not {other:?}"),
        }
    }

    /// Runs until nothing is left to happen.
    pub(crate) fn run(&mut self) {
        while let Some(next) = self.next_moment() {
            self.advance_to(next);
        }
    }

    pub(crate) fn advance_to(&mut self, until: Moment) {
        let mut still = 0;
        while let Some(next) = self.next_moment().filter(|next| *next <= until) {
            still = if next > self.now { 0 } else { still + 1 };
            assert!(still < 10_000, "time stands still");
            self.now = self.now.max(next);
            self.happen();
        }
        self.now = self.now.max(until);
    }

    pub(crate) fn next_moment(&self) -> Option<Moment> {
        let due = self.queue.peek().map(|Reverse((at, _))| *at);
        let timers = self.nodes.iter().filter_map(|node| node.engine.wake());
        timers.chain(due).min()
    }

    fn happen(&mut self) {
        let mut inputs: Vec<Vec<Input>> = self.nodes.iter().map(|_| Vec::new()).collect();
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > self.now {
                break;
            }
            self.queue.pop();
            if let Some((node, due)) = self.due.remove(&number)
                && let Some(input) = self.input_of(node, due)
            {
                inputs[node].push(input);
            }
        }
        for (node, inputs) in inputs.into_iter().enumerate() {
            let wakes = self.nodes[node].engine.wake().is_some_and(|at| at <= self.now);
            if wakes || !inputs.is_empty() {
                self.step(node, inputs);
            }
        }
    }

    fn input_of(&mut self, node: usize, due: Due) -> Option<Input> {
        match due {
            Due::Input(input) => Some(input),
            Due::Over(run) => {
                let over = self.nodes[node].runs.remove(&run)?;
                Some(Input::Ended { run, items: over.outcomes(self.now, None) })
            }
            Due::Beat(run) => {
                let beats = self.nodes[node].runs.get(&run)?.beats?;
                self.push(self.now + beats, node, Due::Beat(run));
                Some(Input::Beat { run })
            }
        }
    }

    fn step(&mut self, node: usize, mut inputs: Vec<Input>) {
        let mut effects = Vec::new();
        loop {
            for input in &inputs {
                self.see(node, Seen::Input(input));
            }
            self.nodes[node].engine.step(self.now, inputs.drain(..), &mut effects);
            self.nodes[node].engine.check();
            for effect in effects.drain(..) {
                writeln!(self.log, "{} {node} {effect:?}", self.now.0).expect("strings grow");
                self.see(node, Seen::Effect(&effect));
                match effect {
                    Effect::Append { shard, lsn, .. } if self.journal == Span::ZERO => {
                        inputs.push(Input::Durable { shard, lsn });
                    }
                    effect => self.perform(node, effect),
                }
            }
            if inputs.is_empty() {
                return;
            }
        }
    }

    fn see(&mut self, node: usize, seen: Seen<'_>) {
        if let Some(watch) = &mut self.watch {
            watch(self.now, node, seen);
        }
    }

    fn perform(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Send { to, frame } => {
                self.messages += u64::from(frame.body.as_ref().is_some_and(counts));
                let from = NodeId(node as u64);
                let at = self.now + self.distances[node][to.index()];
                self.put(at, to.index(), Input::Received { from, frame });
            }
            Effect::Start { run, items, budget, .. } => {
                self.start(node, run, items.to_vec(), budget)
            }
            Effect::Stop { run, why, force } => self.stop(node, run, why, force),
            // Tests that want an answer give it themselves.
            Effect::Plan { .. } | Effect::Lay { .. } | Effect::Gauge => {}
            Effect::Tell(event) => self.events.push(event),
            Effect::Reply { reply, .. } => self.replies.push(reply),
            Effect::Append { shard, lsn, .. } => {
                self.put(self.now + self.journal, node, Input::Durable { shard, lsn });
            }
        }
    }

    fn start(&mut self, node: usize, run: RunNo, items: Vec<GrantItem>, budget: Span) {
        let unit = self.unit.as_secs_f64() / self.nodes[node].speed;
        let span_of = |item: &GrantItem| item.each().units() * unit;
        let begun = Run::new(items, self.now, budget, span_of, &self.fate);
        if let Some(over) = begun.over() {
            self.push(over, node, Due::Over(run));
        }
        if let Some(beats) = begun.beats {
            self.push(self.now + beats, node, Due::Beat(run));
        }
        self.nodes[node].runs.insert(run, begun);
    }

    /// A run that heeds it ends at once; its planned end finds it gone.
    fn stop(&mut self, node: usize, run: RunNo, why: Why, force: bool) {
        let runs = &mut self.nodes[node].runs;
        if !runs.get(&run).is_some_and(|run| force || run.heeds(self.now)) {
            return;
        }
        if let Some(stopped) = runs.remove(&run) {
            let items = stopped.outcomes(self.now, Some(why));
            self.put(self.now, node, Input::Ended { run, items });
        }
    }

    pub(crate) fn put(&mut self, at: Moment, node: usize, input: Input) {
        self.push(at, node, Due::Input(input));
    }

    fn push(&mut self, at: Moment, node: usize, due: Due) {
        self.sequence += 1;
        self.due.insert(self.sequence, (node, due));
        self.queue.push(Reverse((at, self.sequence)));
    }

    pub(crate) fn ended(&self) -> impl Iterator<Item = &Ended> {
        self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Ended(ended) => Some(ended),
            _ => None,
        })
    }

    /// How every task ended, each exactly once.
    pub(crate) fn ends(&self) -> BTreeMap<TaskId, End> {
        let mut ends = BTreeMap::new();
        let mut add = |task, end: &End| {
            let before = ends.insert(task, end.clone());
            assert_eq!(before, None, "{task:?} must end once");
        };
        for event in &self.events {
            match &event.kind {
                EventKind::Ended(ended) => ended.range.tasks().for_each(|t| add(t, &ended.end)),
                EventKind::Dropped { range, end, .. } => range.tasks().for_each(|t| add(t, end)),
                _ => {}
            }
        }
        ends
    }

    /// Busy time of each node, from what was accepted.
    pub(crate) fn busy(&self) -> Vec<f64> {
        let mut busy = vec![0.0; self.nodes.len()];
        for ended in self.ended() {
            busy[ended.node.index()] += ended.usage.busy.as_secs_f64();
        }
        busy
    }
}
