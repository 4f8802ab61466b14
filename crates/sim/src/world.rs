//! The world: engines in virtual time. One loop takes what is due next, gives it to its node, and
//! does what the node's engine wants.

mod chart;
mod close;
mod due;
mod effects;
mod faults;
mod machines;
mod moves;
mod presence;
mod process;
mod scaling;
mod stepped;
mod work;

use std::collections::BTreeMap;

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::id::{NodeId, TaskId};
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;

use crate::client::Client;
use crate::freight::Freight;
use crate::lot::Lot;
use crate::network::Network;
use crate::node::{Node, State, WAITING_MAX};
use crate::plan::Plan;
use crate::queue::Queue;
use crate::report::{Report, Verdict};
use crate::session::ears::Ears;
use crate::shard::Shard;
use crate::table::Table;
use crate::tally::Tally;
use crate::trail::Trail;
use crate::watch::{Seen, Watch};
use crate::world::chart::Charted;
use crate::world::due::Due;
use crate::world::presence::Presence;
use crate::world::scaling::Scaling;

/// After how many events at one moment time is said to stand still.
const STILL_MAX: u64 = 5_000_000;

/// Dice, one for each purpose.
#[derive(Debug)]
struct Lots {
    process: Lot,
    disk: Lot,
    work: Lot,
    members: Lot,
    words: Lot,
    gauges: Lot,
}

/// A world that goes on.
pub(crate) struct World<'a> {
    plan: &'a Plan,
    pub(crate) now: Moment,
    queue: Queue<Due>,
    pub(crate) nodes: Vec<Node>,
    shards: Vec<Shard>,
    /// The shard of each node that has one from the start.
    shard_of: Vec<Option<usize>>,
    network: Network,
    freight: Freight,
    clients: Vec<Client>,
    lots: Lots,
    presence: Option<Presence>,
    /// The graph that was found last, and of which nodes.
    charted: Option<Charted>,
    tally: Tally,
    trail: Trail<'a>,
    watch: Option<&'a mut dyn Watch>,
    /// What the node that is being stepped is given next.
    inputs: Vec<Input>,
    effects: Vec<Effect>,
    calm: bool,
    /// Who takes whom for gone though it is not.
    believed: Vec<(usize, usize)>,
    /// How often each poison task took a node down.
    deaths: BTreeMap<(u64, TaskId), u64>,
    /// Which decrees have been acknowledged.
    decreed: Vec<bool>,
    /// How many streamed tasks are to come.
    to_come: u32,
    /// When each streamed task arrived, by shard and job.
    arrived: Vec<Vec<Moment>>,
    steps: u64,
    /// The node whose journal has just failed, and how long it will be down.
    fallen: Option<(usize, Span)>,
    /// The policy that a session told all nodes to follow, if it did.
    followed: Option<Policy>,
    scaling: Scaling,
    /// What a session hears of it, where there is one.
    pub(crate) ears: Option<Ears>,
}

/// Lives a plan to its end. Whoever watches sees everything; the table gets a row for everything.
pub fn run(plan: &Plan, watch: Option<&mut dyn Watch>, table: Option<&mut dyn Table>) -> Report {
    let watch = watch.map(|watch| -> &mut dyn Watch { watch });
    let table = table.map(|table| -> &mut dyn Table { table });
    let mut world = World::new(plan, watch, table);
    world.begin();
    let verdict = world.live();
    world.close(verdict)
}

