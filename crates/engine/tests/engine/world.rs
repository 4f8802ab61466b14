//! A small world for engines: virtual time, a network with one latency, executors that take as
//! long as a task weighs. Everything is checked after each step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write as _;
use std::sync::Arc;

use bary_engine::effect::{Effect, Why};
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::input::{Input, Reply, Request};
use bary_engine::limits::Limits;
use bary_model::action::{Action, Arg};
use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::{JobNo, NodeId, RunNo, ShardId, TaskId};
use bary_model::inputs::Inputs;
use bary_model::job::JobSpec;
use bary_model::message::{GrantItem, Message, OutcomeItem};
use bary_model::node::{NodeInfo, Peer};
use bary_model::outcome::{End, Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;
use bary_policy::preset;

/// What becomes of an attempt instead of success.
pub(crate) type Fate = Box<dyn Fn(TaskId, u16) -> Option<Failure>>;

/// Nodes in virtual time.
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(Moment, u64)>>,
    due: BTreeMap<u64, (usize, Input)>,
    sequence: u64,
    pub(crate) latency: Span,
    /// Time that a unit of weight takes at speed 1.
    pub(crate) unit: Span,
    pub(crate) fate: Fate,
    /// Everything that was done, in words: the bytes that two runs are compared by.
    pub(crate) log: String,
    pub(crate) events: Vec<Event>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) messages: u64,
}

pub(crate) struct Node {
    pub(crate) engine: Engine,
    speed: f64,
    runs: BTreeMap<RunNo, Vec<GrantItem>>,
    pub(crate) busy: Span,
    /// The last moment at which something ended here.
    pub(crate) ended: Moment,
}

pub(crate) fn info(id: u32, slots: u32, speed: f64) -> NodeInfo {
    NodeInfo {
        id: NodeId(id),
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
        body: Arc::clone(body),
        inputs: Inputs::default(),
        first_row: 0,
        count,
        array: count > 1,
        weight: Weight::new(weight).expect("a test gives good weights"),
        after: Box::default(),
    }
}

pub(crate) fn job(specs: Vec<TaskSpec>) -> JobSpec {
    let specs: Vec<Arc<TaskSpec>> = specs.into_iter().map(Arc::new).collect();
    JobSpec { name: "test".into(), specs: specs.into(), open: false }
}

impl World {
    pub(crate) fn new(nodes: &[NodeInfo], policy: &str, latency: Span) -> Self {
        let policy = preset::parse(policy).expect("a test names a policy that is there");
        let limits = Limits { explain: true, ..Limits::default() };
        let made = nodes.iter().map(|node| Node {
            engine: Engine::new(EngineConfig {
                node: node.clone(),
                shard: ShardId(u64::from(node.id.0) + 1),
                seed: 7,
                policy: policy.clone(),
                limits: limits.clone(),
            }),
            speed: node.speed,
            runs: BTreeMap::new(),
            busy: Span::ZERO,
            ended: Moment(0),
        });
        let mut world = Self {
            now: Moment(0),
            nodes: made.collect(),
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            sequence: 0,
            latency,
            unit: Span::millis(10),
            fate: Box::new(|_, _| None),
            log: String::new(),
            events: Vec::new(),
            replies: Vec::new(),
            messages: 0,
        };
        for me in 0..nodes.len() {
            for (other, info) in nodes.iter().enumerate().filter(|(other, _)| *other != me) {
                let peer = Peer { info: info.clone(), round_trip: latency.times(2) };
                assert_ne!(me, other);
                world.put(Moment(0), me, Input::Joined(peer));
            }
        }
        world.advance_to(Moment(0));
        world
    }

    /// A request to the first node, done at once.
    pub(crate) fn request(&mut self, request: Request) {
        self.put(self.now, 0, Input::Request { ticket: 1, request });
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
        loop {
            let next = self.next_moment().filter(|next| *next <= until);
            let Some(next) = next else { break };
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
            if let Some((node, input)) = self.due.remove(&number) {
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

    fn step(&mut self, node: usize, mut inputs: Vec<Input>) {
        let mut effects = Vec::new();
        loop {
            self.nodes[node].engine.step(self.now, inputs.drain(..), &mut effects);
            self.nodes[node].engine.check();
            for effect in effects.drain(..) {
                writeln!(self.log, "{} {node} {effect:?}", self.now.0).expect("strings grow");
                if let Effect::Append { lsn, .. } = effect {
                    inputs.push(Input::Durable(lsn));
                } else {
                    self.perform(node, effect);
                }
            }
            if inputs.is_empty() {
                return;
            }
        }
    }

    fn perform(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Send { to, message } => {
                self.messages += u64::from(!matches!(message, Message::Load { .. }));
                let from = NodeId(node as u32);
                let at = self.now + self.latency;
                self.put(at, to.index(), Input::Received { from, message });
            }
            Effect::Start { run, items, .. } => self.start(node, run, items),
            Effect::Stop { run, why, .. } => self.stop(node, run, why),
            Effect::Tell(event) => self.events.push(event),
            Effect::Reply { reply, .. } => self.replies.push(reply),
            Effect::Append { .. } => unreachable!("appends are answered by the caller"),
        }
    }

    fn start(&mut self, node: usize, run: RunNo, items: Vec<GrantItem>) {
        let mut outcomes = Vec::new();
        let mut whole = Span::ZERO;
        for item in &items {
            let each = item.each().units() / self.nodes[node].speed * self.unit.as_secs_f64();
            let busy = Span::from_secs_f64(each * f64::from(item.range.count));
            whole += busy;
            let failed = item.range.tasks().find_map(|task| (self.fate)(task, item.attempt));
            assert!(failed.is_none() || item.range.count == 1, "tests fail single tasks");
            let outcome = match failed {
                Some(failure) => Outcome::Failed { failure, output: Payload::Empty },
                None => Outcome::Succeeded(Results::Nothing),
            };
            let (fence, range) = (item.fence, item.range);
            let usage = Usage { began: self.now, busy, ..Usage::default() };
            outcomes.push(OutcomeItem { fence, range, outcome, stderr: Payload::Empty, usage });
        }
        self.nodes[node].runs.insert(run, items);
        self.put(self.now + whole, node, Input::Ended { run, items: outcomes });
    }

    /// A stopped run ends at once; its planned end finds it gone.
    fn stop(&mut self, node: usize, run: RunNo, why: Why) {
        let Some(items) = self.nodes[node].runs.remove(&run) else { return };
        let outcome = |first: bool| match (first, why) {
            (false, _) => Outcome::Returned,
            (true, Why::Cancel) => Outcome::Stopped,
            (true, _) => Outcome::Failed { failure: Failure::TimedOut, output: Payload::Empty },
        };
        let ended = items.iter().enumerate().map(|(at, item)| OutcomeItem {
            fence: item.fence,
            range: item.range,
            outcome: outcome(at == 0),
            stderr: Payload::Empty,
            usage: Usage::default(),
        });
        let ended = ended.collect();
        self.put(self.now, node, Input::Ended { run, items: ended });
    }

    fn put(&mut self, at: Moment, node: usize, input: Input) {
        if let Input::Ended { run, .. } = &input
            && let Some(live) = self.nodes.get_mut(node)
            && at == self.now
        {
            live.runs.remove(run);
        }
        self.sequence += 1;
        self.due.insert(self.sequence, (node, input));
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
