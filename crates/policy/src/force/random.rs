//! By lot: each node draws a number and the highest has the task. It knows nothing, so nothing it
//! knows can be wrong. Blind spots: all; some node is always unlucky, by about the square root of
//! the tasks per node.

use crate::dice::Dice;
use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// A lot for each node; its pull has no unit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

/// How many lots there are: enough that two nodes seldom draw the same one.
const LOTS: u64 = 1 << 53;

impl Force for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn formula(&self) -> &str {
        "drawn by lot"
    }

    fn between(&self, _task: &TaskView<'_>, _node: &NodeView<'_>, dice: &mut Dice) -> Pull {
        Pull(i64::try_from(dice.below(LOTS)).unwrap_or(i64::MAX))
    }

    fn reason(&self, _task: &TaskView<'_>, _node: &NodeView<'_>) -> String {
        "drawn by lot".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn every_node_wins_about_as_often() {
        let mut world = World::default();
        world.node("a").load(9_000);
        world.node("b");
        let mut dice = Dice::new(1, "force");
        let nodes = [world.view(0), world.view(1)];
        let mut wins = [0_u32; 2];
        for _ in 0..10_000 {
            let pulls = nodes.map(|node| Random.between(&world.task(1.0), &node, &mut dice));
            wins[usize::from(pulls[1] > pulls[0])] += 1;
        }
        assert!(wins.iter().all(|n| (4_700..5_300).contains(n)), "{wins:?}");
    }
}
