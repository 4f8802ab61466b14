//! The earliest deadline first: `key = -deadline`, and what has none comes last. On one node that
//! may interrupt tasks it meets every deadline that can be met (Liu and Layland, 1973; Dertouzos,
//! 1974). Blind spot: overload: where not all can be met, the most urgent tasks are started too
//! late one after the other, and each misses its own.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The most urgent task first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadline;

impl Order for Deadline {
    fn name(&self) -> &'static str {
        "deadline"
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        task.known.deadline.map_or(i64::MIN, |moment| -as_key(moment.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;
    use bary_model::time::Moment;

    #[test]
    fn the_earlier_deadline_comes_first_and_none_comes_last() {
        let world = World::default();
        let due = |at: Option<u64>| {
            let deadline = at.map(Moment);
            let known = Foresight { deadline, ..Foresight::default() };
            Deadline.key(&TaskView { known, ..world.task(1.0) })
        };
        assert!(due(Some(5)) > due(Some(9)));
        assert!(due(Some(u64::MAX)) > due(None));
    }
}
