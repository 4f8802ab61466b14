//! Plans with faults. A hunt's plan draws everything from its seed, each kind of fault on or off;
//! a plan that somebody asked for has the sizes and kinds that were named.

use bary_engine::flaw::Flaws;
use bary_engine::limits::Limits;
use bary_model::time::{Moment, Span};

use crate::fates::Fates;
use crate::lot::Lot;
use crate::plan::faults::{self, Faults};
use crate::plan::presence::PresencePlan;
use crate::plan::scaling::CrewPlan;
use crate::plan::world::{mixed, uneven};
use crate::plan::{
    DiskPlan, Keeping, Plan, chores, decrees, gangs, graphs, machines, moves, placing, protocols,
    steering, ties,
};

/// What of a plan is not drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// How many nodes.
    pub nodes: Option<usize>,
    /// How many of them are homes.
    pub homes: Option<usize>,
    /// At least how many tasks.
    pub tasks: Option<u32>,
}

impl Plan {
    /// The plan of a seed: each kind of fault is on or off, and everything else is drawn too.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self::asked(seed, Sizes::default(), Faults::drawn(seed))
    }

    /// The plan of a seed with exactly these kinds of faults, and these sizes where they are
    /// given.
    #[must_use]
    pub fn asked(seed: u64, sizes: Sizes, on: Faults) -> Self {
        let mut lot = Lot::new(seed, "world");
        let drawn = lot.one_of(&[1, 2, 3, 4, 6, 12]);
        let nodes = sizes.nodes.unwrap_or(drawn).max(1);
        let drawn = if lot.percent(50) { 1 } else { lot.between(1, nodes as u64) as usize };
        let homes = sizes.homes.unwrap_or(drawn).clamp(1, nodes);
        let mut plan = Self {
            seed,
            nodes: mixed(&mut lot, nodes, homes, on.has("drift")),
            crew: CrewPlan::default(),
            acquainted: true,
            policy: policy(&mut lot),
            limits: limits(&mut lot),
            presence: None,
            flaws: Flaws::default(),
            network: uneven(&mut lot),
            disk: disk(&mut Lot::new(seed, "disks")),
            wire: lot.percent(25),
            bandwidth: None,
            guess: None,
            fates: fates(on, &mut Lot::new(seed, "fates")),
            efforts: None,
            unit: Span::micros(lot.one_of(&[100, 1_000, 10_000])),
            jobs: Vec::new(),
            tame: None,
            stream: None,
            changes: Vec::new(),
            drains: Vec::new(),
            decrees: Vec::new(),
            checkpoints: 0,
            faults: Vec::new(),
            deaf: if on.has("deaf") { 30 } else { 0 },
            calm: Moment(0) + Span::millis(lot.one_of(&[500, 2_000, 20_000])),
            patience: Span::secs(30),
            check_every: 8,
            events_max: 20_000_000,
        };
        levels(&mut plan, on, &mut Lot::new(seed, "levels"));
        graphs::draw(&mut plan, sizes.tasks, &mut Lot::new(seed, "jobs"));
        ties::waits(&mut plan, &mut Lot::new(seed, "waits"));
        ties::limits(&mut plan, &mut Lot::new(seed, "permits"));
        changes(&mut plan, &mut Lot::new(seed, "changes"));
        faults::draw(&mut plan, on, &mut Lot::new(seed, "faults"));
        steering::draw(&mut plan, &mut Lot::new(seed, "steering"));
        ties::hosts(&mut plan, &mut Lot::new(seed, "hosts"));
        plan.presence = PresencePlan::drawn(&plan);
        decrees::draw(&mut plan, &mut Lot::new(seed, "decrees"));
        protocols::draw(&mut plan, &mut Lot::new(seed, "protocols"));
        placing::draw(&mut plan, &mut Lot::new(seed, "placing"));
        chores::draw(&mut plan, &mut Lot::new(seed, "chores"));
        machines::draw(&mut plan, &mut Lot::new(seed, "machines"));
        gangs::draw(&mut plan, &mut Lot::new(seed, "gangs"));
        moves::draw(&mut plan, &mut Lot::new(seed, "moves"));
        plan
    }
}

fn disk(lot: &mut Lot) -> DiskPlan {
    let sync = Span::micros(lot.one_of(&[0, 100, 5_000]));
    let segment = lot.one_of(&[4 << 10, 16 << 10, 256 << 10]);
    let snapshot = lot.one_of(&[4 << 10, 64 << 10, u64::MAX / 4]);
    let bytes = Keeping::Bytes { segment, snapshot };
    DiskPlan { sync, keeping: lot.one_of(&[Keeping::Model, bytes]) }
}

fn levels(plan: &mut Plan, on: Faults, lot: &mut Lot) {
    let network = &mut plan.network;
    let rates = [1_000, 50_000, 300_000];
    let (loss, twice, late) = (lot.one_of(&rates), lot.one_of(&rates), lot.one_of(&rates));
    network.loss = if on.has("loss") { loss } else { 0 };
    network.twice = if on.has("twice") { twice } else { 0 };
    network.late = if on.has("late") { late } else { 0 };
    network.late_max = Span::millis(lot.one_of(&[5, 100, 2_000]));
}

fn fates(on: Faults, lot: &mut Lot) -> Fates {
    let fate = Fates {
        fails: lot.one_of(&[5, 40]),
        exits: false,
        hangs: lot.one_of(&[3, 20]),
        hang_max: Fates::HANG_MAX,
        silent: lot.one_of(&[3, 20]),
        poison: lot.one_of(&[1, 5]),
        lies: true,
    };
    let level = |name, level| if on.has(name) { level } else { 0 };
    Fates {
        fails: level("fail", fate.fails),
        exits: fate.exits,
        hangs: level("hang", fate.hangs),
        hang_max: fate.hang_max,
        silent: level("silent", fate.silent),
        poison: level("poison", fate.poison),
        lies: on.has("lie"),
    }
}

fn changes(plan: &mut Plan, lot: &mut Lot) {
    let nodes = plan.nodes.len();
    for _ in 0..lot.one_of(&[0, 0, 1, 3]) {
        let policy = policy(lot);
        let at = Moment(0) + Span::millis(lot.below(1_000));
        let only = lot.below(2 * nodes as u64) as usize;
        for node in (0..nodes).filter(|node| only >= nodes || *node == only) {
            plan.changes.push((at, node, policy.clone()));
        }
    }
    plan.changes.sort_by_key(|(at, ..)| *at);
}

/// The presets that are drawn, one number each: what is added to this list changes what seeds mean.
const PRESETS: [&str; 10] = [
    "gravity",
    "pids-classic",
    "least-loaded",
    "round-robin",
    "random",
    "work-stealing",
    "heaviest-first",
    "fifo",
    "b-level",
    "open",
];

/// A preset, with some other parts.
pub(super) fn policy(lot: &mut Lot) -> String {
    let mut text = lot.one_of(&PRESETS).to_owned();
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
