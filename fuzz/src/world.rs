//! Two engines that talk to each other, with hands that run nothing and end everything at once.

use std::collections::BTreeMap;

use bary_engine::effect::Effect;
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Request};
use bary_engine::limits::Limits;
use bary_ledger::ledger::Ledger;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::job::JobSpec;
use bary_model::machine::Machine;
use bary_model::message::{Frame, GrantItem, OutcomeItem};
use bary_model::node::{NodeInfo, Offers, Peer};
use bary_model::outcome::{Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::resources::Resources;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::preset;
use bary_wire::batch::Batch;

use crate::job;

/// The shard that the first engine is home of.
const SHARD: ShardId = ShardId(1);
/// How many batches and frames are remembered.
const KEPT_MAX: usize = 200;

/// Two engines, and what they have written and said.
pub(crate) struct World {
    engines: [Engine; 2],
    inputs: [Vec<Input>; 2],
    now: Moment,
    tickets: u64,
    /// What the home wrote.
    pub(crate) batches: Vec<Batch>,
    /// What went from one engine to the other.
    pub(crate) frames: Vec<Frame>,
}

impl World {
    /// A world without jobs.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            engines: [engine(0), engine(1)],
            inputs: [Vec::new(), Vec::new()],
            now: Moment(0),
            tickets: 0,
            batches: Vec::new(),
            frames: Vec::new(),
        };
        let ledger = Box::new(Ledger::new(SHARD));
        world.inputs[0].push(Input::Opened { ledger, next: Lsn(1) });
        for (me, other) in [(0, 1), (1, 0)] {
            let (info, round_trip) = (info(other), Span::micros(100));
            let peer = Peer { info, round_trip, machine: Machine::default() };
            world.inputs[me].push(Input::Joined(Box::new(peer)));
        }
        world
    }

    /// A world whose jobs have begun.
    pub(crate) fn that_began() -> Self {
        let mut world = Self::new();
        for job in job::examples() {
            world.submit(job);
        }
        world.live(4);
        world
    }

    /// A world whose jobs have ended, as far as they can.
    pub(crate) fn that_lived() -> Self {
        let mut world = Self::that_began();
        world.live(400);
        world
    }

    /// Hands the home a job.
    pub(crate) fn submit(&mut self, job: JobSpec) {
        self.tickets += 1;
        let request = Box::new(Request::Submit(job));
        self.inputs[0].push(Input::Request { ticket: self.tickets, request });
    }

    /// So many steps of both engines. Where nothing comes in, time goes on to when one wants it.
    pub(crate) fn live(&mut self, steps: u32) {
        for _ in 0..steps {
            self.now = self.now + Span::micros(50);
            if self.inputs.iter().all(Vec::is_empty) {
                let wake = self.engines.iter().filter_map(Engine::wake).min();
                let Some(wake) = wake else { return };
                self.now = self.now.max(wake);
            }
            for me in 0..2 {
                self.step(me);
            }
        }
    }

    /// What is true of the home's shard.
    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        self.engines[0].ledger(SHARD)
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self) {
        self.engines.iter().for_each(Engine::check);
    }

    fn step(&mut self, me: usize) {
        let mut effects = Vec::new();
        let inputs = std::mem::take(&mut self.inputs[me]);
        self.engines[me].step(self.now, inputs, &mut effects);
        for effect in effects {
            match effect {
                Effect::Append { shard, epoch, lsn, at, records } => {
                    if self.batches.len() < KEPT_MAX {
                        self.batches.push(Batch { epoch, at: Some(at), records });
                    }
                    self.inputs[me].push(Input::Durable { shard, lsn });
                }
                Effect::Start { run, items, .. } => {
                    let items = items.iter().map(|item| ended(item, run.0)).collect();
                    self.inputs[me].push(Input::Ended { run, items });
                }
                Effect::Send { frame, .. } => {
                    if self.frames.len() < KEPT_MAX {
                        self.frames.push(frame.clone());
                    }
                    let from = NodeId(me as u64);
                    self.inputs[1 - me].push(Input::Received { from, frame });
                }
                // Nobody answers what the graph of the cluster or of a job is like, or how busy a
                // machine is; no policy here asks.
                Effect::Plan { .. }
                | Effect::Gauge
                | Effect::Lay { .. }
                | Effect::Stop { .. }
                | Effect::Tell(_)
                | Effect::Reply { .. } => {}
            }
        }
    }
}

/// Every fourth run of a single task fails; all others succeed, with a result where there is one.
fn ended(item: &GrantItem, run: u64) -> OutcomeItem {
    let outcome = if item.range.count == 1 && run.is_multiple_of(4) {
        let output = Payload::Inline("oh".into());
        Outcome::Failed { failure: Failure::Exit(3), output }
    } else {
        Outcome::Succeeded(Results::Nothing)
    };
    let stderr = Payload::Empty;
    let usage = Usage { busy: Span::micros(20), ..Usage::default() };
    OutcomeItem { fence: item.fence, range: item.range, outcome, stderr, usage }
}

fn info(id: u64) -> NodeInfo {
    NodeInfo {
        id: NodeId(id),
        name: format!("n{id}").into(),
        region: "here".into(),
        resources: Resources::cpus(2),
        slots: 2,
        speed: 1.0,
        labels: BTreeMap::new(),
        offers: Offers::default(),
    }
}

fn engine(id: u64) -> Engine {
    let policy = preset::parse("gravity").expect("it is the default");
    Engine::new(EngineConfig {
        node: info(id),
        incarnation: Incarnation(1),
        seed: 1,
        policy,
        limits: Limits::default(),
        flaws: Flaws::default(),
        calendar: Wall::default(),
    })
}
