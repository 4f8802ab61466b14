//! How far away a home looks for nodes, and how much one gets that has a long way: work that others
//! here would have done before anybody could come is not worth the way.

use bary_model::id::NodeId;
use bary_model::time::Span;
use bary_policy::pull;

use crate::home::Home;
use crate::home::sums::Totals;

/// Where nodes are sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seeking {
    /// As far away as the work is worth.
    Near,
    /// At every home.
    Anywhere,
}

impl Home {
    /// What a home has of the power of all nodes, where all homes have equally much.
    pub(super) fn share_of_power(&mut self) -> f64 {
        self.totals().power / (self.exchange.len() + 1) as f64
    }

    /// Up to how far away nodes are sought for what is ready here; none where anybody is welcome.
    pub(super) fn reach(&mut self, how: Seeking) -> Option<Span> {
        // Nobody knows how long work takes before any has ended.
        let known = how == Seeking::Near && self.totals().scale.is_some();
        if !known || self.exchange.is_alone() {
            return None;
        }
        let (ready, power) = (self.waiting().0, self.share_of_power());
        Some(pull::reach(ready, power, &self.policy.pull))
    }

    /// Whether a node is near enough to be sought for what is ready here.
    pub(super) fn is_within_reach(&mut self, node: NodeId) -> bool {
        let distance = self.accounts.get(&node).map_or(Span::ZERO, |one| one.peer.round_trip);
        self.reach(Seeking::Near).is_none_or(|reach| distance <= reach)
    }

    /// How much weight an asking node is given of what it could run.
    pub(super) fn quota(&mut self, node: NodeId, weight: u64, power: f64, totals: Totals) -> u64 {
        let share = pull::share(weight, power, totals.power, &self.policy.pull);
        if totals.scale.is_none() {
            return share;
        }
        let here = self.share_of_power();
        let distance = self.accounts.get(&node).map_or(Span::ZERO, |one| one.peer.round_trip);
        share.max(pull::ahead_of_the_way(weight, power, here, distance, &self.policy.pull))
    }
}
