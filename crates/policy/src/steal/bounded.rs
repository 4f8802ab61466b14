//! Queues of bounded length and steals of a few tasks, with the limits of the published
//! work-stealing system: at most 10 tasks wait at a node; a node whose queue is full, or full to
//! 80 %, seeks another that takes some; at least 2 tasks must wait there; a steal takes at most 3,
//! and no task is stolen more than 3 times. Blind spots: a full node is the one that has no time to
//! seek, idle nodes wait until it does, and nothing moves below the threshold however idle others
//! are. With `steal_by=idle` the idle side asks, under the same limits.

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::dice::Dice;
use crate::parameter::bounds::{
    QUEUE_MAX, STEAL_AT, STEAL_BY, STEAL_COUNT, STEAL_MIN, STEAL_TASKS,
};
use crate::parameter::given::Given;
use crate::parameter::table::STEAL_QUARTER;
use crate::steal::half::best_of_few;
use crate::steal::three::weight_of;
use crate::steal::{Bounds, Starts, Steal, Victim};
use crate::view::NodeView;

/// A few tasks at a time between queues that are never long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// The round trip at which a backlog counts a quarter. Defaults to 10 ms.
    pub quarter: Span,
    /// The limits; see the file's head for what they are where nobody says.
    pub bounds: Bounds,
}

impl Default for Bounded {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl Bounded {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let queue_max = given.whole(&QUEUE_MAX);
        // Rounded up: four of five is not yet 80 % of six.
        let crowded = (given.number(&STEAL_AT) * queue_max as f64).ceil() as u64;
        let starts = match given.word(&STEAL_BY) {
            "idle" => Starts::Idle,
            _ => Starts::Crowded { queued: crowded.clamp(1, queue_max) },
        };
        let bounds = Bounds {
            queue_max,
            starts,
            queued_min: given.whole(&STEAL_MIN),
            tasks_max: given.whole(&STEAL_TASKS),
            times_max: u32::try_from(given.whole(&STEAL_COUNT)).unwrap_or(u32::MAX),
        };
        Self { quarter: given.time(&STEAL_QUARTER), bounds }
    }

    /// Whether the limits let `victim` be stolen from.
    fn allows(&self, victim: &Victim) -> bool {
        let crowded = match self.bounds.starts {
            Starts::Idle => true,
            Starts::Crowded { .. } => self.bounds.is_crowded(victim.queued),
        };
        crowded && victim.queued >= self.bounds.queued_min
    }
}

impl Steal for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn amount(&self, victim: &Victim, _thief_power: f64, _victim_power: f64) -> u64 {
        if !self.allows(victim) {
            return 0;
        }
        weight_of(self.bounds.tasks(victim.queued, 0), victim)
    }

    fn victim(&self, thief: &NodeView<'_>, victims: &[Victim], dice: &mut Dice) -> Option<NodeId> {
        best_of_few(thief.info.id, victims, self.quarter, dice, |victim| self.allows(victim))
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;
    use crate::world::World;

    fn victim(node: u64, queued: u64) -> Victim {
        let backlog = queued * 1_000;
        Victim { node: NodeId(node), backlog, queued, round_trip: Span::ZERO }
    }

    fn by_idle() -> Bounded {
        let mut given = Given::default();
        given.set(&STEAL_BY, Value::Word("idle"));
        Bounded::with(&given)
    }

    #[test]
    fn the_limits_are_as_published() {
        let bounds = Bounded::default().bounds;
        let starts = Starts::Crowded { queued: 8 };
        let published = Bounds { queue_max: 10, starts, queued_min: 2, tasks_max: 3, times_max: 3 };
        assert_eq!(bounds, published);
        let crowded = [0, 7, 8, 10].map(|queued| bounds.is_crowded(queued));
        assert_eq!(crowded, [false, false, true, true]);
        assert!(!by_idle().bounds.is_crowded(10));
    }

    #[test]
    fn a_steal_moves_at_most_three_tasks_to_a_queue_that_has_room() {
        let bounds = Bounded::default().bounds;
        let moved = [(1, 0), (2, 0), (10, 0), (10, 8), (10, 10), (10, 11)];
        let moved = moved.map(|(victim, thief)| bounds.tasks(victim, thief));
        assert_eq!(moved, [0, 2, 3, 2, 0, 0]);
    }

    #[test]
    fn below_the_threshold_a_full_node_keeps_its_tasks() {
        let rule = Bounded::default();
        let amounts = [7, 8, 10].map(|queued| rule.amount(&victim(1, queued), 1.0, 1.0));
        assert_eq!(amounts, [0, 3_000, 3_000]);
        let idle = [1, 2, 7].map(|queued| by_idle().amount(&victim(1, queued), 1.0, 1.0));
        assert_eq!(idle, [0, 2_000, 3_000]);
    }

    #[test]
    fn only_a_node_that_may_be_stolen_from_is_chosen() {
        let mut world = World::default();
        world.node("thief");
        let choose = |rule: &Bounded, victims: &[Victim]| {
            rule.victim(&world.view(0), victims, &mut Dice::new(1, "steal"))
        };
        let victims = [victim(1, 5), victim(2, 1)];
        assert_eq!(choose(&Bounded::default(), &victims), None);
        assert_eq!(choose(&by_idle(), &victims), Some(NodeId(1)));
        assert_eq!(choose(&by_idle(), &victims[1..]), None);
    }
}
