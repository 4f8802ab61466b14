//! Affinity like that of magnets: a node of the task's kind draws it, others repel it. `pull = -F *
//! a` with `F` the mended force and `a` 0.5 where kinds match and 2 where they do not (as
//! published, where the default kinds `cpu` and `compute` never match; here they do). A node's kind
//! is its label `kind`, `cpu` where it has none. Blind spot: within a kind it sees no distance, and
//! a node of the right kind gets four times the load before another is taken.

use crate::force::repulsion::Repulsion;
use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{ATTRACT, REPEL};
use crate::view::{NodeView, TaskView};
use bary_model::task::Kind;

/// Repulsion, halved by likeness and doubled by unlikeness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Magnetic {
    /// The force without affinity.
    pub repulsion: Repulsion,
    /// What the force is multiplied with where kinds match. Defaults to 0.5.
    pub attract: f64,
    /// What it is multiplied with where they do not. Defaults to 2.
    pub repel: f64,
}

impl Magnetic {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let (attract, repel) = (given.number(&ATTRACT), given.number(&REPEL));
        Self { repulsion: Repulsion::with(given), attract, repel }
    }

    fn units(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let affinity = if is_alike(task, node) { self.attract } else { self.repel };
        self.repulsion.force(task, node) * affinity
    }
}

/// The kind that a node says it is.
fn kind<'a>(node: &NodeView<'a>) -> &'a str {
    node.info.labels.get("kind").map_or("cpu", |kind| kind)
}

/// Whether a node's kind is the task's.
fn is_alike(task: &TaskView<'_>, node: &NodeView<'_>) -> bool {
    let kind = kind(node);
    if task.request.resources.milli_gpus > 0 {
        return kind == "gpu";
    }
    match task.request.kind {
        Kind::Compute => matches!(kind, "cpu" | "compute"),
        Kind::Communication => matches!(kind, "network" | "communication"),
        Kind::Io => matches!(kind, "disk" | "io"),
        Kind::Mixed => kind == "mixed",
    }
}

impl Force for Magnetic {
    fn name(&self) -> &'static str {
        "magnetic"
    }

    fn formula(&self) -> &str {
        "-(G * weight * (load + weight) / capacity), halved for its kind and doubled for others"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-self.units(task, node) * 1e3)
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let alike = if is_alike(task, node) { "draws" } else { "repels" };
        let force = self.units(task, node);
        format!("magnetic force {force:.3}, a node of kind {} {alike} it", kind(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn a_node_of_the_right_kind_draws_more_until_it_has_four_times_the_load() {
        let mut world = World::default();
        world.node("cpu").load(7_000);
        world.node("disk").label("kind", "disk").load(1_000);
        let pulls =
            |world: &World| world.pulls(&Magnetic::with(&Given::default()), &world.task(1.0));
        // (7 + 1) / 100 / 2 and (1 + 1) / 100 * 2.
        assert_eq!(pulls(&world), [-40_000, -40_000]);
        world.request.kind = Kind::Io;
        assert_eq!(pulls(&world), [-160_000, -10_000]);
    }

    #[test]
    fn a_task_with_gpus_is_drawn_by_nodes_of_that_kind() {
        let mut world = World::default();
        world.node("cpu");
        world.node("gpu").label("kind", "gpu");
        world.request.resources.milli_gpus = 1_000;
        let pulls = world.pulls(&Magnetic::with(&Given::default()), &world.task(1.0));
        assert!(pulls[0] < pulls[1], "{pulls:?}");
    }
}
