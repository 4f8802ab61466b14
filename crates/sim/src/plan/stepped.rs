//! Plans of worlds that are stepped from outside: a home that runs nothing itself, and servers of
//! which some are not there yet.

use bary_model::resources::Resources;
use bary_model::time::Span;

use crate::plan::Plan;

impl Plan {
    /// A home and `most` servers of one slot, none of them there yet, without any distance between
    /// them; a unit of weight takes a second at speed 1. Node 0 is the home.
    #[must_use]
    pub fn stepped(seed: u64, most: usize, policy: &str) -> Self {
        let mut plan = Self::bare(1 + most, 1, policy);
        plan.seed = seed;
        plan.absent = most;
        plan.acquainted = false;
        plan.unit = Span::secs(1);
        plan.network.latency = vec![vec![Span::ZERO]];
        // Whoever looks at the world wants to know at once what has ended.
        plan.limits.outcome_delay_max = Span::ZERO;
        let home = &mut plan.nodes[0].info;
        (home.slots, home.resources) = (0, Resources::default());
        plan
    }
}
