//! The task that ends soonest first: `key = -run time`, as predicted. With every node taking a task
//! whenever it has room it gives the lowest mean time to a result (Schrage, 1968, for tasks that
//! may be interrupted; here none is, so what remains of a ready task is all of it). A task whose
//! run time is unknown counts a second for each unit of weight. Blind spot: a long task waits for
//! as long as short ones keep coming.

use bary_model::time::Span;

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The shortest task first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShortestRemaining;

/// How long a task of some thousandths of weight counts where nobody knows: a second a unit.
pub(super) fn seconds(thousandths: u64) -> Span {
    Span::millis(thousandths)
}

impl Order for ShortestRemaining {
    fn name(&self) -> &'static str {
        "shortest-remaining"
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        let run = task.known.run_time.unwrap_or_else(|| seconds(task.weight.thousandths()));
        -as_key(run.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;

    #[test]
    fn a_known_time_counts_and_otherwise_the_weight() {
        let world = World::default();
        let long = Foresight { run_time: Some(Span::secs(9)), ..Foresight::default() };
        let light = TaskView { known: long, ..world.task(1.0) };
        assert!(ShortestRemaining.key(&world.task(8.0)) > ShortestRemaining.key(&light));
        assert!(ShortestRemaining.key(&world.task(10.0)) < ShortestRemaining.key(&light));
    }
}
