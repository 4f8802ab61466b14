//! A state on which an engine decides about whatever comes, in virtual time: what is true after
//! each batch is remembered, to be compared with what is restored.

use std::path::PathBuf;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Reply, Request};
use bary_engine::limits::Limits;
use bary_ledger::snapshot::Snapshot;
use bary_model::action::Action;
use bary_model::event::Event;
use bary_model::id::{Incarnation, JobNo, Lsn, NodeId, RunNo, ShardId, SpecNo};
use bary_model::job::{About, JobRef, JobSpec, SubmissionKey};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::node::{NodeInfo, Offers};
use bary_model::outcome::{Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::resources::Resources;
use bary_model::task::{After, Body, TaskSpec};
use bary_model::time::{Moment, Span, Wall};
use bary_policy::dice::Dice;
use bary_policy::preset;
use bary_ports::store::Store;
use bary_wire::batch;
use tempfile::TempDir;

use crate::state::State;

/// When the world's clock was zero.
const BEGAN: Wall = Wall(1_800_000_000_000_000_000);

pub(super) struct World {
    dir: TempDir,
    pub(super) state: State,
    engine: Engine,
    now: Moment,
    pub(super) dice: Dice,
    runs: Vec<(RunNo, Arc<[GrantItem]>)>,
    /// What was true after each batch, and when that was written.
    pub(super) truth: Vec<(Wall, Snapshot)>,
    /// The answers that were given.
    pub(super) replies: Vec<Reply>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("there is room");
        let path = dir.path().join("state");
        let state = State::open(&path, &mut |_| {}).expect("it can be made");
        let mut world = Self {
            dir,
            engine: engine(1),
            state,
            now: Moment(0),
            dice: Dice::new(seed, "world"),
            runs: Vec::new(),
            truth: Vec::new(),
            replies: Vec::new(),
        };
        world.open();
        world
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn shard(&self) -> ShardId {
        self.state.shard()
    }

    /// Ends the process without a word, and goes on with what is on the disk; the events of the
    /// past as they are told then.
    pub(super) fn crash(&mut self) -> Vec<Event> {
        let other = self.path("none");
        self.state = State::open(&other, &mut |_| {}).expect("it can be made");
        let mut events = Vec::new();
        let path = self.path("state");
        self.state = State::open(&path, &mut |event| events.push(event)).expect("it is sound");
        self.engine = engine(self.state.ledger().epoch().0 + 1);
        self.runs.clear();
        self.open();
        events
    }

    fn open(&mut self) {
        let ledger = Box::new(self.state.ledger().clone());
        let next = self.state.next();
        self.step(vec![Input::Opened { ledger, next }]);
    }

    /// Lets time pass and the engine decide, and does what it wants done.
    pub(super) fn step(&mut self, mut inputs: Vec<Input>) {
        let mut effects = Vec::new();
        self.now = self.now + Span::millis(self.dice.below(600_000));
        loop {
            self.now = self.now + Span(1);
            self.engine.step(self.now, inputs.drain(..), &mut effects);
            for effect in effects.drain(..) {
                inputs.extend(self.perform(effect));
            }
            if inputs.is_empty() {
                return;
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Append { shard, epoch, lsn, at, records } => {
                self.append(lsn, |bytes| batch::encode(epoch, Some(at), &records, bytes).is_ok());
                let ledger = self.engine.ledger(shard).expect("it is its home");
                self.truth.push((at, ledger.snapshot()));
                return Some(Input::Durable { shard, lsn });
            }
            Effect::Start { run, items, .. } => self.runs.push((run, items)),
            Effect::Stop { run, .. } => {
                let at = self.runs.iter().position(|(one, _)| *one == run)?;
                let (run, items) = self.runs.remove(at);
                let stopped = |item: &GrantItem| outcome(item.clone(), Outcome::Stopped);
                let items = items.iter().flat_map(singles).map(|item| stopped(&item)).collect();
                return Some(Input::Ended { run, items });
            }
            Effect::Reply { reply, .. } => self.replies.push(reply),
            Effect::Tell(_)
            | Effect::Send { .. }
            | Effect::Plan { .. }
            | Effect::Lay { .. }
            | Effect::Gauge => {}
        }
        None
    }

    fn append(&mut self, lsn: Lsn, encode: impl FnOnce(&mut Vec<u8>) -> bool) {
        let mut bytes = Vec::new();
        assert!(encode(&mut bytes), "it can be written");
        self.state.store.sync().expect("the disk works");
        self.state.log.write(lsn, &bytes).expect("there is room");
        self.state.log.sync().expect("the disk works");
    }

    pub(super) fn ask(&mut self, request: Request) {
        self.step(vec![Input::Request { ticket: 1, request: Box::new(request) }]);
    }

    /// Lets something happen.
    pub(super) fn act(&mut self) {
        let job = JobNo(self.dice.below(self.jobs().max(1)) as u32);
        match self.dice.below(24) {
            0..6 => self.submit(),
            6..15 => self.end_a_run(),
            15 => {
                let (running, reason) = (self.dice.below(2) == 0, Some("so".into()));
                self.ask(Request::Cancel { job, running, reason });
            }
            16 => self.ask(Request::Hold { job, held: true, reason: None }),
            17 | 18 => self.ask(Request::Hold { job, held: false, reason: None }),
            19 => {
                let priority = self.dice.below(9) as i32;
                self.ask(Request::Prioritise { job, priority });
            }
            20 => self.ask(Request::Retry(job)),
            21 | 22 => self.ask(Request::Forget(job)),
            _ => self.step(Vec::new()),
        }
    }

    fn jobs(&self) -> u64 {
        self.engine.ledgers().map(|ledger| ledger.jobs() as u64).sum()
    }

    fn submit(&mut self) {
        let body = Body::new(Action::Function { name: "f".into(), args: Vec::new() });
        let body = Arc::new(Body { retries: self.dice.below(3) as u16, ..body });
        let mut specs = Vec::new();
        for number in 0..=self.dice.below(3) as u32 {
            let count = 1 + self.dice.below(5) as u32;
            let after = number.checked_sub(1).filter(|_| self.dice.below(2) == 0);
            let after = after.map(|spec| After { spec: SpecNo(spec), aligned: false });
            let spec = TaskSpec::new(Arc::clone(&body));
            let after = after.into_iter().collect();
            specs.push(Arc::new(TaskSpec { count, array: count > 1, after, ..spec }));
        }
        let key = SubmissionKey { key: self.dice.below(40).into(), content: 7 };
        let key = (self.dice.below(2) == 0).then_some(key);
        let about = About { held: self.dice.below(8) == 0, ..About::default() };
        let job = JobSpec { key, about, ..JobSpec::new("a", specs) };
        let jobs = self.jobs();
        if jobs > 0 && self.dice.below(3) == 0 {
            let job_no = JobNo(self.dice.below(jobs) as u32);
            let upstream = vec![JobRef { shard: self.shard(), job: job_no }];
            self.ask(Request::SubmitAfter { job, upstream });
        } else {
            self.ask(Request::Submit(job));
        }
    }

    /// A run comes to its end: its tasks succeed or fail, and some give much.
    pub(super) fn end_a_run(&mut self) {
        if self.runs.is_empty() {
            return self.step(Vec::new());
        }
        let at = self.dice.below(self.runs.len() as u64) as usize;
        let (run, items) = self.runs.remove(at);
        let items: Vec<GrantItem> = items.iter().flat_map(singles).collect();
        let items = items.into_iter().map(|item| {
            let what = self.gave(&item);
            outcome(item, what)
        });
        let items = items.collect();
        self.step(vec![Input::Ended { run, items }]);
    }

    fn gave(&mut self, item: &GrantItem) -> Outcome {
        match self.dice.below(6) {
            0 => Outcome::Failed { failure: Failure::Exit(3), output: Payload::Empty },
            1 => {
                let blob = self.state.store.put(said(item).as_bytes()).expect("there is room");
                Outcome::Succeeded(Results::Each(vec![Payload::Stored(blob)]))
            }
            _ => Outcome::Succeeded(Results::Nothing),
        }
    }
}

/// What a task gives that gives much.
fn said(item: &GrantItem) -> String {
    said_by(item.range.job.0, item.range.spec.0, item.range.first)
}

/// What such a task of this place gives.
pub(super) fn said_by(job: u32, spec: u32, index: u32) -> String {
    format!("result of {job}.{spec}.{index} ").repeat(40)
}

/// An item for each task of an item.
fn singles(item: &GrantItem) -> Vec<GrantItem> {
    let range = item.range;
    let one = |at| GrantItem { range: range.with(range.first + at, 1), ..item.clone() };
    (0..range.count).map(one).collect()
}

fn outcome(item: GrantItem, outcome: Outcome) -> OutcomeItem {
    let GrantItem { fence, range, .. } = item;
    OutcomeItem { fence, range, outcome, stderr: Payload::Empty, usage: Usage::default() }
}

fn engine(life: u32) -> Engine {
    let node = NodeInfo {
        id: NodeId(0),
        name: "n0".into(),
        region: "here".into(),
        resources: Resources::cpus(4),
        slots: 4,
        speed: 1.0,
        labels: std::collections::BTreeMap::new(),
        offers: Offers::default(),
    };
    let policy = preset::parse("gravity").expect("it is a preset");
    let limits = Limits { retains_finished: true, ..Limits::default() };
    let (incarnation, flaws, calendar) = (Incarnation(life), Flaws::default(), BEGAN);
    Engine::new(EngineConfig { node, incarnation, seed: 1, policy, limits, flaws, calendar })
}
