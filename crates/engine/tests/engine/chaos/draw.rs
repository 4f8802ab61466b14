//! Draws a world, its jobs, its fates and what users do meanwhile, all from one seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_engine::input::Request;
use bary_engine::limits::Limits;
use bary_model::action::{Action, Backoff};
use bary_model::id::{JobNo, SpecNo, TaskId};
use bary_model::job::JobSpec;
use bary_model::message::GrantItem;
use bary_model::node::NodeInfo;
use bary_model::outcome::Failure;
use bary_model::resources::Resources;
use bary_model::task::{After, Body, LabelRule, RunIf, TaskSpec, Use};
use bary_model::template::Template;
use bary_model::time::{Moment, Span};
use bary_policy::dice::Dice;
use bary_policy::preset::{self, PRESETS};

use crate::hands::Course;
use crate::world::{body, info, spec};

/// Everything that a seed decides.
pub(super) struct Plan {
    pub(super) nodes: Vec<NodeInfo>,
    pub(super) distances: Vec<Vec<Span>>,
    pub(super) policy: String,
    pub(super) limits: Limits,
    pub(super) journal: Span,
    pub(super) unit: Span,
    pub(super) acts: Vec<(Moment, usize, Request)>,
    pub(super) fates: Fates,
}

/// How often attempts go wrong, in percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fates {
    seed: u64,
    fails: u64,
    hangs: u64,
    lies: bool,
}

/// Dice with the few ways of drawing that plans need.
struct Lot(Dice);

impl Lot {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut lot = Lot(Dice::new(seed, "chaos"));
        let nodes = nodes(&mut lot);
        let distances = distances(&mut lot, nodes.len());
        let fates = Fates {
            seed,
            fails: lot.one_of(&[0, 0, 5, 40]),
            hangs: lot.one_of(&[0, 0, 3, 20]),
            lies: lot.percent(50),
        };
        let mut acts = Vec::new();
        let homes = if lot.percent(50) { 1 } else { nodes.len() as u64 };
        let mut jobs: BTreeMap<usize, u32> = BTreeMap::new();
        let mut submitted: Vec<(u64, usize)> = (0..lot.between(1, 6))
            .map(|_| (lot.one_of(&[0, 0, 5, 50, 400]), lot.below(homes) as usize))
            .collect();
        submitted.sort_unstable();
        for (at, home) in submitted {
            let next = jobs.entry(home).or_default();
            let no = JobNo(*next);
            *next += 1;
            one_job(&mut lot, (at, home, no), &nodes, fates, &mut acts);
        }
        for _ in 0..lot.one_of(&[0, 0, 1, 3]) {
            let policy = policy(&mut lot);
            let at = Moment(0) + Span::millis(lot.below(1_000));
            let only = lot.below(2 * nodes.len() as u64) as usize;
            for node in (0..nodes.len()).filter(|node| only >= nodes.len() || *node == only) {
                let policy = preset::parse(&policy).expect("drawn policies parse");
                acts.push((at, node, Request::Follow(policy)));
            }
        }
        acts.sort_by_key(|(at, ..)| *at);
        let policy = policy(&mut lot);
        let limits = limits(&mut lot);
        let journal = Span::micros(lot.one_of(&[0, 0, 100, 5_000]));
        let unit = Span::micros(lot.one_of(&[100, 1_000, 10_000]));
        Self { nodes, distances, policy, limits, journal, unit, acts, fates }
    }
}

fn nodes(lot: &mut Lot) -> Vec<NodeInfo> {
    let count = lot.one_of(&[1, 2, 3, 4, 6, 12]);
    let all = (0..count).map(|id| {
        let slots = lot.between(1, 8) as u32;
        let mut node = info(id, slots, lot.one_of(&[0.25, 1.0, 1.0, 4.0]));
        if lot.percent(30) {
            node.resources.named.insert("seat".into(), lot.between(1, 3));
        }
        if lot.percent(30) {
            node.resources.milli_gpus = 1_000 * lot.between(1, 2);
        }
        node.labels.insert("zone".into(), lot.one_of(&["a", "b"]).into());
        node
    });
    all.collect()
}

