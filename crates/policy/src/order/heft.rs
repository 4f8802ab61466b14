//! The upward rank of HEFT first: `key = rank`, where `rank = mean run time + max over the tasks
//! that wait for it of (mean time its result takes to them + their rank)` (Topcuoglu, Hariri and
//! Wu, 2002). It is the b-level with what results take from node to node. A task whose rank is
//! unknown counts its b-level, a second for each unit of weight. Blind spot: the means: a result
//! that stays on its node takes no time, and the rank does not know which one will.

use crate::order::shortest_remaining::seconds;
use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The task with the longest way to the end first, transfers included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heft;

impl Order for Heft {
    fn name(&self) -> &'static str {
        "heft"
    }

    fn needs_rank(&self) -> bool {
        true
    }

    fn is_within_jobs(&self) -> bool {
        true
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        as_key(task.known.rank.unwrap_or_else(|| seconds(task.b_level)).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;
    use bary_model::time::Span;

    #[test]
    fn a_light_task_with_a_large_result_comes_first() {
        let world = World::default();
        let rank = Some(Span::secs(9));
        let known = Foresight { rank, ..Foresight::default() };
        let sends = TaskView { known, ..world.task(1.0) };
        assert!(Heft.key(&sends) > Heft.key(&world.task(8.0)));
        assert!(Heft.key(&sends) < Heft.key(&world.task(10.0)));
    }
}