impl<'a> World<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        watch: Option<&'a mut dyn Watch>,
        table: Option<&'a mut dyn Table>,
    ) -> Self {
        let homes = (0..plan.nodes.len()).filter(|node| plan.nodes[*node].home);
        let shards: Vec<Shard> = homes.map(|node| Shard::new(node, plan.disk.keeping)).collect();
        let mut shard_of = vec![None; plan.nodes.len()];
        for (position, shard) in shards.iter().enumerate() {
            shard_of[shard.native] = Some(position);
        }
        let regions = plan.nodes.iter().map(|node| node.region).collect();
        let lot = |purpose| Lot::new(plan.seed, purpose);
        Self {
            plan,
            now: Moment(0),
            queue: Queue::new(),
            nodes: plan.nodes.iter().map(Node::new).collect(),
            arrived: vec![Vec::new(); shards.len()],
            shards,
            shard_of,
            network: Network::new(&plan.network, regions, plan.seed),
            freight: Freight::default(),
            clients: plan.jobs.iter().map(|_| Client::default()).collect(),
            lots: Lots {
                process: lot("process"),
                disk: lot("disk"),
                work: lot("work"),
                members: lot("members"),
                words: lot("words"),
                gauges: lot("gauges"),
            },
            charted: None,
            presence: plan.presence.is_some().then(|| Presence::new(plan.nodes.len())),
            tally: Tally::default(),
            trail: Trail::new(plan.seed, table),
            watch,
            inputs: Vec::new(),
            effects: Vec::new(),
            calm: plan.calm == Moment(0),
            believed: Vec::new(),
            deaths: BTreeMap::new(),
            decreed: vec![false; plan.decrees.len()],
            to_come: plan.stream.as_ref().map_or(0, |stream| stream.tasks),
            steps: 0,
            fallen: None,
            followed: None,
            scaling: Scaling::default(),
            ears: None,
        }
    }

    /// Puts all that is planned, and begins the nodes.
    pub(crate) fn begin(&mut self) {
        for (number, fault) in (0..).zip(&self.plan.faults) {
            self.queue.put(fault.at, Due::Fault(number));
        }
        for (number, (at, ..)) in (0..).zip(&self.plan.changes) {
            self.queue.put(*at, Due::Change(number));
        }
        for (number, drain) in (0..).zip(&self.plan.drains) {
            self.queue.put(drain.at, Due::Drain(number));
        }
        for (number, decree) in (0..).zip(&self.plan.decrees) {
            self.queue.put(decree.at, Due::Decree(number));
        }
        if !self.calm {
            self.queue.put(self.plan.calm, Due::Calm);
        }
        let there = self.nodes.len() - self.plan.crew.absent;
        self.nodes[there..].iter_mut().for_each(|absent| absent.state = State::Absent);
        self.expect_newcomers();
        for node in 0..there {
            if self.nodes[node].state != State::Absent {
                self.restart(node);
            }
        }
        for (number, job) in (0..).zip(&self.plan.jobs) {
            self.queue.put(job.at, Due::Client { client: number, turn: 0 });
        }
        if self.to_come > 0 {
            self.queue.put(Moment(0), Due::Arrival);
        }
        self.begin_scaling();
    }

    /// Lets everything happen that is due, until nothing is or a limit is met.
    fn live(&mut self) -> Verdict {
        let deadline = self.plan.deadline();
        let (mut moment, mut still) = (Moment(0), 0);
        while let Some((at, due)) = self.queue.pop() {
            if at > deadline {
                // Engines leave timers behind that mean nothing any more.
                let rest = if self.at_rest() { Verdict::Rest } else { Verdict::Late };
                return if self.all_meet() { rest } else { Verdict::Apart };
            }
            self.now = at;
            if at > moment {
                (moment, still) = (at, 0);
            }
            still += 1;
            if self.tally.events > self.plan.events_max {
                return Verdict::TooMany;
            }
            if still > STILL_MAX {
                return Verdict::Still;
            }
            self.happen(due);
        }
        if self.all_meet() { Verdict::Rest } else { Verdict::Apart }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Frame { .. }
            | Due::Over { .. }
            | Due::Beat { .. }
            | Due::Word { .. }
            | Due::Input { .. } => {
                self.give_due(due);
            }
            Due::Wake { node } => self.wake(node as usize),
            Due::Datagram { from, to, bytes } => self.hear(from as usize, to as usize, bytes),
            Due::Chime { node } => self.chime(node as usize),
            Due::Synced { shard, term } => self.synced(shard as usize, term),
            Due::Client { client, turn } => self.client(client as usize, turn),
            Due::Arrival => self.arrive(),
            Due::Change(number) => self.change(number as usize),
            Due::Drain(number) => self.drain(number as usize),
            Due::Decree(number) => self.decree(number as usize),
            Due::Fault(number) => self.fault(number as usize),
            Due::Mend(number) => self.mend(number as usize),
            Due::Restart { node, life } => {
                let node = node as usize;
                if self.nodes[node].state == State::Down && self.nodes[node].life == life {
                    self.restart(node);
                }
            }
            Due::Left { by, life, node, was } => self.left(by as usize, life, node as usize, was),
            Due::Joined { by, life, node } => self.joined(by as usize, life, node as usize),
            Due::Found { node, life } => self.found(node as usize, life),
            Due::Deposed { node, life, shard } => self.depose(node as usize, life, shard as usize),
            Due::Adopt { shard, term } => self.adopt(shard as usize, term),
            Due::Calm => self.calm(),
            Due::Look => self.look(),
            Due::Boot { node } => self.boot(node as usize),
            Due::Make => self.make(),
        }
    }

    /// Gives a node what is due for it now, and with it what is due for it next at this moment.
    fn give_due(&mut self, due: Due) {
        let node = due.node();
        if let Some(input) = self.input_of(due) {
            self.take(node, input);
        }
        if self.nodes[node].state != State::Up {
            return;
        }
        while self.queue.peek().is_some_and(|(at, due)| at == self.now && due.is_for(node)) {
            if let Some(input) = self.queue.pop().and_then(|(_, due)| self.input_of(due)) {
                self.inputs.push(input);
            }
        }
        if !self.inputs.is_empty() {
            self.step(node);
        }
    }

    /// Takes an input for a node that is up into the next step, and keeps it for one that stands
    /// still.
    fn take(&mut self, node: usize, input: Input) {
        let to = &mut self.nodes[node];
        match to.state {
            State::Up => self.inputs.push(input),
            State::Paused => {
                let full = to.waiting.len() >= WAITING_MAX;
                if full && matches!(input, Input::Received { .. }) {
                    self.tally.lost += 1;
                } else {
                    to.waiting.push(input);
                }
            }
            State::Down | State::Dead | State::Absent => {}
        }
    }

    /// Gives a node an input now, if it lives.
    fn give(&mut self, node: usize, input: Input) {
        self.take(node, input);
        if !self.inputs.is_empty() {
            self.step(node);
        }
    }

    /// What is due, as an input of a process that lives; a poison task ends its process instead.
    fn input_of(&mut self, due: Due) -> Option<Input> {
        match due {
            Due::Frame { from, to, frame } => {
                if self.nodes[to as usize].lives() {
                    return Some(Input::Received { from: NodeId(u64::from(from)), frame });
                }
                self.tally.events += 1;
                self.tally.lost += 1;
                self.trail.other(self.now, to as usize, "unheard", u64::from(from));
                None
            }
            Due::Over { node, life, run } => self.over(node as usize, life, run),
            Due::Beat { node, life, run } => {
                let to = &self.nodes[node as usize];
                let at = to.run_at(run).filter(|_| to.life == life && to.lives())?;
                let beats = to.runs[at].1.beats?;
                self.queue.put(self.now + beats, Due::Beat { node, life, run });
                Some(Input::Beat { run })
            }
            Due::Word { node, life, run, step } => self.word(node as usize, life, run, step),
            Due::Input { node, life, input } => {
                let to = &self.nodes[node as usize];
                (to.life == life && to.lives()).then_some(*input)
            }
            _ => None,
        }
    }

    fn wake(&mut self, node: usize) {
        let woken = &mut self.nodes[node];
        if woken.wake != self.now {
            return;
        }
        woken.wake = Moment(u64::MAX);
        if woken.state == State::Up {
            self.tally.events += 1;
            self.step(node);
        }
    }

    /// Steps the engine of a node that is up with the inputs that wait, until it has been given
    /// all that follows at once.
    fn step(&mut self, node: usize) {
        loop {
            self.tally.events += self.inputs.len() as u64;
            for input in &self.inputs {
                self.trail.input(self.now, node, input);
                if let Some(watch) = &mut self.watch {
                    watch.see(self.now, node, Seen::Input(input));
                }
            }
            let stepped = &mut self.nodes[node];
            let Some(engine) = &mut stepped.engine else {
                self.inputs.clear();
                return;
            };
            let local = stepped.clock.shows(self.now);
            if let Some(watch) = &mut self.watch {
                watch.begins(node);
            }
            engine.step(local, self.inputs.drain(..), &mut self.effects);
            if let Some(watch) = &mut self.watch {
                watch.ends(node);
            }
            self.steps += 1;
            if self.plan.check_every > 0 && self.steps.is_multiple_of(self.plan.check_every) {
                engine.check();
            }
            self.perform(node);
            if self.inputs.is_empty() {
                break;
            }
        }
        self.plan_wake(node);
    }

    fn plan_wake(&mut self, node: usize) {
        let stepped = &mut self.nodes[node];
        let Some(local) = stepped.engine.as_ref().and_then(|engine| engine.wake()) else { return };
        let at = stepped.clock.when(self.now, local);
        if at < stepped.wake {
            stepped.wake = at;
            self.queue.put(at, Due::Wake { node: node as u32 });
        }
    }

    fn see(&mut self, node: usize, seen: Seen<'_>) {
        if let Some(watch) = &mut self.watch {
            watch.see(self.now, node, seen);
        }
    }
}