fn distances(lot: &mut Lot, nodes: usize) -> Vec<Vec<Span>> {
    let far = lot.one_of(&[0, 1, 1_000, 50_000]);
    let even = lot.percent(50);
    let mut one = || Span::micros(if even { far } else { lot.below(far + 1) });
    (0..nodes).map(|_| (0..nodes).map(|_| one()).collect()).collect()
}

fn policy(lot: &mut Lot) -> String {
    // Under Open binding tasks may run twice, which this oracle does not let them.
    let presets: Vec<_> = PRESETS.iter().filter(|(name, _)| *name != "open").collect();
    let mut text = lot.one_of(&presets).0.to_owned();
    let orders = ["fifo", "heaviest-first", "lightest-first", "b-level", "priority"];
    let forces = ["gravity", "pids-classic", "least-loaded", "round-robin", "random"];
    let parts: [(&str, &[&str]); 5] = [
        ("binding", &["pull", "push"]),
        ("order", &orders),
        ("force", &forces),
        ("steal", &["half", "none"]),
        ("alpha", &["0.1", "0.5", "1"]),
    ];
    for (part, values) in parts {
        if lot.percent(25) {
            text += &format!(",{part}={}", lot.one_of(values));
        }
    }
    text
}

fn limits(lot: &mut Lot) -> Limits {
    let usual = Limits::default();
    if lot.percent(30) {
        return usual;
    }
    Limits {
        grant_items_max: lot.one_of(&[1, 2, 5, usual.grant_items_max]),
        push_queue_tasks_max: lot.between(1, 20),
        outcome_items_max: lot.one_of(&[1, 3, usual.outcome_items_max]),
        outcome_delay_max: Span::millis(lot.one_of(&[0, 1, 200])),
        run_tasks_max: lot.one_of(&[1, 3, usual.run_tasks_max]),
        run_span: Span::micros(lot.one_of(&[10, 1_000, 20_000])),
        command_run_span: Span::micros(lot.one_of(&[10, 4_000, 20_000])),
        passed_over_max: lot.one_of(&[0, 1, 16]),
        ask_ahead_min: Span::micros(lot.one_of(&[0, 1_000, 100_000])),
        explain: lot.percent(20),
        ..usual
    }
}

/// A job and what users do with it later: extend, close, cancel.
fn one_job(
    lot: &mut Lot,
    (at, home, job): (u64, usize, JobNo),
    nodes: &[NodeInfo],
    fates: Fates,
    acts: &mut Vec<(Moment, usize, Request)>,
) {
    let moment = |at: u64| Moment(0) + Span::millis(at);
    let open = lot.percent(30);
    let first = if lot.percent(5) { Vec::new() } else { graph(lot, nodes, fates) };
    let specs = first.into_iter().map(Arc::new).collect();
    let name = "chaos".into();
    acts.push((
        moment(at),
        home,
        Request::Submit(JobSpec { name, specs, open, halt: None, key: None }),
    ));
    let mut later = at;
    if open {
        for _ in 0..lot.below(3) {
            later += lot.below(300);
            let specs = graph(lot, nodes, fates).into_iter().map(Arc::new).collect();
            acts.push((moment(later), home, Request::Extend { job, specs }));
        }
    }
    for _ in 0..lot.one_of(&[0, 0, 0, 1, 2]) {
        let running = lot.percent(50);
        let at = at + lot.one_of(&[0, 1, 20, 100, 1_000]) + lot.below(10);
        acts.push((moment(at), home, Request::Cancel { job, running }));
    }
    if open {
        acts.push((moment(later + lot.below(2_000)), home, Request::Close(job)));
    }
}

