//! Upward ranks, for the order that looks at them: the longest way from a task to the job's end, in
//! the time that its tasks run and their results take to come.

use std::sync::Arc;

use bary_model::id::{SpecNo, TaskRange};
use bary_model::task::TaskSpec;
use bary_model::time::Span;

use crate::home::Home;

impl Home {
    /// The upward rank of every spec, whose tasks come in this order; nothing where the order of
    /// what is ready does not look at ranks.
    pub(super) fn ranks(&self, specs: &[Arc<TaskSpec>], order: &[SpecNo]) -> Vec<Span> {
        if !self.policy.order.needs_rank() {
            return Vec::new();
        }
        let (speed, scale) = (self.mean_speed(), self.accounts.last_scale());
        let run = |spec: &TaskSpec| self.run_time(spec, scale).as_secs_f64() / speed;
        let own: Vec<Span> = specs.iter().map(|spec| Span::from_secs_f64(run(spec))).collect();
        let rate = self.mean_rate();
        let mut ranks = own.clone();
        for &spec in order.iter().rev() {
            let below = ranks[spec.index()];
            for after in &specs[spec.index()].after {
                let above = after.spec.index();
                let carry = Span::from_secs_f64(specs[above].output as f64 / rate);
                ranks[above] = ranks[above].max(own[above] + carry + below);
            }
        }
        ranks
    }

    /// The upward rank of a task, where the order of what is ready looks at it; what waits for
    /// nothing and is waited for by nobody takes as long as it runs.
    pub(super) fn rank(&self, range: TaskRange, spec: &TaskSpec) -> Option<Span> {
        let known = self.levels.get(&range.job).and_then(|levels| levels.rank(range.spec));
        let alone = || self.run_time(spec, self.accounts.last_scale());
        self.policy.order.needs_rank().then(|| known.unwrap_or_else(alone))
    }

    /// What one slot does on average, by what nodes declare.
    fn mean_speed(&self) -> f64 {
        let (sum, slots) = self.accounts.values().fold((0.0, 0.0), |(sum, slots), account| {
            let info = &account.peer.info;
            (sum + info.power(), slots + f64::from(info.slots))
        });
        if sum > 0.0 { sum / slots } else { 1.0 }
    }

    /// Bytes a second from a node to another, on average over pairs of nodes.
    fn mean_rate(&self) -> f64 {
        let carrying = self.policy.carrying;
        let Some(topology) = &self.topology else { return carrying.inside.max(1.0) };
        let mut nodes = vec![0.0_f64; topology.regions as usize];
        for place in &topology.places {
            nodes[place.region as usize] += 1.0;
        }
        let all: f64 = nodes.iter().sum();
        let same: f64 = nodes.iter().map(|nodes| nodes * (nodes - 1.0)).sum();
        let pairs = (all * (all - 1.0)).max(1.0);
        let each = same / pairs / carrying.inside + (1.0 - same / pairs) / carrying.between;
        1.0 / each.max(1e-15)
    }
}
