//! The published rule for key nodes, kept as it was: `pull = 100 * |v|`, with `v` the node's
//! component of the Fiedler vector, where a large component is said to mean a central node. It does
//! not: on a path the ends have the largest components and the middle has none (Spearman's
//! correlation with closeness is -1), so the rule ranks the periphery first. The sign tells the two
//! sides of the best cut, which is what the vector is good for (Fiedler, 1973). Where no component
//! is known, all nodes are alike. Blind spots: centrality, load, speed; see `central`.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// The size of a component; the unit of its pull is a hundredth of the vector's length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fiedler;

impl Force for Fiedler {
    fn name(&self) -> &'static str {
        "fiedler"
    }

    fn formula(&self) -> &str {
        "100 * |component of the Fiedler vector|"
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(node.scores.map_or(0.0, |scores| 100.0 * scores.fiedler.abs()))
    }

    fn needs_graph(&self) -> bool {
        true
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        match node.scores {
            Some(scores) => format!("Fiedler component {:.3}, of either sign", scores.fiedler),
            None => "Fiedler component unknown".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn on_a_path_the_ends_come_first_and_the_middle_last() {
        let mut world = World::default();
        // The Fiedler vector of a path of five nodes is a cosine.
        for (place, component) in [0.6015, 0.3717, 0.0, -0.3717, -0.6015].into_iter().enumerate() {
            let middle = 1.0 - (place as f64 - 2.0).abs() / 4.0;
            world.node("n").scores(middle, component);
        }
        let pulls = world.pulls(&Fiedler, &world.task(1.0));
        assert_eq!(pulls, [60_150, 37_170, 0, 37_170, 60_150]);
    }
}
