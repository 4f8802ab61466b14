//! By lot: one of the nodes that can run the task, each as likely as any other. It knows nothing,
//! so nothing it knows can be wrong. Blind spots: all; some node is always unlucky, by about the
//! square root of the tasks per node.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// A lot for each task: one node is looked at, and has it; the pull of all is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Force for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn formula(&self) -> &str {
        "drawn by lot"
    }

    fn between(&self, _task: &TaskView<'_>, _node: &NodeView<'_>) -> Pull {
        Pull(0)
    }

    fn looks_at(&self) -> Option<usize> {
        Some(1)
    }

    fn reason(&self, _task: &TaskView<'_>, _node: &NodeView<'_>) -> String {
        "drawn by lot".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::sample::drawn;

    #[test]
    fn every_node_wins_about_as_often() {
        let mut dice = Dice::new(1, "force");
        let mut wins = [0_u32; 2];
        for _ in 0..10_000 {
            for place in drawn(2, Random.looks_at().unwrap_or(2), &mut dice) {
                wins[place] += 1;
            }
        }
        assert!(wins.iter().all(|n| (4_700..5_300).contains(n)), "{wins:?}");
    }
}
