//! Worlds in which nodes join and leave at a rule's word, and what their load is.

use std::sync::Arc;

use bary_model::resources::Resources;
use bary_model::time::{Moment, Span};
use bary_policy::adaptive::Adaptive;
use bary_policy::scale::Rule;
use bary_policy::scale::bounds::Bounds;

use crate::lot::Lot;
use crate::plan::ready::{function, job, spec};
use crate::plan::{JobPlan, Plan};

/// Which nodes come and go. `Default` is none.
#[derive(Clone, Debug, Default)]
pub struct CrewPlan {
    /// How many nodes, the last ones, are not there until a session or a rule lets them join.
    pub absent: usize,
    /// Whether what nodes run is run outside of the world, whose time does not end it then.
    pub outside: bool,
    /// The rule that adds nodes and takes them away, where there is one.
    pub scale: Option<ScalePlan>,
    /// The rule by which tasks are made, where there is one.
    pub adaptive: Option<AdaptivePlan>,
}

/// How many nodes there are is up to a rule.
#[derive(Clone, Debug)]
pub struct ScalePlan {
    /// The rule.
    pub rule: Arc<dyn Rule>,
    /// What holds it back.
    pub bounds: Bounds,
    /// How often it looks.
    pub every: Span,
    /// Over how long it measures how much work arrives: each look counts for its part of this.
    /// Longer than many tasks are apart, or each of them looks like a wave.
    pub window: Span,
    /// How long a node takes to join once it is wanted; it is paid for from then on.
    pub start_up: Span,
}

/// Tasks that are made while there is room for them.
#[derive(Clone, Copy, Debug)]
pub struct AdaptivePlan {
    /// When, and how heavy.
    pub rule: Adaptive,
    /// How much weight each node takes, in thousandths: at that it is loaded to 100 percent.
    pub capacity: u64,
    /// From when it looks.
    pub from: Moment,
    /// How often it looks.
    pub every: Span,
    /// Until when.
    pub until: Moment,
    /// How many tasks are made at most, at each look and in all.
    pub tasks_max: u32,
    /// The row that the first of them reads; each next one reads the row after.
    pub first_row: u64,
}

/// In how many steps a wave goes up, and down again.
const STEPS: u64 = 72;

impl Plan {
    /// A home and `most` servers of one slot, none of them there yet, without any distance between
    /// them; a unit of weight takes a second at speed 1. Node 0 is the home.
    #[must_use]
    pub fn stepped(seed: u64, most: usize, policy: &str) -> Self {
        let mut plan = Self::bare(1 + most, 1, policy);
        plan.seed = seed;
        plan.crew.absent = most;
        plan.acquainted = false;
        plan.unit = Span::secs(1);
        plan.network.latency = vec![vec![Span::ZERO]];
        // Whoever looks at the world wants to know at once what has ended.
        plan.limits.outcome_delay_max = Span::ZERO;
        let home = &mut plan.nodes[0].info;
        (home.slots, home.resources) = (0, Resources::default());
        plan
    }

    /// A home that runs nothing, and `most` nodes of one slot of which `there` are there, without
    /// distance between them. Whoever wants them to come and go adds a [`ScalePlan`].
    #[must_use]
    pub fn elastic(seed: u64, there: usize, most: usize) -> Self {
        let mut plan = Self::stepped(seed, most, "fifo,alpha=0.001");
        plan.crew.absent = most.saturating_sub(there);
        plan
    }

    /// Fills a plan with `tasks` tasks that arrive over so many days: within each day the rate
    /// rises in even steps from a tenth of its peak to the peak and falls again, and within each
    /// step arrivals are Poisson's. Run times are drawn evenly from 1 to 10 times `each`.
    pub fn wave(&mut self, tasks: u32, days: u64, each: Span) {
        let mut lot = Lot::new(self.seed, "wave");
        let body = Arc::new(function("work"));
        self.unit = each;
        let step = Span::secs(86_400 / (2 * STEPS));
        let height = |step: u64| {
            let place = step % (2 * STEPS);
            STEPS + 9 * place.min(2 * STEPS - 1 - place)
        };
        let steps = 2 * STEPS * days;
        let all: u64 = (0..steps).map(height).sum();
        for at in 0..steps {
            let mean = u64::from(tasks) as f64 * height(at) as f64 / all as f64;
            let (begin, end) = (step.times(at), step.times(at + 1));
            let mut arrives = begin;
            loop {
                let gap = lot.exponential() * step.as_secs_f64() / mean;
                arrives += Span::from_secs_f64(gap);
                if arrives >= end {
                    break;
                }
                let spec = job(vec![spec(1, 1_000 + lot.below(9_001), &body)]);
                self.jobs.push(JobPlan::new(Moment(0) + arrives, 0, spec));
            }
        }
        self.patience = Span::secs(86_400).times(days);
    }
}
