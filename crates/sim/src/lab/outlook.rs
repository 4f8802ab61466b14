//! What a job will take on given nodes with each policy, by living it in virtual time. Where nobody
//! says how long tasks run, their weights stand for it.

use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::job::JobSpec;
use bary_model::machine::Machine;
use bary_model::node::NodeInfo;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::network::NetworkPlan;
use crate::plan::chores::Chores;
use crate::plan::machines::Probe;
use crate::plan::ready::ACQUAINTED_MAX;
use crate::plan::world::even;
use crate::plan::{JobPlan, NodePlan, Plan};
use crate::report::Verdict;
use crate::world;

/// When the job is submitted: all nodes have met by then.
const ZERO: Moment = Moment(1_000_000_000);

/// A node on which a job is foretold.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// What it says of itself.
    pub info: NodeInfo,
    /// How long a message from the job's home to it and back takes.
    pub round_trip: Span,
    /// What its machine was found to be.
    pub machine: Machine,
}

/// What is foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// How long the job takes.
    pub makespan: Span,
    /// How evenly nodes are busy, as in every report.
    pub balance: f64,
    /// Messages between nodes.
    pub messages: u64,
}

/// Why nothing is foretold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlookError {
    /// No node can run some task.
    #[error("no node can run every task of the job: {name} needs more than any has")]
    Room {
        /// The task, or its position.
        name: String,
    },
    /// There are more tasks than are simulated.
    #[error("the job has {tasks} tasks, more than scenario_tasks_max = {most}")]
    Tasks {
        /// How many.
        tasks: u64,
        /// How many there may be.
        most: u64,
    },
    /// The simulated run did not come to its end.
    #[error("with {policy} the simulated job did not end")]
    Endless {
        /// The policy.
        policy: String,
    },
}

/// How long tasks run at speed 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Each task of a spec, in the order of specs, where it is known.
    pub specs: Vec<Option<Span>>,
    /// A unit of the weight of all others.
    pub unit: Span,
}

impl Pace {
    /// A pace at which only weights count.
    #[must_use]
    pub fn by_weight(unit: Span) -> Self {
        Self { specs: Vec::new(), unit }
    }

    /// Of how many specs it is known.
    #[must_use]
    pub fn timed(&self) -> usize {
        self.specs.iter().flatten().count()
    }

    /// A job whose tasks each have a row of their own, and how many times longer the task of each
    /// row takes than its weight says.
    fn of(&self, job: &JobSpec) -> (JobSpec, Option<Arc<[f64]>>) {
        let mut job = job.clone();
        if self.specs.iter().all(Option::is_none) {
            return (job, None);
        }
        let mut efforts: Vec<f64> = Vec::new();
        let known = self.specs.iter().copied().chain(std::iter::repeat(None));
        let timed = job.specs.iter().zip(known).map(|(spec, known)| {
            let said = spec.weight.units() * self.unit.as_secs_f64();
            let effort = known.map_or(1.0, |known| known.as_secs_f64() / said);
            let first_row = efforts.len() as u64;
            efforts.resize(efforts.len() + spec.count as usize, effort);
            Arc::new(TaskSpec { first_row, ..TaskSpec::clone(spec) })
        });
        job.specs = timed.collect();
        (job, Some(efforts.into()))
    }
}

/// Lives a job on nodes as far from its home as they are; the first of the nearest is its home.
/// Nodes as far away as others are taken to be beside them, and two that are not to be as far apart
/// as they would be through the home.
///
/// # Errors
/// Where some task fits no node, there are too many, or the run did not end.
pub fn outlook(
    job: &JobSpec,
    nodes: &[Site],
    pace: &Pace,
    policy: &str,
    seed: u64,
) -> Result<Outlook, OutlookError> {
    let most = super::limits::TASKS_MAX;
    if job.tasks() > most {
        return Err(OutlookError::Tasks { tasks: job.tasks(), most });
    }
    for (number, spec) in job.specs.iter().enumerate() {
        if !nodes.iter().any(|node| node.info.can_run(&spec.body.request)) {
            let unnamed = || format!("task {number}");
            let name = Some(&*spec.name).filter(|name| !name.is_empty());
            return Err(OutlookError::Room { name: name.map_or_else(unnamed, str::to_owned) });
        }
    }
    let mut plan = Plan::plain(1, 1, 0, policy);
    plan.seed = seed;
    let ways = ways(nodes);
    let home = (0..nodes.len()).min_by_key(|node| nodes[*node].round_trip);
    let each = nodes.iter().enumerate();
    plan.nodes = each.map(|(id, one)| node(id, one, home == Some(id), &ways)).collect();
    plan.acquainted = plan.nodes.len() <= ACQUAINTED_MAX;
    plan.network = NetworkPlan { latency: matrix(&ways), ..even(Span::ZERO) };
    plan.unit = pace.unit;
    let (mut spec, efforts) = pace.of(job);
    plan.efforts = efforts;
    // It is foretold as if it began now and nobody waited.
    (spec.about.held, spec.about.not_before, spec.key) = (false, None, None);
    plan.jobs = vec![JobPlan::new(ZERO, home.unwrap_or(0), spec)];
    let report = world::run(&plan, None, None);
    if report.unfinished > 0 || !matches!(report.verdict, Verdict::Rest | Verdict::Late) {
        return Err(OutlookError::Endless { policy: policy.to_owned() });
    }
    Ok(Outlook {
        makespan: (Moment(0) + report.makespan).since(ZERO),
        balance: report.balance,
        messages: report.messages.iter().sum(),
    })
}

