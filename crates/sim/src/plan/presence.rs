//! Worlds in which gossip decides who sees whom: how nodes gossip, and which worlds these are.

use bary_gossip::config::GossipConfig;
use bary_model::time::Span;

use crate::lot::Lot;
use crate::plan::Plan;

/// In worlds of more nodes than this, gossip is not drawn: what it costs grows with each of them.
const NODES_MAX: usize = 6;
/// Of how many worlds that may be drawn with gossip one is.
const ONE_IN: u64 = 4;
/// How many rounds in which each node looks for one that it lost it may take to find it. A round
/// fails where each of them looks elsewhere: at most one of four in a world of three, and fewer
/// in larger ones.
const ROUNDS: u64 = 16;

/// How the nodes of a world find each other and notice who is gone.
#[derive(Clone, Debug)]
pub struct PresencePlan {
    /// How each node gossips.
    pub config: GossipConfig,
    /// How many nodes, from the first on, all others ask when they begin.
    pub seeds: usize,
    /// Whether an engine is told that a member is gone as soon as it is suspected of being slow.
    pub suspects_leave: bool,
}

impl PresencePlan {
    /// The gossip of a seed's world, where it is drawn that there is any.
    pub(crate) fn drawn(plan: &Plan) -> Option<Self> {
        let mut lot = Lot::new(plan.seed, "presence");
        let chosen = lot.below(ONE_IN) == 0 && (2..=NODES_MAX).contains(&plan.nodes.len());
        let presence = Self::by(plan, &mut lot);
        chosen.then_some(presence)
    }

    /// The gossip of a seed's world in any case.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut lot = Lot::new(plan.seed, "presence");
        lot.below(ONE_IN);
        Self::by(plan, &mut lot)
    }

    fn by(plan: &Plan, lot: &mut Lot) -> Self {
        let usual = GossipConfig { trust_after: Span::secs(5), ..GossipConfig::default() };
        let quick = quick(plan, lot);
        let config = if lot.percent(25) { usual } else { quick };
        let seeds = lot.between(1, 3) as usize;
        Self { config, seeds, suspects_leave: lot.percent(50) }
    }

    /// How long after the last fault all nodes may need until they see each other: a suspicion
    /// runs out that began just before, the dead rise or are found, and each is trusted again.
    #[must_use]
    pub fn patience(&self, nodes: usize) -> Span {
        let GossipConfig { heal_period, probe_period, trust_after, .. } = self.config;
        let tenths = u64::from((nodes.max(1).ilog2() * 3).max(10));
        let periods = u64::from(self.config.suspicion_periods) * tenths / 10 + nodes as u64;
        heal_period.times(ROUNDS) + probe_period.times(2 * periods) + trust_after.times(2)
    }
}

/// Gossip that notices within a second or so who is gone, as fast as the world's network allows:
/// in a calm, every answer must come in time.
fn quick(plan: &Plan, lot: &mut Lot) -> GossipConfig {
    let far = plan.network.latency.iter().flatten().max().copied().unwrap_or_default();
    let timeout = Span::millis(lot.one_of(&[100, 200])) + far.times(3);
    GossipConfig {
        probe_timeout: timeout,
        probe_period: Span(timeout.0 * 5 / 2),
        probe_helpers: lot.between(1, 3) as u32,
        suspicion_periods: lot.between(1, 4) as u32,
        rumour_period: timeout,
        sync_period: timeout.times(3),
        sync_period_min: timeout,
        heal_period: timeout.times(10),
        grave_kept: Span::secs(lot.one_of(&[60, 900])),
        join_period: timeout,
        trust_after: timeout.times(10),
        echo_period: timeout.times(2),
        ..GossipConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{NODES_MAX, PresencePlan};
    use crate::plan::Plan;

    #[test]
    fn some_small_worlds_gossip_and_every_one_of_them_can() {
        let plans: Vec<Plan> = (0..300).map(Plan::of).collect();
        let gossiping = plans.iter().filter(|plan| plan.presence.is_some());
        assert!(gossiping.clone().all(|plan| (2..=NODES_MAX).contains(&plan.nodes.len())));
        let count = gossiping.count();
        assert!((25..90).contains(&count), "{count} of 300 worlds gossip");
        for plan in &plans {
            assert_eq!(PresencePlan::of(plan).config.check(), []);
        }
    }
}
