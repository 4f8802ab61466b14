//! A guard beside any force: giants go to the fastest. A node may have a task only where it would
//! end there within so many times the soonest end there is: `l_i + w/s_i <= g * min_j (l_j +
//! w/s_j)` with `l` the load over power. It mends the worst case of pulling, a very heavy task that
//! happens to be next when a slow node asks. Blind spots: it trusts weights, it knows of no way
//! there and back, and a slow node may idle while a heavy task waits for a fast one: the closer `g`
//! is to 1, the more often.

use crate::view::{NodeView, TaskView};

/// When `node` would have ended `task` after all that it holds, in thousandths of weight over
/// power; infinite for one without power.
#[must_use]
pub fn end(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
    (node.load as f64 + task.weight.thousandths() as f64) / node.power
}

/// Until when a task may end at a node where it would end at `soonest` at the node where it ends
/// soonest, with ends up to `giants` times later.
#[must_use]
pub fn latest(soonest: f64, giants: f64) -> f64 {
    // Rounded up a little, so that the soonest itself is never refused.
    if soonest.is_finite() { soonest * giants * (1.0 + 1e-9) } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use proptest::prelude::{prop, prop_assert, proptest};

    #[test]
    fn a_giant_goes_to_the_fast_node_and_a_light_task_to_any() {
        let mut world = World::default();
        world.node("slow").power(1.0);
        world.node("fast").power(4.0).load(40_000);
        let allowed = |weight: f64| {
            let task = world.task(weight);
            let ends = [0, 1].map(|node| end(&task, &world.view(node)));
            ends.map(|end| end <= latest(ends[0].min(ends[1]), 1.1))
        };
        assert_eq!(allowed(1.0), [true, false], "the fast node is busy for longer");
        assert_eq!(allowed(1_000.0), [false, true]);
    }

    #[test]
    fn nodes_without_power_are_as_good_as_each_other() {
        let mut world = World::default();
        world.node("dead").power(0.0);
        let end = end(&world.task(1.0), &world.view(0));
        assert!(end <= latest(end, 1.0));
    }

    proptest! {
        #[test]
        fn some_node_is_always_admitted(
            nodes in prop::collection::vec((0..1_000_000_u64, 0.01..100.0), 1..10),
            weight in 0.001..1e6,
            giants in 1.0..10.0,
        ) {
            let mut world = World::default();
            for (load, power) in &nodes {
                world.node("n").load(*load).power(*power);
            }
            let task = world.task(weight);
            let ends: Vec<f64> = (0..nodes.len()).map(|n| end(&task, &world.view(n))).collect();
            let soonest = ends.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(ends.iter().any(|end| *end <= latest(soonest, giants)));
        }
    }
}