/// The ways from the home to its nodes, one way and each once: ways that are within a fifth of each
/// other are one. There are few, however far nodes are.
fn ways(nodes: &[Site]) -> Vec<Span> {
    let mut all: Vec<Span> = nodes.iter().map(|node| Span(node.round_trip.0 / 2)).collect();
    all.sort_unstable();
    let alike = |one: Span, other: Span| one.0.saturating_sub(other.0) * 5 <= other.0;
    all.dedup_by(|one, before| alike(*one, *before));
    all
}

/// How far nodes are from each other that are so far from the home.
fn matrix(ways: &[Span]) -> Vec<Vec<Span>> {
    // Between two that are equally far, as between the home and who is nearest.
    let beside = ways.first().copied().unwrap_or_default();
    let row = |from: usize| {
        let apart = |to: usize| {
            let nearer = ways[from.min(to)];
            if from == to { beside } else { ways[from.max(to)] + Span(nearer.0 - beside.0) }
        };
        (0..ways.len()).map(apart).collect()
    };
    (0..ways.len()).map(row).collect()
}

fn node(id: usize, site: &Site, home: bool, ways: &[Span]) -> NodePlan {
    let way = Span(site.round_trip.0 / 2);
    let region = ways.partition_point(|other| *other <= way).saturating_sub(1);
    let info = NodeInfo { id: NodeId(id as u64), ..site.info.clone() };
    let (chores, drift) = (Chores::default(), 0);
    let probe = Probe { machine: site.machine, takes: Span::ZERO };
    NodePlan { info, region: region as u16, home, drift, chores, probe }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ready::{function, job};
    use crate::plan::world::node as one;

    /// A node of one slot, this fast and so many milliseconds from the home and back.
    fn site(id: usize, speed: f64, round_trip: u64) -> Site {
        let (info, round_trip) = (one(id, 1, speed, true).info, Span::millis(round_trip));
        Site { info, round_trip, machine: Machine::default() }
    }

    #[test]
    fn nodes_are_as_far_from_each_other_as_they_are_from_the_home() {
        let sites = [(0, 0), (1, 2), (2, 100), (3, 104)].map(|(id, trip)| site(id, 1.0, trip));
        let ways = ways(&sites);
        assert_eq!(ways, [0, 1, 50].map(Span::millis));
        let millis = |row: &Vec<Span>| row.iter().map(|way| way.0 / 1_000_000).collect();
        let apart: Vec<Vec<u64>> = matrix(&ways).iter().map(millis).collect();
        assert_eq!(apart, [[0, 1, 50], [1, 0, 51], [50, 51, 0]]);
        let regions = sites.iter().map(|one| node(0, one, false, &ways).region);
        assert_eq!(regions.collect::<Vec<u16>>(), [0, 1, 2, 2]);
    }

    #[test]
    fn a_job_takes_longer_where_nodes_are_far() {
        let body = Arc::new(function("work"));
        let spec = TaskSpec { count: 40, array: true, ..TaskSpec::new(body) };
        let pace = Pace::by_weight(Span::millis(10));
        let took = |far: u64| {
            let nodes: Vec<Site> = (0..4).map(|id| site(id, 1.0, far * (id as u64))).collect();
            let told = outlook(&job(vec![spec.clone()]), &nodes, &pace, "gravity", 1);
            told.map(|told| told.makespan.as_secs_f64()).unwrap_or_default()
        };
        let (near, far) = (took(1), took(200));
        assert!((0.1..0.15).contains(&near), "{near}");
        // The home's node does nearly all of it before others could have had any.
        assert!((0.2..0.5).contains(&far), "{far}");
    }

    #[test]
    fn eight_equal_tasks_take_two_turns_on_four_nodes_and_what_fits_nowhere_is_told() {
        let nodes: Vec<Site> = (0..4).map(|id| site(id, 1.0, 2)).collect();
        let body = Arc::new(function("work"));
        let spec = |count| TaskSpec { count, array: true, ..TaskSpec::new(Arc::clone(&body)) };
        let pace = Pace::by_weight(Span::secs(1));
        let told = outlook(&job(vec![spec(8)]), &nodes, &pace, "gravity", 1);
        let took = told.map(|told| told.makespan.as_secs_f64());
        assert!(took.as_ref().is_ok_and(|took| (2.0..2.1).contains(took)), "{took:?}");
        let mut large = function("work");
        large.request.resources.milli_cpus = 9_000;
        let large = job(vec![TaskSpec::new(Arc::new(large))]);
        let told = outlook(&large, &nodes, &pace, "gravity", 1);
        assert_eq!(told, Err(OutlookError::Room { name: "task 0".into() }));
    }

    #[test]
    fn tasks_take_as_long_as_is_known_of_their_spec_and_others_what_they_weigh() {
        let nodes = [site(0, 2.0, 0)];
        let body = Arc::new(function("work"));
        let spec = || TaskSpec { count: 3, array: true, ..TaskSpec::new(Arc::clone(&body)) };
        let job = job(vec![spec(), spec()]);
        let pace = Pace { specs: vec![Some(Span::secs(10)), None], unit: Span::secs(2) };
        let told = outlook(&job, &nodes, &pace, "gravity", 1);
        let took = told.map(|told| told.makespan.as_secs_f64());
        assert!(took.as_ref().is_ok_and(|took| (18.0..18.1).contains(took)), "{took:?}");
    }
}
