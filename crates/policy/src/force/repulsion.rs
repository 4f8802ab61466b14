//! The published force with its faults mended, as the base of other rules:
//! `F = G * w * (l + w) / C`, with `C` the capacity of a worker times the node's declared power.
//! The weight no longer cancels and an idle cluster is not stuck at zero, as the load counts with
//! the task in it; a node of more power holds more. Only relations between forces mean something.

use crate::parameter::given::Given;
use crate::parameter::table::{G, WORKER_CAPACITY};
use crate::view::{NodeView, TaskView};

/// Repulsion by load and weight against capacity, in units of weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repulsion {
    /// The constant G. Defaults to 1.
    pub constant: f64,
    /// The load that fills a worker of power 1. Defaults to 100, as published.
    pub capacity: f64,
}

impl Repulsion {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { constant: given.number(&G), capacity: given.number(&WORKER_CAPACITY) }
    }

    /// The force between a task and a node.
    #[must_use]
    pub fn force(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        self.at(node.load, task, node)
    }

    /// The force that it would be if the node's load were the mean.
    #[must_use]
    pub fn mean(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        self.at(node.mean_load, task, node)
    }

    fn at(&self, load: u64, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let weight = task.weight.units();
        let filled = (load as f64 / 1e3 + weight) / (self.capacity * node.info.power());
        self.constant * weight * filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn weight_load_and_power_all_count() {
        let mut world = World::default();
        world.node("idle");
        world.node("loaded").load(8_000);
        world.node("fast").load(8_000).power(2.0);
        let repulsion = Repulsion::with(&Given::default());
        let force = |weight, node| repulsion.force(&world.task(weight), &world.view(node));
        // 5 * (0 + 5) / 100; 5 * (8 + 5) / 100; the same over 200.
        assert_eq!([0, 1, 2].map(|node| force(5.0, node)), [0.25, 0.65, 0.325]);
        assert!(force(1.0, 1) / force(1.0, 0) > force(5.0, 1) / force(5.0, 0), "weight counts");
    }
}