/// Some specs, each waiting for some of those before it; some bodies are shared.
fn graph(lot: &mut Lot, nodes: &[NodeInfo], fates: Fates) -> Vec<TaskSpec> {
    if lot.percent(20) {
        let body = Arc::new(a_body(lot, nodes, fates, &[]));
        let many = lot.between(1, 200);
        return (0..many).map(|_| spec("", 1, lot.between(1, 10) as f64, &body)).collect();
    }
    let mut specs: Vec<TaskSpec> = Vec::new();
    for _ in 0..lot.between(1, 8) {
        let mut count = lot.one_of(&[1, 1, 2, 7, 20, 300]) as u32;
        if specs.is_empty() && lot.percent(10) {
            count = lot.between(1_000, 4_000) as u32;
        }
        let mut after = Vec::new();
        for (number, other) in specs.iter().enumerate() {
            if lot.percent(30) {
                let aligned = lot.percent(60);
                if aligned && after.iter().all(|after: &After| !after.aligned) {
                    count = other.count;
                }
                let aligned = aligned && count == other.count;
                after.push(After { spec: SpecNo(number as u32), aligned });
            }
        }
        // A later aligned dependency may have changed the count of an earlier one.
        for one in &mut after {
            one.aligned &= specs[one.spec.index()].count == count;
        }
        let body = Arc::new(a_body(lot, nodes, fates, &after));
        let weight = if count > 100 { 0.1 } else { lot.one_of(&[0.01, 1.0, 10.0]) };
        let mut made = spec("", count, weight, &body);
        made.array |= lot.percent(20);
        made.after = after.into();
        specs.push(made);
    }
    specs
}

fn a_body(lot: &mut Lot, nodes: &[NodeInfo], fates: Fates, after: &[After]) -> Body {
    let host = &nodes[lot.below(nodes.len() as u64) as usize];
    let mut body = body(lot.one_of(&["f", "g"]));
    if lot.percent(20) {
        body.action = Action::Command { argv: vec![Template::literal("true")] };
    }
    body.request.resources = resources(lot, host);
    if lot.percent(15) {
        let value = host.labels["zone"].clone();
        body.request.labels = vec![LabelRule { label: "zone".into(), value, not: false }];
    }
    body.priority = lot.one_of(&[0, 0, 0, 1, -1]);
    body.retries = lot.between(0, 3) as u16;
    let base = Span::millis(lot.between(0, 50));
    body.backoff = Backoff { base, max: Span::secs(1), ..Backoff::default() };
    body.run_if = lot.one_of(&[RunIf::Success, RunIf::Success, RunIf::Failure, RunIf::Always]);
    body.detail = lot.percent(20);
    body.keep_results = lot.percent(40);
    let uses = after.iter().filter(|_| lot.percent(50)).map(|after| Use {
        spec: after.spec,
        name: "up".into(),
        aligned: after.aligned,
    });
    body.uses = uses.collect();
    if fates.hangs > 0 || lot.percent(20) {
        body.timeout = Span::millis(lot.between(20, 500));
    }
    body.grace = Span::millis(lot.between(1, 50));
    if lot.percent(20) {
        body.heartbeat_timeout = Some(Span::millis(lot.between(5, 100)));
    }
    body
}

/// A request that fits into this node.
fn resources(lot: &mut Lot, host: &NodeInfo) -> Resources {
    let whole = host.resources.milli_cpus;
    let cpus = lot.one_of(&[1_000, 1_000, 1_000, 250, 2_000, whole, 0]).min(whole);
    let mut need = Resources { milli_cpus: cpus, ..Resources::default() };
    if lot.percent(20) {
        need.memory = host.resources.memory / lot.between(1, 4);
    }
    if lot.percent(40) && host.resources.milli_gpus > 0 {
        need.milli_gpus = 500;
    }
    if lot.percent(40) {
        need.named = host.resources.named.keys().map(|name| (name.clone(), 1)).collect();
    }
    need
}

impl Fates {
    /// What becomes of an attempt: the same, whenever and wherever it is made.
    pub(super) fn course(&self, item: &GrantItem, task: TaskId) -> Course {
        let mut key = self.seed ^ item.fence.shard.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for part in [task.job.0, task.spec.0, task.index, u32::from(item.attempt)] {
            key = key.wrapping_mul(0x0100_0000_01b3) ^ u64::from(part);
        }
        let mut lot = Lot(Dice::new(key, "fate"));
        let mut course = Course::of(None);
        if self.lies {
            course.effort = lot.one_of(&[0.01, 0.3, 1.0, 1.0, 3.0, 10.0]);
        }
        if lot.percent(self.fails) {
            course.failure = Some(match lot.below(8) {
                0 => Failure::NotStarted("no such program".into()),
                1 | 2 => Failure::Signal(11),
                3 => Failure::Panicked("on purpose".into()),
                _ => Failure::Exit(1),
            });
        }
        course.hangs = item.spec.body.timeout < Span::secs(10) && lot.percent(self.hangs);
        course.silent = lot.percent(self.hangs);
        course
    }
}
