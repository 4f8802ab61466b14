//! To each node in turn: `pull = -granted`, so the node with the fewest tasks so far is next.
//! Blind spots: weight, speed, load and distance; a slow node gets as many tasks as a fast one.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// Equal counts; the unit of its pull is a task.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin;

impl Force for RoundRobin {
    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn formula(&self) -> &str {
        "-(tasks granted so far)"
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        let granted = i64::try_from(node.granted).unwrap_or(i64::MAX);
        Pull(granted.saturating_mul(-1_000))
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let tasks = if node.granted == 1 { "task" } else { "tasks" };
        format!("round robin, {} {tasks} granted so far", node.granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn the_node_with_the_fewest_grants_is_next_whatever_it_holds() {
        let mut world = World::default();
        world.node("a").granted(3);
        world.node("b").granted(2).load(9_000);
        assert_eq!(world.pulls(&RoundRobin, &world.task(1.0)), [-3_000, -2_000]);
    }
}
