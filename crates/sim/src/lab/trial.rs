//! One policy that lives one seed of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::job::{About, JobSpec, SubmissionKey};
use bary_model::resources::Resources;
use bary_model::task::{After, Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;
use bary_policy::preset::{self, Binding, Policy};

use crate::lab::attempts::Attempts;
use crate::lab::gossip;
use crate::lab::log::{GREETING_ROW, Log};
use crate::lab::measures::Measures;
use crate::lab::nodes;
use crate::lab::scenario::Scenario;
use crate::lab::setting::Setting;
use crate::lab::shape::{Arrival, Load, Piece};
use crate::lab::workload::{Making, Need};
use crate::plan::ready::{ACQUAINTED_MAX, function};
use crate::plan::scaling::{AdaptivePlan, CrewPlan};
use crate::plan::{DiskPlan, Fault, FaultKind, JobPlan, Keeping, Plan};
use crate::report::{Report, Verdict};
use crate::watch::{Seen, Watch};
use crate::world;

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// The measures.
    pub measures: Measures,
    /// Where and when each task ran.
    pub log: Log,
    /// What the world counted.
    pub report: Report,
    /// The load with the tasks that were made, where some could be.
    pub made: Option<Load>,
}

/// Why a run tells nothing. Nothing is left of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// It did not come to its end.
    #[error("with {policy} and seed {seed} {what}: {left} tasks had not ended")]
    Endless {
        /// The policy.
        policy: String,
        /// The seed.
        seed: u64,
        /// How it went.
        what: &'static str,
        /// How many tasks were left.
        left: u64,
    },
}

/// Lives a load that was drawn for `seed`.
///
/// # Errors
/// Where the world did not come to rest: with a policy that leaves tasks, or after more events
/// than [`EVENTS_MAX`] and so many for each task.
pub fn run(scenario: &Scenario, load: &Load, policy: &str, seed: u64) -> Result<Trial, TrialError> {
    metered(scenario, load, (policy, seed), &mut Unmetered)
}

/// The same, with somebody who may have a clock told when a home begins to decide and when it has.
///
/// # Errors
/// As [`run`].
pub fn metered(
    scenario: &Scenario,
    load: &Load,
    (policy, seed): (&str, u64),
    meter: &mut dyn Meter,
) -> Result<Trial, TrialError> {
    let plan = plan(scenario, load, policy, seed);
    let makes = plan.crew.adaptive.map_or(0, |made| made.tasks_max as usize);
    let mut log = Log::new(load, makes, &plan, zero(scenario));
    let homes = plan.nodes.iter().map(|node| node.home).collect();
    let mut metered = Metered { log: &mut log, homes, meter };
    let report = world::run(&plan, Some(&mut metered), None);
    let made = log.completed(load);
    let load = made.as_ref().unwrap_or(load);
    let what = match report.verdict {
        Verdict::Rest | Verdict::Late => "the world came to its deadline",
        Verdict::Apart => "nodes did not see each other",
        Verdict::TooMany => "there were too many events",
        Verdict::Still => "very much happened without any time going by",
    };
    let left = log.left();
    // Timers of work that is done may go on; tasks that are left may not.
    if left > 0 && scenario.faults.is_empty() && scenario.is_sound() {
        return Err(TrialError::Endless { policy: policy.to_owned(), seed, what, left });
    }
    let setting = Setting { scenario, load, log: &log, report: &report };
    let measures = setting.measures();
    Ok(Trial { measures, log, report, made })
}

/// Somebody who may measure how long homes take to decide.
pub trait Meter {
    /// A home's engine is about to be stepped.
    fn begin(&mut self);

    /// It has been.
    fn end(&mut self);
}

/// Measures nothing.
struct Unmetered;

impl Meter for Unmetered {
    fn begin(&mut self) {}

    fn end(&mut self) {}
}

/// A log, and a meter that is told of homes only.
struct Metered<'a> {
    log: &'a mut Log,
    homes: Vec<bool>,
    meter: &'a mut dyn Meter,
}

impl Watch for Metered<'_> {
    fn see(&mut self, at: Moment, node: usize, seen: Seen<'_>) {
        self.log.see(at, node, seen);
    }

    fn begins(&mut self, node: usize) {
        if self.homes[node] {
            self.meter.begin();
        }
    }

    fn ends(&mut self, node: usize) {
        if self.homes[node] {
            self.meter.end();
        }
    }
}

/// How many events a run may have, beyond [`EVENTS_A_TASK`] for each task.
pub const EVENTS_MAX: u64 = 50_000_000;
/// How many events a run may have for each task.
pub const EVENTS_A_TASK: u64 = 2_000;

