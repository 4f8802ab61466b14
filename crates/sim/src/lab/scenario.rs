//! A scenario as it is read from a file: checked whole before anything runs.

use std::path::Path;
use std::sync::Arc;

use bary_jobfile::document::{self, Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_trace::trace::Trace;

use crate::lab::attempts::Attempts;
use crate::lab::cut::Cut;
use crate::lab::faults::Mishap;
use crate::lab::gossip;
use crate::lab::keys::TOP;
use crate::lab::limits;
use crate::lab::named;
use crate::lab::network::Web;
use crate::lab::nodes::{self, Group};
use crate::lab::scaling::{Ground, Prices, Scaling};
use crate::lab::workload::{self, Arrivals, CutError, Making, Replayed, Traces, Workload};
use crate::plan::presence::PresencePlan;
use crate::plan::ready::ACQUAINTED_MAX;
use crate::plan::replay::Knowledge;

/// A world and what there is to do in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// How long a task of weight 1 takes at speed 1.
    pub unit: Span,
    /// How many nodes are homes.
    pub homes: usize,
    /// Whether each home has had a task before the load comes.
    pub met: bool,
    /// The first seed.
    pub seed: u64,
    /// How many seeds.
    pub seeds: u32,
    /// What is compared.
    pub policies: Vec<Policy>,
    /// The nodes.
    pub nodes: Vec<Group>,
    /// The network.
    pub network: Web,
    /// How nodes learn of each other, where the world does not tell them.
    pub gossip: Option<PresencePlan>,
    /// How long each sync of a home's journal takes.
    pub sync: Span,
    /// How many of the nodes there are; each policy is lived with each.
    pub scalings: Vec<Scaling>,
    /// What nodes and waiting cost.
    pub prices: Prices,
    /// The work.
    pub workloads: Vec<Workload>,
    /// How tasks go wrong by themselves.
    pub attempts: Attempts,
    /// What goes wrong.
    pub faults: Vec<Mishap>,
}

/// Why a trace cannot be lived on some nodes. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// Some task needs more cores than any node has.
    #[error("no node of the scenario has as many cores as a task of the trace needs")]
    Room,
    /// Its part is none.
    #[error("the trace: {0}")]
    Part(#[from] CutError),
}

impl TraceError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Room => "add such nodes, or write split = true into the first workload",
            Self::Part(error) => error.fix(),
        }
    }
}

/// A policy in a scenario with one scaling at most: what a row is made of.
#[derive(Clone, Debug)]
pub struct Life {
    /// What the row is called.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// The scenario.
    pub scenario: Arc<Scenario>,
}

/// Reads the text of a scenario; `path` is named in faults and gives it its name, and `traces`
/// gives the bytes of the traces that it names.
///
/// # Errors
/// Every fault of the text where its shape is wrong, or else the first thing that cannot be.
pub fn read(text: &str, path: &Path, traces: &mut Traces<'_>) -> Result<Scenario, Vec<Fault>> {
    let document = document::read(text, path, &TOP, limits::SCENARIO_BYTES_MAX)?;
    scenario(&document, path, traces).map_err(|fault| vec![*fault])
}

fn scenario(
    document: &Document<'_>,
    path: &Path,
    traces: &mut Traces<'_>,
) -> Result<Scenario, Box<Fault>> {
    let top = document.top();
    for key in ["nodes", "workload", "fault", "policies", "scaling"] {
        let (many, most) = (top.sections(key).len().max(top.texts(key).len()), limits::PARTS_MAX);
        bounded(document, &top, key, (many as u64, "scenario_parts_max", most))?;
    }
    let (nodes, homes) = groups(document, &top)?;
    let workloads = workloads(document, &top, traces)?;
    let network = Web::read(document, top.section("network").as_ref(), &nodes::regions(&nodes))?;
    let prices = Prices::read(top.section("prices").as_ref());
    let ground = Ground { groups: &nodes, homes, prices };
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let scenario = Scenario {
        name: top.text("name").map_or_else(stem, str::to_owned),
        unit: top.time("unit").unwrap_or_else(|| unit(&workloads)),
        homes,
        met: top.flag("met").unwrap_or(false),
        seed: top.integer("seed").map_or(1, |seed| seed as u64),
        seeds: top.integer("seeds").map_or(5, |seeds| seeds as u32),
        policies: named::policies(document, &top)?,
        gossip: gossiping(document, &top, (&network, &nodes))?,
        network,
        scalings: scalings(document, &top, &ground)?,
        prices,
        sync: top.time("sync").unwrap_or_default(),
        attempts: Attempts::read(document, top.section("attempts").as_ref())?,
        faults: faults(document, &top, (&nodes, homes))?,
        nodes,
        workloads,
    };
    for (number, workload) in scenario.workloads.iter().enumerate() {
        if !scenario.has_room(workload) {
            let from = &top.sections("workload")[number];
            let text = "no node has what each of these tasks needs";
            let fix = "ask for fewer cpus, memory or gpus, or add such nodes";
            let key = if from.has("trace") { "trace" } else { "cpus" };
            return Err(document.fault(from.span(key), text, fix));
        }
        let room: u64 = scenario.nodes.iter().map(|group| group.room(workload.need)).sum();
        let size = u64::from(workload.gang);
        if size > room {
            let from = &top.sections("workload")[number];
            let text = format!("a gang of {size} never starts: there is room for {room} at most");
            let fix = "make it smaller, or add nodes";
            return Err(document.fault(from.span("gang"), &text, fix));
        }
    }
    Ok(scenario)
}

