//! The classic rule, kept as it was published: `F = G * load * weight / (d + 1)^2`, and the lower
//! force is better, so `pull = -F`. Its blind spots are many: weight and power play no part in
//! who gets a task, distance makes a loaded node look better, and by its own threshold
//! `F < 0.8 * mean load * weight` a cluster without load never starts.

use crate::dice::Dice;
use crate::force::{Force, Ideal, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{DISTANCE_OFFSET, FACTOR, G};
use crate::view::{NodeView, TaskView};

/// Repulsion by load and weight; the unit of its pull is a unit of weight, squared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PidsClassic {
    /// The constant G. Defaults to 1.
    pub constant: f64,
    /// What is added to the distance, so that it is never zero. Defaults to 1.
    pub offset: f64,
    /// The threshold's share of mean load times weight. Defaults to 0.8.
    pub factor: f64,
}

impl Default for PidsClassic {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl PidsClassic {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let (constant, offset) = (given.number(&G), given.number(&DISTANCE_OFFSET));
        Self { constant, offset, factor: given.number(&FACTOR) }
    }

    /// The force, in units of weight squared.
    #[must_use]
    pub fn force(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let side = distance(task, node) + self.offset;
        self.constant * (node.load as f64 / 1e3) * task.weight.units() / (side * side)
    }

    /// The force from which on the classic worker refuses a task.
    #[must_use]
    pub fn threshold(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        node.mean_load as f64 / 1e3 * task.weight.units() * self.factor
    }
}

/// One, as published, unless the task asks for another region: then the way there in ms.
fn distance(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
    match &task.request.region {
        Some(region) if *region != node.info.region => node.round_trip.as_secs_f64() * 1e3 / 2.0,
        _ => 1.0,
    }
}

impl Force for PidsClassic {
    fn name(&self) -> &'static str {
        "pids-classic"
    }

    fn formula(&self) -> &str {
        "load * weight / (distance + 1)^2; below 0.8 * average * weight it claims"
    }

    fn claims(&self, task: &TaskView<'_>, node: &NodeView<'_>, _dice: &mut Dice) -> bool {
        self.force(task, node) < self.threshold(task, node)
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-self.force(task, node))
    }

    fn ideal(&self) -> Ideal {
        Ideal::Far
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (force, threshold) = (self.force(task, node), self.threshold(task, node));
        let would = if force < threshold { "would claim it" } else { "would refuse it" };
        format!("classic force {force:.3}, threshold {threshold:.3}: a classic worker {would}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::time::Span;

    #[test]
    fn the_force_is_as_published() {
        let mut world = World::default();
        world.node("idle");
        world.node("loaded").load(8_000);
        // 8 * 5 / (1 + 1)^2 = 10.
        assert_eq!(world.pulls(&PidsClassic::default(), &world.task(5.0)), [0, -10_000]);
    }

    #[test]
    fn without_load_the_threshold_lets_nobody_claim() {
        let mut world = World::default();
        world.node("idle");
        let reason = PidsClassic::default().reason(&world.task(5.0), &world.view(0));
        assert!(reason.ends_with("would refuse it"), "{reason}");
    }

    #[test]
    fn weight_plays_no_part_in_who_claims() {
        let mut world = World::default();
        world.node("idle");
        world.node("loaded").load(8_000);
        for weight in [0.001, 1.0, 1e6] {
            let (task, node) = (world.task(weight), world.view(1));
            let classic = PidsClassic::default();
            assert!(classic.force(&task, &node) < classic.threshold(&task, &node));
        }
    }

    #[test]
    fn a_loaded_node_looks_better_from_afar() {
        let mut world = World::default();
        world.node("there").region("eu").load(8_000);
        world.node("elsewhere").region("us").load(8_000).round_trip(Span::millis(18));
        world.request.region = Some("eu".into());
        assert_eq!(world.pulls(&PidsClassic::default(), &world.task(1.0)), [-2_000, -80]);
    }
}