/// How long after its own time all work must have ended.
const PATIENCE: Span = Span::secs(30);

/// How long a policy leaves work to those who may claim it.
fn claim_timeout(policy: &str) -> Span {
    let claims = |policy: &Policy| policy.binding == Binding::Claims;
    let policy = preset::parse(policy).ok().filter(claims);
    policy.map_or(Span::ZERO, |policy| policy.protocol.claim_timeout)
}

/// The plan of a policy's run.
#[must_use]
pub fn plan(scenario: &Scenario, load: &Load, policy: &str, seed: u64) -> Plan {
    let nodes = nodes::plans(&scenario.nodes, &scenario.homes_at());
    let zero = zero(scenario);
    let mut faults: Vec<_> = scenario.faults.iter().flat_map(|fault| fault.plan()).collect();
    faults.iter_mut().for_each(|fault| fault.at = zero + fault.at.since(Moment(0)));
    let efforts = load.errs.then(|| {
        load.tasks.iter().map(|task| task.real / task.weight.units()).collect::<Arc<[f64]>>()
    });
    Plan {
        seed,
        acquainted: nodes.len() <= ACQUAINTED_MAX,
        nodes,
        network: scenario.network.plan(),
        disk: DiskPlan { sync: scenario.sync, keeping: keeping(scenario, &faults) },
        presence: scenario.gossip.clone(),
        bandwidth: scenario.network.bandwidths.clone(),
        guess: scenario.network.guess,
        efforts,
        unit: scenario.unit,
        fates: scenario.attempts.fates,
        jobs: jobs(scenario, load, zero, !faults.is_empty() || !scenario.is_sound()),
        calm: calm(scenario, load),
        faults,
        patience: PATIENCE + claim_timeout(policy) + makes(scenario),
        crew: crew(scenario, load),
        events_max: EVENTS_MAX + EVENTS_A_TASK * load.tasks.len() as u64,
        ..Plan::bare(0, 0, policy)
    }
}

/// Which nodes come and go, and which tasks are made.
fn crew(scenario: &Scenario, load: &Load) -> CrewPlan {
    let scaling = scenario.scalings.first();
    let (zero, first_row) = (zero(scenario), load.tasks.len() as u64);
    let adaptive = scenario.making().map(|(making, at, tasks_max)| AdaptivePlan {
        rule: making.rule,
        capacity: making.capacity,
        from: zero + at,
        every: making.every,
        until: zero + at + making.lasts,
        tasks_max,
        first_row,
    });
    CrewPlan {
        absent: scaling.map_or(0, |scaling| scenario.count() - scaling.first),
        outside: false,
        scale: scaling.and_then(|scaling| scaling.plan.clone()),
        adaptive,
    }
}

/// How long the tasks that are made may take, one after another on the slowest node.
fn makes(scenario: &Scenario) -> Span {
    let of = |(making, at, most): (Making, Span, u32)| {
        let units = making.rule.weight_max * f64::from(most);
        at + making.lasts
            + Span::from_secs_f64(units * scenario.unit.as_secs_f64() / scenario.slowest())
    };
    scenario.making().map(of).unwrap_or_default()
}

/// What journals keep: nothing where nobody ever opens one again, and bytes where they may find
/// no space.
fn keeping(scenario: &Scenario, faults: &[Fault]) -> Keeping {
    let fills = |fault: &Fault| matches!(fault.kind, FaultKind::Full { .. });
    match faults {
        [] if scenario.attempts.fates.poison == 0 => Keeping::Nothing,
        some if some.iter().any(fills) => Keeping::Bytes { segment: SEGMENT, snapshot: SEGMENT },
        _ => Keeping::Model,
    }
}

/// How many bytes a segment of a journal has, and after how many a snapshot is wanted.
const SEGMENT: u64 = 1 << 20;

/// When messages are lost no more and faults are over: behind the last fault, and where messages
/// are lost or tasks take their nodes down, so late that all work should be done by then.
fn calm(scenario: &Scenario, load: &Load) -> Moment {
    let faults = scenario.faults.iter().map(|fault| fault.until()).max();
    let faults = faults.map(|at| zero(scenario) + at.since(Moment(0))).unwrap_or_default();
    if scenario.network.is_sound() && scenario.attempts.fates.poison == 0 {
        return faults;
    }
    let work: f64 = load.tasks.iter().map(|task| task.real).sum();
    let longest = load.tasks.iter().map(|task| task.real).fold(0.0, f64::max);
    let units = 10.0 * (work / scenario.power() + longest);
    let last = load.jobs.iter().map(|job| job.at).max().unwrap_or_default();
    let done = last + Span::from_secs_f64(units * scenario.unit.as_secs_f64()) + Span::secs(60);
    faults.max(zero(scenario) + done.since(Moment(0)))
}

