//! What placing a task takes a home with a thousand nodes, by force: microseconds of this machine
//! in all that its engine does from the submission to the grant. Run it with
//! `cargo run --release -p bary-engine --example placement_cost`, with the names of forces behind
//! it where not all are wanted.

#![expect(clippy::print_stdout, reason = "an example prints its figures")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use bary_engine::effect::Effect;
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Request};
use bary_engine::limits::Limits;
use bary_ledger::ledger::Ledger;
use bary_model::action::Action;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::job::JobSpec;
use bary_model::machine::Machine;
use bary_model::node::{Busy, NodeInfo, Offers, Peer};
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span, Wall};
use bary_model::weight::Weight;
use bary_policy::dice::Dice;
use bary_policy::{force, preset};

const NODES: u64 = 1_000;
/// So many jobs, of which the first is not measured.
const JOBS: u32 = 11;
/// Tasks of a job.
const TASKS: u32 = 5_000;
/// Specs of a job; tasks of one spec weigh the same.
const SPECS: u32 = 500;
const WAY: Span = Span::millis(1);

/// A home and the nodes that it places on, which never end a task.
struct World {
    now: Moment,
    engines: Vec<Engine>,
    due: BinaryHeap<Reverse<(Moment, u64)>>,
    inputs: BTreeMap<u64, (usize, Input)>,
    last: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<16} {:>15} {:>15}", "FORCE", "US A PLACEMENT", "4 SPEEDS, US");
    let own = "expr(0-load-weight)";
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &&str| chosen.is_empty() || chosen.iter().any(|one| one == name);
    for force in force::NAMES.iter().copied().chain([own]).filter(wanted) {
        let policy = format!("least-loaded,force={force}");
        let [same, speeds] =
            [&[1.0][..], &[0.5, 1.0, 2.0, 4.0]].map(|speeds| cost(&policy, speeds));
        println!("{force:<16} {:>15.2} {:>15.2}", same?, speeds?);
    }
    Ok(())
}

/// Microseconds a task, the least of some jobs.
fn cost(policy: &str, speeds: &[f64]) -> Result<f64, Box<dyn std::error::Error>> {
    let mut world = World::new(policy, speeds)?;
    let mut dice = Dice::new(1, "weights");
    world.submit(job(&mut dice)?);
    world.run();
    let mut least = Duration::MAX;
    for _ in 1..JOBS {
        // What else runs on the machine only makes it longer.
        least = least.min(world.submit(job(&mut dice)?));
    }
    Ok(least.as_secs_f64() * 1e6 / f64::from(TASKS))
}

fn job(dice: &mut Dice) -> Result<JobSpec, Box<dyn std::error::Error>> {
    let action = Action::Function { name: "f".into(), args: Vec::new() };
    let body = Arc::new(Body::new(action));
    let specs = (0..SPECS).map(|_| {
        let weight = Weight::new(1.0 + 9.0 * dice.unit())?;
        let count = TASKS / SPECS;
        Ok(Arc::new(TaskSpec { count, array: true, weight, ..TaskSpec::new(Arc::clone(&body)) }))
    });
    let specs: Result<Vec<_>, Box<dyn std::error::Error>> = specs.collect();
    Ok(JobSpec::new("cost", specs?))
}

fn info(id: u64, speed: f64) -> NodeInfo {
    NodeInfo {
        id: NodeId(id),
        name: format!("n{id}").into(),
        region: "here".into(),
        resources: Resources::cpus(4),
        slots: 4,
        speed,
        labels: BTreeMap::new(),
        offers: Offers::default(),
    }
}

impl World {
    fn new(policy: &str, speeds: &[f64]) -> Result<Self, Box<dyn std::error::Error>> {
        let infos = (0..NODES).map(|id| info(id, speeds[id as usize % speeds.len()]));
        let infos: Vec<NodeInfo> = infos.collect();
        let engine = |node: &NodeInfo| -> Result<Engine, Box<dyn std::error::Error>> {
            Ok(Engine::new(EngineConfig {
                node: node.clone(),
                incarnation: Incarnation(1),
                seed: 7,
                policy: preset::parse(policy)?,
                limits: Limits { push_queue_tasks_max: 1 << 20, ..Limits::default() },
                flaws: Flaws::default(),
                calendar: Wall::default(),
            }))
        };
        let engines: Result<Vec<Engine>, _> = infos.iter().map(engine).collect();
        let mut world = Self {
            now: Moment(0),
            engines: engines?,
            due: BinaryHeap::new(),
            inputs: BTreeMap::new(),
            last: 0,
        };
        let ledger = Box::new(Ledger::new(ShardId(1)));
        world.put(Moment(0), 0, Input::Opened { ledger, next: Lsn(1) });
        let peer = |info: &NodeInfo| {
            Box::new(Peer {
                info: info.clone(),
                round_trip: WAY.times(2),
                machine: Machine::default(),
            })
        };
        for (at, info) in infos.iter().enumerate().skip(1) {
            world.put(Moment(0), 0, Input::Joined(peer(info)));
            world.put(Moment(0), at, Input::Joined(peer(&infos[0])));
        }
        world.run();
        Ok(world)
    }

    fn put(&mut self, at: Moment, node: usize, input: Input) {
        self.last += 1;
        self.inputs.insert(self.last, (node, input));
        self.due.push(Reverse((at, self.last)));
    }

    /// Lets a second go by, in which all messages arrive.
    fn run(&mut self) {
        let until = self.now + Span::secs(1);
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            let mut inputs: BTreeMap<usize, Vec<Input>> = BTreeMap::new();
            while self.due.peek().is_some_and(|Reverse((at, _))| *at <= self.now) {
                let Some(Reverse((_, number))) = self.due.pop() else { break };
                if let Some((node, input)) = self.inputs.remove(&number) {
                    inputs.entry(node).or_default().push(input);
                }
            }
            for (node, engine) in self.engines.iter().enumerate() {
                if engine.wake().is_some_and(|at| at <= self.now) {
                    inputs.entry(node).or_default();
                }
            }
            for (node, inputs) in inputs {
                self.step(node, inputs);
            }
        }
        self.now = until;
    }

    fn next(&self) -> Option<Moment> {
        let due = self.due.peek().map(|Reverse((at, _))| *at);
        self.engines.iter().filter_map(Engine::wake).chain(due).min()
    }

    /// Lets the home take a job in and place it; gives how long that took.
    fn submit(&mut self, job: JobSpec) -> Duration {
        let request = Box::new(Request::Submit(job));
        self.step(0, vec![Input::Request { ticket: 1, request }])
    }

    fn step(&mut self, node: usize, mut inputs: Vec<Input>) -> Duration {
        let (mut took, mut effects) = (Duration::ZERO, Vec::new());
        loop {
            let began = now();
            self.engines[node].step(self.now, inputs.drain(..), &mut effects);
            took += began.elapsed();
            for effect in effects.drain(..) {
                match effect {
                    Effect::Append { shard, lsn, .. } => inputs.push(Input::Durable { shard, lsn }),
                    Effect::Send { to, frame } => {
                        let from = NodeId(node as u64);
                        self.put(self.now + WAY, to.index(), Input::Received { from, frame });
                    }
                    Effect::Gauge => inputs.push(Input::Gauged(Some(Busy::default()))),
                    _ => {}
                }
            }
            if inputs.is_empty() {
                return took;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs the clock that engines may not")]
#[expect(clippy::disallowed_types, reason = "a measurement needs the clock that engines may not")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
