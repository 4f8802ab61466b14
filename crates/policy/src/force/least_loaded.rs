//! The node that would be done soonest: `pull = -(load + weight) / power`, which are seconds where
//! power is in weight a second. Blind spots: distance, and a view that is old by the time
//! it is used, as then every home sends its tasks to the same node.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// The earliest end first; the unit of its pull is a millionth of the time that a power of 1 takes
/// for a weight of 1, so that a microsecond still counts where power is in weight a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastLoaded;

fn end(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
    let held = node.load as f64 + task.weight.thousandths() as f64;
    held / 1e3 / node.power
}

impl Force for LeastLoaded {
    fn name(&self) -> &'static str {
        "least-loaded"
    }

    fn formula(&self) -> &str {
        "-(load + weight) / power"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-end(task, node) * 1e6)
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        format!("least loaded, would be done after {:.3} of work", end(task, node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn a_fast_node_with_more_load_can_be_done_sooner() {
        let mut world = World::default();
        world.node("slow").load(1_000).power(1.0);
        world.node("fast").load(6_000).power(4.0);
        assert_eq!(world.pulls(&LeastLoaded, &world.task(2.0)), [-3_000_000_000, -2_000_000_000]);
    }

    #[test]
    fn very_short_tasks_still_tell_nodes_apart() {
        let mut world = World::default();
        world.node("one").load(1_000).power(1e6);
        world.node("none").power(1e6);
        assert_eq!(world.pulls(&LeastLoaded, &world.task(1.0)), [-2_000, -1_000]);
    }

    #[test]
    fn a_node_without_power_is_the_last_choice() {
        let mut world = World::default();
        world.node("dead").power(0.0);
        assert_eq!(world.pulls(&LeastLoaded, &world.task(1.0)), [i64::MIN]);
    }
}