/// When the load's time begins: all nodes have met by then, and have told how much room they have.
fn zero(scenario: &Scenario) -> Moment {
    let far = scenario.network.latencies.iter().flatten().max().copied().unwrap_or_default();
    let meeting = |plan| gossip::meeting(plan, scenario.count(), &scenario.network);
    let met = scenario.gossip.as_ref().map(meeting).unwrap_or_default();
    Moment(0) + Span::secs(1) + far.times(10) + met
}

fn jobs(scenario: &Scenario, load: &Load, zero: Moment, keyed: bool) -> Vec<JobPlan> {
    let mut bodies = Bodies { attempts: &scenario.attempts, made: BTreeMap::new() };
    let homes = if scenario.met { scenario.homes_at() } else { Vec::new() };
    let greetings = homes.into_iter().map(|home| JobPlan::new(Moment(0), home, greeting()));
    let each = load.jobs.iter().enumerate().map(|(number, arrival)| {
        let mut spec = JobSpec::new("sim", specs(load, arrival, &mut bodies));
        if keyed {
            spec.key = Some(SubmissionKey { key: number as u128, content: number as u64 });
        }
        spec.about = About { owner: format!("o{}", arrival.owner).into(), ..About::default() };
        JobPlan::new(zero + arrival.at.since(Moment(0)), arrival.home, spec)
    });
    greetings.chain(each).collect()
}

/// A task of no account, which all nodes hear of. It is none of the load's, and has no row there.
fn greeting() -> JobSpec {
    let spec = TaskSpec::new(Arc::new(function("greeting")));
    let weight = Weight::MIN;
    let spec = TaskSpec { weight, first_row: GREETING_ROW, ..spec };
    JobSpec::new("greeting", vec![Arc::new(spec)])
}

/// The bodies of tasks; those that need the same share one.
struct Bodies<'a> {
    attempts: &'a Attempts,
    made: BTreeMap<(Need, Arc<str>), Arc<Body>>,
}

impl Bodies<'_> {
    fn of(&mut self, task: &Piece) -> Arc<Body> {
        let attempts = self.attempts;
        let made = || Arc::new(body(task.need, &task.function, attempts));
        let named = (task.need, Arc::clone(&task.function));
        Arc::clone(self.made.entry(named).or_insert_with(made))
    }
}

fn body(need: Need, name: &str, attempts: &Attempts) -> Body {
    let mut body = function(if name.is_empty() { "work" } else { name });
    attempts.arm(&mut body);
    body.request.resources = Resources {
        memory: need.memory,
        milli_cpus: need.milli_cpus,
        milli_gpus: u64::from(need.gpus) * 1_000,
        ..Resources::default()
    };
    body
}

/// The specs of a job: an array where all tasks are the same, and one for each task otherwise.
/// A task's row is its number in the load, by which it is known again.
fn specs(load: &Load, arrival: &Arrival, bodies: &mut Bodies<'_>) -> Vec<Arc<TaskSpec>> {
    let tasks = load.tasks_of(arrival);
    let first = u64::from(arrival.first);
    let gang = tasks[0].gang;
    let alike = (gang > 0 || !load.errs)
        && tasks.iter().all(|task| {
            (task.weight, task.need, task.output)
                == (tasks[0].weight, tasks[0].need, tasks[0].output)
                && task.function == tasks[0].function
                && task.after.is_empty()
        });
    if alike {
        let (weight, count) = (tasks[0].weight, arrival.count);
        let spec = TaskSpec { output: tasks[0].output, ..TaskSpec::new(bodies.of(&tasks[0])) };
        let array = gang > 0 || count > 1;
        let spec = TaskSpec { count, array, weight, gang, first_row: first, ..spec };
        return vec![Arc::new(spec)];
    }
    let each = tasks.iter().zip(first..).map(|(task, row)| {
        let after = task.after.iter().map(|before| After { spec: SpecNo(*before), aligned: false });
        let spec = TaskSpec { output: task.output, ..TaskSpec::new(bodies.of(task)) };
        let after = after.collect();
        Arc::new(TaskSpec { weight: task.weight, first_row: row, after, ..spec })
    });
    each.collect()
}
