//! A scenario as it is read from a file: checked whole before anything runs.

use std::path::Path;

use bary_jobfile::document::{self, Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_policy::preset::{self, Policy};

use crate::lab::faults::Mishap;
use crate::lab::keys::TOP;
use crate::lab::limits;
use crate::lab::network::Web;
use crate::lab::nodes::{self, Group};
use crate::lab::workload::{Arrivals, Need, Workload};
use crate::plan::ready::ACQUAINTED_MAX;

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
    /// The work.
    pub workloads: Vec<Workload>,
    /// What goes wrong.
    pub faults: Vec<Mishap>,
}

/// The policies that are compared where none are named.
pub const POLICIES: [&str; 5] =
    ["gravity", "work-stealing", "least-loaded", "round-robin", "random"];

/// Reads the text of a scenario; `path` is named in faults and gives it its name.
///
/// # Errors
/// Every fault of the text where its shape is wrong, or else the first thing that cannot be.
pub fn read(text: &str, path: &Path) -> Result<Scenario, Vec<Fault>> {
    let document = document::read(text, path, &TOP, limits::SCENARIO_BYTES_MAX)?;
    scenario(&document, path).map_err(|fault| vec![*fault])
}

fn scenario(document: &Document<'_>, path: &Path) -> Result<Scenario, Box<Fault>> {
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
    let workloads = workloads.iter().map(|workload| Workload::read(document, workload));
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
    let faults = faults.iter().map(|fault| Mishap::read(document, fault, &nodes));
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let scenario = Scenario {
        name: top.text("name").map_or_else(stem, str::to_owned),
        unit: top.time("unit").unwrap_or(Span::millis(10)),
        homes: homes as usize,
        seed: top.integer("seed").map_or(1, |seed| seed as u64),
        seeds: top.integer("seeds").map_or(5, |seeds| seeds as u32),
        policies: policies(document, &top)?,
        network: Web::read(document, top.section("network").as_ref(), &regions)?,
        faults: faults.collect::<Result<_, _>>()?,
        nodes,
        workloads,
    };
    for (number, workload) in scenario.workloads.iter().enumerate() {
        if !scenario.has_room(workload.need) {
            let from = &top.sections("workload")[number];
            let text = "no node has what each of these tasks needs";
            let fix = "ask for fewer cpus, memory or gpus, or add such nodes";
            return Err(document.fault(from.span("cpus"), text, fix));
        }
    }
    Ok(scenario)
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

    fn has_room(&self, need: Need) -> bool {
        let enough = |group: &Group| {
            group.cpus >= need.cpus && group.memory >= need.memory && group.gpus >= need.gpus
        };
        self.nodes.iter().any(enough)
    }

    /// The run time below which tasks count as that long in slowdowns, in seconds.
    pub(crate) fn slowdown_floor(&self) -> f64 {
        0.0
    }

    /// Whether tasks come bit by bit, so that what counts is how long they wait.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.workloads.iter().any(|work| work.arrivals != Arrivals::Batch)
    }
}