/// The groups of nodes, and how many of the nodes are homes.
fn groups(document: &Document<'_>, top: &Section<'_>) -> Result<(Vec<Group>, usize), Box<Fault>> {
    let mut nodes: Vec<Group> = top.sections("nodes").iter().map(Group::read).collect();
    if nodes.is_empty() {
        nodes.push(Group { count: 10, ..Group::default() });
    }
    let many = nodes::regions(&nodes).len() as u64;
    bounded(document, top, "nodes", (many, "scenario_regions_max", limits::REGIONS_MAX))?;
    let count: u64 = nodes.iter().map(|group| group.count as u64).sum();
    bounded(document, top, "nodes", (count, "scenario_nodes_max", limits::NODES_MAX))?;
    let homes = top.integer("homes").map_or(1, |homes| homes as u64);
    bounded(document, top, "homes", (homes, "as many homes as there are nodes", count))?;
    let links = if count as usize <= ACQUAINTED_MAX { count } else { homes } * count;
    bounded(document, top, "homes", (links, "scenario_links_max", limits::LINKS_MAX))?;
    Ok((nodes, homes as usize))
}

fn workloads(
    document: &Document<'_>,
    top: &Section<'_>,
    traces: &mut Traces<'_>,
) -> Result<Vec<Workload>, Box<Fault>> {
    let workloads = top.sections("workload");
    let workloads = workloads.iter().map(|workload| Workload::read(document, workload, traces));
    let mut workloads: Vec<Workload> = workloads.collect::<Result<_, _>>()?;
    if workloads.is_empty() {
        workloads.push(Workload::default());
    }
    let tasks = workloads.iter().map(Workload::all_tasks).sum();
    bounded(document, top, "workload", (tasks, "scenario_tasks_max", limits::TASKS_MAX))?;
    let edges = workloads.iter().map(Workload::dependencies).fold(0, u64::saturating_add);
    let most = limits::DEPENDENCIES_MAX;
    bounded(document, top, "workload", (edges, "scenario_dependencies_max", most))?;
    let makers = workloads.iter().filter(|work| matches!(work.arrivals, Arrivals::Adaptive(_)));
    if makers.count() > 1 {
        let text = "two workloads are adaptive, and would both fill the same room";
        return Err(document.fault(top.span("workload"), text, "leave one of them out"));
    }
    Ok(workloads)
}

fn gossiping(
    document: &Document<'_>,
    top: &Section<'_>,
    (network, nodes): (&Web, &[Group]),
) -> Result<Option<PresencePlan>, Box<Fault>> {
    let Some(from) = top.section("gossip") else { return Ok(None) };
    let count: u64 = nodes.iter().map(|group| group.count as u64).sum();
    let limit = (count, "scenario_gossip_nodes_max", limits::GOSSIP_NODES_MAX);
    bounded(document, top, "gossip", limit)?;
    if top.has("scaling") {
        let text = "nodes that join and leave are told of by the world, not by gossip";
        return Err(document.fault(top.span("gossip"), text, "leave out gossip or scaling"));
    }
    gossip::read(document, &from, (network, nodes)).map(Some)
}

fn scalings(
    document: &Document<'_>,
    top: &Section<'_>,
    ground: &Ground<'_>,
) -> Result<Vec<Scaling>, Box<Fault>> {
    let each = top.sections("scaling");
    each.iter().map(|from| Scaling::read(document, from, ground)).collect()
}

fn faults(
    document: &Document<'_>,
    top: &Section<'_>,
    (nodes, homes): (&[Group], usize),
) -> Result<Vec<Mishap>, Box<Fault>> {
    let count = nodes.iter().map(|group| group.count).sum();
    let at = nodes::homes_of(count, homes, top.has("scaling"));
    let each = top.sections("fault");
    each.iter().map(|fault| Mishap::read(document, fault, (nodes, &at))).collect()
}

/// The unit where none is said: that of the first trace, or 10 ms.
fn unit(workloads: &[Workload]) -> Span {
    let of_traces = workloads.iter().filter_map(|work| Some(work.replayed.as_ref()?.trace.unit));
    of_traces.into_iter().next().unwrap_or(Span::millis(10))
}

fn bounded(
    document: &Document<'_>,
    top: &Section<'_>,
    key: &str,
    (many, limit, most): (u64, &str, u64),
) -> Result<(), Box<Fault>> {
    if many <= most {
        return Ok(());
    }
    let text = format!("{many} is more than {limit} = {most}");
    Err(document.fault(top.span(key), &text, "make the scenario smaller"))
}

