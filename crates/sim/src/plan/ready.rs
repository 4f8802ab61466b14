//! Plans without faults: for speed, and the worlds in which placement rules are compared.

use std::sync::Arc;

use bary_engine::flaw::Flaws;
use bary_engine::limits::Limits;
use bary_model::action::Action;
use bary_model::job::JobSpec;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;

use crate::fates::Fates;
use crate::lot::Lot;
use crate::plan::scaling::CrewPlan;
use crate::plan::world::{even, node};
use crate::plan::{DiskPlan, JobPlan, Keeping, Plan, Stream};

/// In worlds of more nodes than this, not every node knows every other.
pub(crate) const ACQUAINTED_MAX: usize = 100;

/// A body that runs a function and asks for one core.
pub(crate) fn function(name: &str) -> Body {
    Body::new(Action::Function { name: name.into(), args: Vec::new() })
}

/// A weight of whole thousandths.
pub(crate) fn weight(thousandths: u64) -> Weight {
    let units = thousandths.clamp(1, 1_000_000_000) as f64 / 1e3;
    Weight::new(units).unwrap_or(Weight::ONE)
}

/// Tasks of one spec.
pub(crate) fn spec(count: u32, thousandths: u64, body: &Arc<Body>) -> TaskSpec {
    let weight = weight(thousandths);
    TaskSpec { count, array: count > 1, weight, ..TaskSpec::new(Arc::clone(body)) }
}

/// A closed job of these specs.
pub(crate) fn job(specs: Vec<TaskSpec>) -> JobSpec {
    let specs: Vec<_> = specs.into_iter().map(Arc::new).collect();
    JobSpec::new("sim", specs)
}

impl Plan {
    /// A world without work or faults: equal nodes of one slot, one millisecond apart, of which
    /// the first are homes.
    pub(crate) fn bare(nodes: usize, homes: usize, policy: &str) -> Self {
        Self {
            seed: 1,
            nodes: (0..nodes).map(|id| node(id, 1, 1.0, id < homes)).collect(),
            crew: CrewPlan::default(),
            acquainted: nodes <= ACQUAINTED_MAX,
            policy: policy.to_owned(),
            limits: Limits::default(),
            presence: None,
            flaws: Flaws::default(),
            network: even(Span::millis(1)),
            disk: DiskPlan { sync: Span::ZERO, keeping: Keeping::Nothing },
            wire: false,
            bandwidth: None,
            guess: None,
            fates: Fates::default(),
            efforts: None,
            unit: Span::millis(10),
            jobs: Vec::new(),
            tame: None,
            stream: None,
            changes: Vec::new(),
            drains: Vec::new(),
            decrees: Vec::new(),
            checkpoints: 0,
            faults: Vec::new(),
            deaf: 0,
            calm: Moment(0),
            patience: Span::secs(30),
            check_every: 0,
            events_max: u64::MAX,
        }
    }

    /// Arrays of equal tasks, spread evenly over the homes; one slot a node, no faults.
    #[must_use]
    pub fn plain(nodes: usize, homes: usize, tasks: u32, policy: &str) -> Self {
        let mut plan = Self::bare(nodes, homes, policy);
        let body = Arc::new(function("noop"));
        for home in 0..homes as u32 {
            let share = tasks / homes as u32 + u32::from(home < tasks % homes as u32);
            if share > 0 {
                let spec = job(vec![spec(share, 1_000, &body)]);
                let home = home as usize;
                plan.jobs.push(JobPlan::new(Moment(0), home, spec));
            }
        }
        plan
    }

    /// As [`Plan::plain`], with tasks so short that many go in one run: what is measured is the
    /// engines and the world.
    #[must_use]
    pub fn noop(nodes: usize, homes: usize, tasks: u32, policy: &str) -> Self {
        Self { unit: Span::micros(1), ..Self::plain(nodes, homes, tasks, policy) }
    }

    /// The world in which placement rules are compared: distinct tasks of weights drawn evenly
    /// from 1 to 10, 10 ms a unit, submitted at once, spread evenly over the homes.
    #[must_use]
    pub fn placement(seed: u64, nodes: usize, homes: usize, tasks: u32, policy: &str) -> Self {
        let mut plan = Self::bare(nodes, homes, policy);
        plan.seed = seed;
        let body = Arc::new(function("work"));
        let mut lot = Lot::new(seed, "weights");
        let mut specs: Vec<Vec<TaskSpec>> = vec![Vec::new(); homes];
        for number in 0..tasks as usize {
            let drawn = 1_000 + lot.below(9_001);
            specs[number % homes].push(spec(1, drawn, &body));
        }
        let jobs = specs
            .into_iter()
            .enumerate()
            .map(|(home, specs)| JobPlan::new(Moment(0), home, job(specs)));
        plan.jobs = jobs.collect();
        plan
    }

    /// The same where the nodes are in so many regions, by turns, and each frame takes this long
    /// from one to another.
    #[must_use]
    pub fn across(mut self, regions: u16, way: Span) -> Self {
        let near = self.network.latency[0][0];
        let row = |from| (0..regions).map(|to| if from == to { near } else { way }).collect();
        self.network.latency = (0..regions).map(row).collect();
        for (region, node) in (0..regions).cycle().zip(&mut self.nodes) {
            node.region = region;
            node.info.region = format!("r{region}").into();
        }
        self
    }

    /// Tasks of weights drawn evenly from 1 to 10 that arrive one by one at homes drawn by lot,
    /// so that the nodes are busy for the share `rho` of their time.
    #[must_use]
    pub fn arrivals(seed: u64, nodes: usize, homes: usize, tasks: u32, rho: f64) -> Self {
        let mut plan = Self::bare(nodes, homes, "gravity");
        plan.seed = seed;
        plan.acquainted = true;
        let power: f64 = plan.nodes.iter().map(|node| node.info.power()).sum();
        let mean = 5.5 * plan.unit.as_secs_f64();
        let every = Span::from_secs_f64(mean / (rho * power));
        plan.stream = Some(Stream { tasks, every, body: Arc::new(function("work")) });
        plan
    }
}
