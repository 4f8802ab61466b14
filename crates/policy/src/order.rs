//! Which ready task comes next. An order gives each task a key; higher keys come first, and of
//! equal keys the task that came first. Priority classes are strict and stand before any order.

pub mod b_level;
pub mod deadline;
pub mod fair_share;
pub mod fifo;
pub mod heaviest_first;
pub mod heft;
pub mod lightest_first;
pub mod priority;
pub mod shortest_remaining;

use std::fmt::Debug;
use std::sync::Arc;

use crate::view::TaskView;

/// A rule for which ready task comes next.
pub trait Order: Send + Sync + Debug {
    /// The name under which people choose it.
    fn name(&self) -> &'static str;

    /// The task's key; higher comes first. It never changes while the task is ready.
    fn key(&self, task: &TaskView<'_>) -> i64;

    /// Whether what came earlier goes first, whatever its key, and keys count among the tasks of
    /// one job; where nobody says otherwise.
    fn is_within_jobs(&self) -> bool {
        false
    }

    /// Whether owners take turns, before any key. See [`fair_share::Turns`].
    fn takes_turns(&self) -> bool {
        false
    }

    /// Whether it looks at a task's upward rank. See
    /// [`Foresight::rank`](crate::view::Foresight::rank).
    fn needs_rank(&self) -> bool {
        false
    }
}

/// The orders there are, by name.
pub const NAMES: &[&str] = &[
    "fifo",
    "heaviest-first",
    "lightest-first",
    "b-level",
    "priority",
    "shortest-remaining",
    "deadline",
    "heft",
    "fair-share",
];

/// The order of a name; none where there is no such order.
#[must_use]
pub fn named(name: &str) -> Option<Arc<dyn Order>> {
    Some(match name {
        "fifo" => Arc::new(fifo::Fifo),
        "heaviest-first" => Arc::new(heaviest_first::HeaviestFirst),
        "lightest-first" => Arc::new(lightest_first::LightestFirst),
        "b-level" => Arc::new(b_level::BLevel),
        "priority" => Arc::new(priority::Priority),
        "shortest-remaining" => Arc::new(shortest_remaining::ShortestRemaining),
        "deadline" => Arc::new(deadline::Deadline),
        "heft" => Arc::new(heft::Heft),
        "fair-share" => Arc::new(fair_share::FairShare),
        _ => return None,
    })
}

/// Every order there is.
#[must_use]
pub fn all() -> Vec<Arc<dyn Order>> {
    NAMES.iter().filter_map(|name| named(name)).collect()
}

/// An amount as a key; past the largest key it counts as the largest.
fn as_key(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    /// The sequence numbers of three tasks in the order that `order` gives them.
    fn sorted(order: &dyn Order) -> Vec<u64> {
        let world = World::default();
        // Weight, b-level: 0 is light but opens a long path, 1 is heavy, 2 is light and last.
        let mut tasks = [world.task(1.0), world.task(5.0), world.task(1.0)];
        for (sequence, b_level) in [9_000, 5_000, 1_000].into_iter().enumerate() {
            tasks[sequence].b_level = b_level;
            tasks[sequence].sequence = sequence as u64;
        }
        tasks.sort_by_key(|task| (std::cmp::Reverse(order.key(task)), task.sequence));
        tasks.iter().map(|task| task.sequence).collect()
    }

    #[test]
    fn each_order_sorts_a_tiny_world_its_own_way() {
        let expected = [
            ("fifo", [0, 1, 2]),
            ("heaviest-first", [1, 0, 2]),
            ("lightest-first", [0, 2, 1]),
            ("b-level", [0, 1, 2]),
            ("priority", [0, 1, 2]),
            ("shortest-remaining", [0, 2, 1]),
            ("deadline", [0, 1, 2]),
            ("heft", [0, 1, 2]),
            ("fair-share", [0, 1, 2]),
        ];
        assert_eq!(all().len(), expected.len());
        for (order, (name, sequence)) in all().iter().zip(expected) {
            assert_eq!((order.name(), sorted(order.as_ref())), (name, sequence.to_vec()));
        }
    }

    #[test]
    fn the_longest_path_goes_before_the_heaviest_task() {
        let world = World::default();
        let mut light = world.task(1.0);
        light.b_level = 6_000;
        let heavy = world.task(5.0);
        assert!(b_level::BLevel.key(&light) > b_level::BLevel.key(&heavy));
        light.b_level = u64::MAX;
        assert_eq!(b_level::BLevel.key(&light), i64::MAX);
    }
}
