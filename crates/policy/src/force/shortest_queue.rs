//! The node with the fewest tasks for its slots: `pull = -tasks/slots`. It is assignment by the
//! room in a queue, as systems with bounded queues do it. Blind spots: weight, speed and distance:
//! a queue of three long tasks looks better than one of four short ones.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// The shortest queue; the unit of its pull is a task for each slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShortestQueue;

impl Force for ShortestQueue {
    fn name(&self) -> &'static str {
        "shortest-queue"
    }

    fn formula(&self) -> &str {
        "-tasks / slots"
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-(node.tasks as f64) / f64::from(node.info.slots.max(1)))
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        format!("shortest queue, {} tasks for {} slots", node.tasks, node.info.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn tasks_count_for_each_slot_and_weight_does_not() {
        let mut world = World::default();
        world.node("one slot").tasks(2);
        world.node("four slots").tasks(6).slots(4).load(90_000);
        assert_eq!(world.pulls(&ShortestQueue, &world.task(1.0)), [-2_000, -1_500]);
    }
}
