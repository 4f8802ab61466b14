//! So much that thief and victim end together: `x = backlog * s / (s + v)` with `s` the thief's
//! power and `v` the victim's, half by weight where they are equal. The victim is the best of a
//! few drawn at random by `backlog / (1 + d/d0)^2`, so that thieves do not all meet at one node.
//! Blind spot: it does not see what moving a task costs beyond the round trip.

use std::cmp::Reverse;

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::dice::Dice;
use crate::distance::falloff;
use crate::parameter::given::Given;
use crate::parameter::table::STEAL_QUARTER;
use crate::sample::drawn;
use crate::steal::{Steal, Victim};
use crate::view::NodeView;

/// Both end together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half {
    /// The round trip at which a backlog counts a quarter. Defaults to 10 ms: a steal takes a
    /// round trip, so below that distance hardly matters.
    pub quarter: Span,
}

/// How many possible victims are looked at.
const LOOKED_AT: usize = 4;

impl Default for Half {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl Half {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { quarter: given.time(&STEAL_QUARTER) }
    }
}

/// The best of a few victims drawn by lot, by `backlog / (1 + d/d0)^2` with `quarter` as d0: never
/// the thief, and never one that `worth` refuses.
pub(super) fn best_of_few(
    thief: NodeId,
    victims: &[Victim],
    quarter: Span,
    dice: &mut Dice,
    worth: impl Fn(&Victim) -> bool,
) -> Option<NodeId> {
    let attraction =
        |one: &Victim| (one.backlog as f64 / falloff(one.round_trip, quarter)).round() as u64;
    let worth = |one: &&Victim| one.backlog > 0 && one.node != thief && worth(one);
    let rank = |one: &&Victim| (attraction(one), Reverse(one.node));
    let drawn = drawn(victims.len(), LOOKED_AT, dice).into_iter().map(|place| &victims[place]);
    let best = drawn.filter(worth).max_by_key(rank);
    // Few are worth nothing; only where none but such were drawn are all looked at.
    let best = best.or_else(|| victims.iter().filter(worth).max_by_key(rank));
    best.map(|victim| victim.node)
}

/// So much of a backlog that thief and victim end together, rounded up, so that a thief with any
/// power never comes for nothing.
pub(super) fn fair_part(backlog: u64, thief_power: f64, victim_power: f64) -> u64 {
    let part = thief_power / (thief_power + victim_power.max(0.0));
    ((backlog as f64 * part).ceil() as u64).min(backlog)
}

impl Steal for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn amount(&self, victim: &Victim, thief_power: f64, victim_power: f64) -> u64 {
        fair_part(victim.backlog, thief_power, victim_power)
    }

    fn victim(&self, thief: &NodeView<'_>, victims: &[Victim], dice: &mut Dice) -> Option<NodeId> {
        best_of_few(thief.info.id, victims, self.quarter, dice, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    fn victim(node: u64, backlog: u64, round_trip_ms: u64) -> Victim {
        let round_trip = Span::millis(round_trip_ms);
        Victim { node: NodeId(node), backlog, queued: backlog, round_trip }
    }

    #[test]
    fn thief_and_victim_end_together() {
        let amount =
            |backlog, thief, power| Half::default().amount(&victim(1, backlog, 1), thief, power);
        assert_eq!(amount(8_000, 1.0, 1.0), 4_000);
        assert_eq!(amount(8_000, 3.0, 1.0), 6_000);
        assert_eq!(amount(8_000, 1.0, 0.0), 8_000);
        assert_eq!(amount(1, 1.0, 1_000.0), 1);
        assert_eq!(amount(0, 1.0, 1.0), 0);
        assert_eq!(amount(8_000, 0.0, 0.0), 0);
    }

    #[test]
    fn the_best_of_a_few_is_the_nearest_of_equals_and_never_the_thief() {
        let mut world = World::default();
        world.node("thief");
        let choose = |victims: &[Victim]| {
            Half::default().victim(&world.view(0), victims, &mut Dice::new(1, "steal"))
        };
        assert_eq!(choose(&[victim(1, 4_000, 10), victim(2, 2_000, 0)]), Some(NodeId(2)));
        assert_eq!(choose(&[victim(1, 9_000, 10), victim(2, 2_000, 0)]), Some(NodeId(1)));
        assert_eq!(choose(&[victim(2, 1_000, 1), victim(1, 1_000, 1)]), Some(NodeId(1)));
        assert_eq!(choose(&[victim(0, 9_000, 0), victim(1, 0, 0)]), None);
        assert_eq!(choose(&[]), None);
    }

    proptest! {
        #[test]
        fn a_steal_never_exceeds_the_backlog(
            backlog in any::<u64>(),
            thief in any::<f64>(),
            victim in any::<f64>(),
        ) {
            prop_assert!(fair_part(backlog, thief, victim) <= backlog);
        }

        #[test]
        fn a_victim_has_a_backlog(
            backlogs in prop::collection::vec(0..3_u64, 0..12),
            seed in any::<u64>(),
        ) {
            let mut world = World::default();
            world.node("thief");
            let victims: Vec<Victim> =
                (0_u64..).zip(&backlogs).map(|(node, &backlog)| victim(node, backlog, 1)).collect();
            let mut dice = Dice::new(seed, "steal");
            let chosen = Half::default().victim(&world.view(0), &victims, &mut dice);
            prop_assert_eq!(chosen.is_some(), backlogs.iter().skip(1).any(|&b| b > 0));
            if let Some(node) = chosen {
                prop_assert!(node != NodeId(0) && backlogs[node.index()] > 0);
            }
        }
    }
}
