//! The most central node: `pull = 100 * closeness / (1 + tasks/slots)`, with the current-flow
//! closeness of the node in the graph whose edges are `1 / round trip`: the inverse of its mean
//! resistance to all others (Stephenson and Zelen, 1989; Brandes and Fleischer, 2005). It is the
//! centrality that the published rule means. Where no closeness is known, the shortest queue
//! draws most. Blind spot: bytes: where they are what counts, `locality` knows better.

use crate::force::capability::queue;
use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// Closeness over queue; the unit of its pull is a hundredth of the most central node's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Central;

/// The closeness in hundredths that is left with the queue in mind; below zero where it is
/// unknown.
pub(super) fn left(node: &NodeView<'_>) -> f64 {
    match node.scores {
        Some(scores) => 100.0 * scores.closeness / queue(node),
        None => -queue(node),
    }
}

impl Force for Central {
    fn name(&self) -> &'static str {
        "central"
    }

    fn formula(&self) -> &str {
        "100 * current-flow closeness / (1 + tasks / slots)"
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(left(node))
    }

    fn needs_graph(&self) -> bool {
        true
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        match node.scores {
            Some(scores) => {
                let (closeness, queue) = (scores.closeness, queue(node));
                format!("closeness {closeness:.3}, shared by {queue:.1}")
            }
            None => format!("closeness unknown, {:.1} rounds of tasks", queue(node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn the_middle_draws_until_it_is_full() {
        let mut world = World::default();
        world.node("end").scores(0.5, 0.7);
        world.node("middle").scores(1.0, 0.0);
        world.node("busy middle").scores(1.0, 0.0).tasks(3);
        world.node("unknown");
        let pulls = world.pulls(&Central, &world.task(1.0));
        assert_eq!(pulls, [50_000, 100_000, 25_000, -1_000]);
    }
}
