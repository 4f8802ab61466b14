//! The node that is least busy: `pull = -max(cpu, memory)` in per cent, each with what the task
//! asks for. Processors are as busy as the machine measures with other things, and the tasks that
//! the node was granted make them, so that what was just sent there counts before it runs. Blind
//! spots: weights, and work that is about to end.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// The least of the fuller of processors and memory; the unit of its pull is a per cent.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastUsed;

/// How full the node would be with the task, 1 where processors or memory are just used up.
fn fullness(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
    let (need, whole) = (&task.request.resources, &node.info.resources);
    let share = |need: u64, whole: u64| if whole == 0 { 0.0 } else { need as f64 / whole as f64 };
    // Not limited to 1: of two full nodes the one with the shorter queue is better.
    let granted = node.tasks as f64 / f64::from(node.info.slots.max(1));
    let (others, memory) = node.used.map_or((0.0, 0.0), |used| (used.cpu, used.memory));
    let cpu = others + granted + share(need.milli_cpus, whole.milli_cpus);
    cpu.max(memory + share(need.memory, whole.memory))
}

impl Force for LeastUsed {
    fn name(&self) -> &'static str {
        "least-used"
    }

    fn formula(&self) -> &str {
        "-100 * max(busy processors, used memory), both with the task"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-100.0 * fullness(task, node))
    }

    fn sees_used(&self) -> bool {
        true
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let measured = if node.used.is_some() { "as measured" } else { "as granted" };
        format!("least used, would be {:.0} % full {measured}", 100.0 * fullness(task, node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn the_fuller_of_processors_and_memory_counts() {
        let mut world = World::default();
        world.node("cpu").used(0.5, 0.1);
        world.node("memory").used(0.1, 0.9).memory(1_000);
        world.request.resources.memory = 200;
        assert_eq!(world.pulls(&LeastUsed, &world.task(1.0)), [-50_000, -110_000]);
    }

    #[test]
    fn what_was_granted_counts_beside_what_is_measured() {
        let mut world = World::default();
        world.node("unmeasured").tasks(2);
        world.node("measured").used(0.3, 0.0);
        world.node("both").used(0.3, 0.0).tasks(1);
        assert_eq!(world.pulls(&LeastUsed, &world.task(1.0)), [-200_000, -30_000, -130_000]);
    }
}