impl Scenario {
    /// The nodes that are homes: spread evenly, or the first ones where others come and go.
    #[must_use]
    pub fn homes_at(&self) -> Vec<usize> {
        nodes::homes_of(self.count(), self.homes, !self.scalings.is_empty())
    }

    /// What is lived: each policy with each scaling, as a row's name, the policy, and a scenario
    /// that has no other scaling.
    #[must_use]
    pub fn lives(&self) -> Vec<Life> {
        let scalings: Vec<Option<&Scaling>> = match &self.scalings[..] {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        let mut lives = Vec::new();
        for scaling in scalings {
            let scenario =
                Self { scalings: scaling.cloned().into_iter().collect(), ..self.clone() };
            let scenario = Arc::new(scenario);
            for policy in &self.policies {
                let name = match scaling {
                    Some(one) if self.policies.len() == 1 => one.name.clone(),
                    Some(one) => format!("{}; {}", policy.name, one.name),
                    None => policy.name.clone(),
                };
                let (policy, scenario) = (policy.clone(), Arc::clone(&scenario));
                lives.push(Life { name, policy, scenario });
            }
        }
        lives
    }

    /// How many nodes it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.nodes.iter().map(|group| group.count).sum()
    }

    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.workloads.iter().map(Workload::all_tasks).sum()
    }

    /// Whether nothing goes wrong by itself or by chance, whatever faults there are.
    pub(crate) fn is_sound(&self) -> bool {
        self.network.is_sound() && self.attempts.fates.plain()
    }

    /// How much weight all nodes do in a unit of time.
    #[must_use]
    pub fn power(&self) -> f64 {
        self.each(|group, speed| f64::from(group.slots.min(group.cpus)) * speed).sum()
    }

    /// The rule by which tasks are made, from when on, and how many at most, if any are.
    pub(crate) fn making(&self) -> Option<(Making, Span, u32)> {
        self.workloads.iter().find_map(|work| match work.arrivals {
            Arrivals::Adaptive(making) => Some((making, work.at, work.tasks)),
            _ => None,
        })
    }

    /// The speed of the slowest node.
    pub(crate) fn slowest(&self) -> f64 {
        self.each(|_, speed| speed).fold(f64::MAX, f64::min)
    }

    /// The speed of the fastest node.
    #[must_use]
    pub fn fastest(&self) -> f64 {
        self.each(|_, speed| speed).fold(0.0, f64::max)
    }

    fn each<'a>(
        &'a self,
        of: impl Fn(&Group, f64) -> f64 + Copy + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        self.nodes.iter().flat_map(move |group| {
            let speeds = group.speeds.iter().cycle().take(group.count);
            speeds.map(move |speed| of(group, *speed))
        })
    }

    /// The same nodes with the part of a trace that the first workload says, instead of the work.
    ///
    /// # Errors
    /// Where no node can run some task, or the part is empty or has too many tasks.
    pub fn with_trace(self, trace: Trace) -> Result<Self, TraceError> {
        let cut = self.workloads.first().map(|work| work.part.1).unwrap_or_default();
        let trace = workload::lived(trace, &cut)?;
        let made = self.replaced(Arc::new(trace));
        let fits = made.workloads.iter().all(|workload| made.has_room(workload));
        if fits { Ok(made) } else { Err(TraceError::Room) }
    }

    /// The same with a trace instead of the work.
    pub(crate) fn replaced(self, trace: Arc<Trace>) -> Self {
        let unit = trace.unit;
        let usual = || (Knowledge::Declared, Cut::default());
        let part = self.workloads.first().map_or_else(usual, |work| work.part);
        let replayed = Some(Replayed { trace, knows: part.0 });
        Self { unit, workloads: vec![Workload { replayed, part, ..Workload::default() }], ..self }
    }

    fn has_room(&self, workload: &Workload) -> bool {
        let of_trace = |trace: &Trace| {
            let tasks = trace.jobs.iter().flat_map(|job| &job.tasks);
            tasks.map(|task| task.milli_cpus).max().unwrap_or(0)
        };
        let mut need = workload.need;
        if let Some(replayed) = &workload.replayed {
            need.milli_cpus = of_trace(&replayed.trace);
        }
        let enough = |group: &Group| {
            let cores = u64::from(group.cpus) * 1_000;
            cores >= need.milli_cpus && group.memory >= need.memory && group.gpus >= need.gpus
        };
        self.nodes.iter().any(enough)
    }

    /// The run time below which tasks count as that long in slowdowns, in seconds.
    pub(crate) fn slowdown_floor(&self) -> f64 {
        let bounded = self.workloads.iter().any(|work| work.replayed.is_some());
        if bounded { 10.0 } else { 0.0 }
    }

    /// Whether tasks come bit by bit, so that what counts is how long they wait.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.workloads.iter().any(|work| {
            let comes = |replayed: &Replayed| {
                replayed.trace.jobs.iter().any(|job| job.arrival > Span::ZERO)
            };
            work.arrivals != Arrivals::Batch || work.replayed.as_ref().is_some_and(comes)
        })
    }
}
