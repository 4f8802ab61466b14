//! A scenario as it is read from a file: checked whole before anything runs.

use std::path::Path;
use std::sync::Arc;

use bary_jobfile::document::{self, Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_policy::preset::{self, Policy};
use bary_trace::trace::Trace;

use crate::lab::faults::Mishap;
use crate::lab::gossip;
use crate::lab::keys::TOP;
use crate::lab::limits;
use crate::lab::network::Web;
use crate::lab::nodes::{self, Group};
use crate::lab::workload::{Arrivals, Replayed, Traces, Workload};
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
    /// The work.
    pub workloads: Vec<Workload>,
    /// What goes wrong.
    pub faults: Vec<Mishap>,
}

/// The policies that are compared where none are named.
pub const POLICIES: [&str; 5] =
    ["gravity", "work-stealing", "least-loaded", "round-robin", "random"];

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
    for key in ["nodes", "workload", "fault", "policies"] {
        let (many, most) = (top.sections(key).len().max(top.texts(key).len()), limits::PARTS_MAX);
        bounded(document, &top, key, (many as u64, "scenario_parts_max", most))?;
    }
    let mut nodes: Vec<Group> = top.sections("nodes").iter().map(Group::read).collect();
    if nodes.is_empty() {
        nodes.push(Group { count: 10, ..Group::default() });
    }
    let regions = nodes::regions(&nodes);
    let many = (regions.len() as u64, "scenario_regions_max", limits::REGIONS_MAX);
    bounded(document, &top, "nodes", many)?;
    let count: u64 = nodes.iter().map(|group| group.count as u64).sum();
    bounded(document, &top, "nodes", (count, "scenario_nodes_max", limits::NODES_MAX))?;
    let homes = top.integer("homes").map_or(1, |homes| homes as u64);
    bounded(document, &top, "homes", (homes, "as many homes as there are nodes", count))?;
    let links = if count as usize <= ACQUAINTED_MAX { count } else { homes } * count;
    bounded(document, &top, "homes", (links, "scenario_links_max", limits::LINKS_MAX))?;
    let workloads = top.sections("workload");
    let workloads = workloads.iter().map(|workload| Workload::read(document, workload, traces));
    let mut workloads: Vec<Workload> = workloads.collect::<Result<_, _>>()?;
    if workloads.is_empty() {
        workloads.push(Workload::default());
    }
    let tasks = workloads.iter().map(Workload::all_tasks).sum();
    bounded(document, &top, "workload", (tasks, "scenario_tasks_max", limits::TASKS_MAX))?;
    let edges = workloads.iter().map(Workload::dependencies).sum();
    let most = limits::DEPENDENCIES_MAX;
    bounded(document, &top, "workload", (edges, "scenario_dependencies_max", most))?;
    let faults = top.sections("fault");
    let faults = faults.iter().map(|fault| Mishap::read(document, fault, (&nodes, homes as usize)));
    let network = Web::read(document, top.section("network").as_ref(), &regions)?;
    let gossip = top.section("gossip");
    if gossip.is_some() {
        let limit = (count, "scenario_gossip_nodes_max", limits::GOSSIP_NODES_MAX);
        bounded(document, &top, "gossip", limit)?;
    }
    let gossip = gossip.map(|from| gossip::read(document, &from, (&network, &nodes)));
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let scenario = Scenario {
        name: top.text("name").map_or_else(stem, str::to_owned),
        unit: top.time("unit").unwrap_or_else(|| unit(&workloads)),
        homes: homes as usize,
        seed: top.integer("seed").map_or(1, |seed| seed as u64),
        seeds: top.integer("seeds").map_or(5, |seeds| seeds as u32),
        policies: policies(document, &top)?,
        network,
        gossip: gossip.transpose()?,
        sync: top.time("sync").unwrap_or_default(),
        faults: faults.collect::<Result<_, _>>()?,
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
    }
    Ok(scenario)
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

fn policies(document: &Document<'_>, top: &Section<'_>) -> Result<Vec<Policy>, Box<Fault>> {
    let named = top.texts("policies");
    if named.is_empty() {
        let usual = POLICIES.iter().filter_map(|name| preset::parse(name).ok());
        return Ok(usual.collect());
    }
    let parsed = named.into_iter().map(|(text, span)| {
        let wrong = |error| document.fault(span, &format!("{error}"), "bary policy ls lists them");
        preset::parse(text).map_err(wrong)
    });
    parsed.collect()
}

impl Scenario {
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

    /// How much weight all nodes do in a unit of time.
    #[must_use]
    pub fn power(&self) -> f64 {
        self.each(|group, speed| f64::from(group.slots.min(group.cpus)) * speed).sum()
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

    /// The same nodes with a trace instead of the work; none where no node can run some task.
    #[must_use]
    pub fn with_trace(self, trace: Arc<Trace>) -> Option<Self> {
        let made = self.replaced(trace);
        made.workloads.iter().all(|workload| made.has_room(workload)).then_some(made)
    }

    /// The same with a trace instead of the work.
    pub(crate) fn replaced(self, trace: Arc<Trace>) -> Self {
        let unit = trace.unit;
        let replayed = Some(Replayed { trace, knows: Knowledge::Declared });
        Self { unit, workloads: vec![Workload { replayed, ..Workload::default() }], ..self }
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
