//! A node draws a task in proportion to the depth of its well and less from afar:
//! `pull = deficit / (1 + d/d0)^2` with `deficit = share + weight * p - load`, where `share` is its
//! even part of all loads and `p` its declared power: the water level is the one that all would
//! stand at with one more such task for each unit of power. Above it, distance repels instead of
//! weakening. Blind spot: it trusts weights and loads.

use bary_model::time::Span;

use crate::dice::Dice;
use crate::distance::falloff;
use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{QUARTER, REGION_PENALTY};
use crate::view::{NodeView, TaskView};

/// Falling in proportion to depth; the unit of its pull is a unit of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gravity {
    /// The round trip at which a quarter of the pull is left. The median of the cluster is
    /// sensible. Defaults to 1 ms, that of a local network.
    pub quarter: Span,
    /// How much farther a node counts that is not in the region that the task asks for.
    /// Defaults to 50 ms, what a neighbouring region is away.
    pub abroad: Span,
}

impl Default for Gravity {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl Gravity {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { quarter: given.time(&QUARTER), abroad: given.time(&REGION_PENALTY) }
    }

    /// The depth of the node's well in units of weight; below zero it stands above the level.
    fn deficit(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let below_share = node.mean_load as f64 - node.load as f64;
        // Declared power is relative to other nodes; a measured one has a unit, and a weight
        // times that would not be a weight.
        below_share / 1e3 + task.weight.units() * node.info.power()
    }

    /// How far the node is for this task.
    fn distance(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Span {
        match &task.request.region {
            Some(region) if *region != node.info.region => node.round_trip + self.abroad,
            _ => node.round_trip,
        }
    }

    fn units(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let deficit = Self::deficit(task, node);
        let falloff = falloff(self.distance(task, node), self.quarter);
        if deficit > 0.0 { deficit / falloff } else { deficit * falloff }
    }
}

impl Force for Gravity {
    fn name(&self) -> &'static str {
        "gravity"
    }

    fn formula(&self) -> &str {
        "(average + weight - load) / (1 + distance / 1 ms)^2; above 0 it claims"
    }

    fn claims(&self, task: &TaskView<'_>, node: &NodeView<'_>, _dice: &mut Dice) -> bool {
        Self::deficit(task, node) > 0.0
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(self.units(task, node))
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let load = node.load as f64 / 1e3;
        let share = load + Self::deficit(task, node);
        let place = match self.distance(task, node) {
            Span::ZERO => "on this node".to_owned(),
            distance => format!("{distance} away"),
        };
        format!("gravity, load {load:.1} of a fair share of {share:.1}, {place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn the_deeper_well_draws_more() {
        let mut world = World::default();
        world.node("light").load(1_000);
        world.node("heavy").load(3_000);
        assert_eq!(world.pulls(&Gravity::default(), &world.task(2.0)), [3_000, 1_000]);
    }

    #[test]
    fn of_idle_nodes_the_faster_draws_more() {
        let mut world = World::default();
        world.node("slow").power(1.0);
        world.node("fast").power(4.0);
        assert_eq!(world.pulls(&Gravity::default(), &world.task(2.0)), [2_000, 8_000]);
    }

    #[test]
    fn loads_in_proportion_to_power_are_level() {
        let mut world = World::default();
        world.node("slow").load(1_000).power(1.0);
        world.node("fast").load(4_000).power(4.0);
        assert_eq!(world.pulls(&Gravity::default(), &world.task(1.0)), [1_000, 4_000]);
    }

    #[test]
    fn the_unit_of_measured_power_does_not_matter() {
        let mut world = World::default();
        world.node("light").load(1_000).measured(100.0);
        world.node("heavy").load(3_000).measured(100.0);
        assert_eq!(world.pulls(&Gravity::default(), &world.task(2.0)), [3_000, 1_000]);
    }

    #[test]
    fn a_far_node_is_used_once_the_near_one_is_level() {
        let mut world = World::default();
        world.node("near").load(5_000);
        world.node("far").load(1_000).round_trip(Span::millis(100));
        let pulls = world.pulls(&Gravity::default(), &world.task(1.0));
        assert!(pulls[0] < pulls[1], "{pulls:?}");
    }

    #[test]
    fn distance_weakens_a_pull_and_strengthens_a_push() {
        let far = Span::millis(1);
        let mut world = World::default();
        world.node("near");
        world.node("far").round_trip(far);
        assert_eq!(world.pulls(&Gravity::default(), &world.task(1.0)), [1_000, 250]);
        let mut world = World::default();
        world.node("near").load(9_000);
        world.node("far").load(9_000).round_trip(far);
        world.node("idle");
        assert_eq!(world.pulls(&Gravity::default(), &world.task(1.0))[..2], [-2_000, -8_000]);
    }

    #[test]
    fn a_region_that_is_asked_for_is_nearer_than_another() {
        let mut world = World::default();
        world.node("there").region("eu");
        world.node("elsewhere").region("us");
        world.request.region = Some("eu".into());
        let gravity = Gravity { quarter: Span::millis(50), ..Gravity::default() };
        assert_eq!(world.pulls(&gravity, &world.task(1.0)), [1_000, 250]);
        let reason = gravity.reason(&world.task(1.0), &world.view(1));
        assert_eq!(reason, "gravity, load 0.0 of a fair share of 1.0, 50.0 ms away");
        let near = gravity.reason(&world.task(1.0), &world.view(0));
        assert_eq!(near, "gravity, load 0.0 of a fair share of 1.0, on this node");
    }
}
