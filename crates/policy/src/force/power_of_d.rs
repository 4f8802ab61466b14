//! The least loaded of a few nodes drawn by lot: `d` of them, two where nobody says. The queue of
//! the fullest node grows as `log log n / log d` instead of `log n / log log n` (Azar, Broder,
//! Karlin and Upfal, 1999; Mitzenmacher, 2001). Cheap, and old views do not make all choose the
//! same node. Blind spots: distance, and it is never quite as level as looking at all.

use crate::force::least_loaded::LeastLoaded;
use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::D;
use crate::view::{NodeView, TaskView};

/// The best of a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerOfD {
    /// How many nodes are looked at; at least 1. Defaults to 2.
    pub d: usize,
}

impl PowerOfD {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { d: usize::try_from(given.whole(&D)).unwrap_or(usize::MAX) }
    }
}

impl Force for PowerOfD {
    fn name(&self) -> &'static str {
        "power-of-d"
    }

    fn formula(&self) -> &str {
        "-(load + weight) / power, of d nodes drawn by lot"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        LeastLoaded.between(task, node)
    }

    fn looks_at(&self) -> Option<usize> {
        Some(self.d)
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        format!("{}, if it is among the {} drawn", LeastLoaded.reason(task, node), self.d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::sample::drawn;
    use crate::world::World;

    /// The load of the fullest of 200 nodes after 200 tasks of weight 1.
    fn fullest(d: usize) -> u64 {
        let force = PowerOfD { d };
        let mut dice = Dice::new(3, "force");
        let mut world = World::default();
        for _ in 0..200 {
            world.node("n");
        }
        for _ in 0..200 {
            let task = world.task(1.0);
            let places = drawn(200, force.looks_at().unwrap_or(200), &mut dice);
            let rank = |place: &usize| force.between(&task, &world.view(*place));
            let best = places.into_iter().max_by_key(rank).expect("some are drawn");
            let load = world.view(best).load;
            world.at(best).load(load + 1_000);
        }
        (0..200).map(|n| world.view(n).load).max().unwrap_or(0)
    }

    #[test]
    fn two_choices_are_much_better_than_one_and_three_little_better_than_two() {
        let [one, two, many] = [1, 2, 200].map(fullest);
        assert!(one >= two + 1_000 && two > many, "{one} {two} {many}");
        assert_eq!(many, 1_000);
    }
}
