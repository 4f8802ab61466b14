//! The task with the heaviest path below it first: `key = b-level`, the weight of that path with
//! the task itself, and of equal ones the task that most others wait for (critical path, most
//! immediate successors first: Kasahara and Narita, 1984). Without dependencies it is
//! heaviest-first, as a b-level is then a weight.
//! Its blind spot is that it counts no transfer times and no room: it assumes nodes to be alike.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// Past so many successors a task counts as if it had so many.
const SUCCESSORS_MAX: u32 = 255;

/// The task that opens the heaviest path first.
#[derive(Clone, Copy, Debug, Default)]
pub struct BLevel;

impl Order for BLevel {
    fn name(&self) -> &'static str {
        "b-level"
    }

    fn is_within_jobs(&self) -> bool {
        true
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        let path = as_key(task.b_level).saturating_mul(i64::from(SUCCESSORS_MAX) + 1);
        path.saturating_add(i64::from(task.known.successors.min(SUCCESSORS_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;

    #[test]
    fn of_equal_paths_the_task_that_most_wait_for_goes_first_and_no_longer_path_waits_for_it() {
        let world = World::default();
        let task = |b_level, successors| TaskView {
            b_level,
            known: Foresight { successors, ..Foresight::default() },
            ..world.task(1.0)
        };
        assert!(BLevel.key(&task(5_000, 2)) > BLevel.key(&task(5_000, 1)));
        assert!(BLevel.key(&task(5_001, 0)) > BLevel.key(&task(5_000, u32::MAX)));
        assert_eq!(BLevel.key(&task(u64::MAX, 9)), i64::MAX);
    }
}
