//! Latency as distance, with the sign of the published example mended, so that far repels:
//! `pull = -F * ((d + o) / (1 + o))^2` with `F` the mended force, `o` the offset, and `d` the
//! latency between the task's region and the node's in milliseconds: from a map of latencies, or
//! half the round trip where that does not say, and never less than the published default of 1.
//! Blind spot: the square is steep: 50 ms away a node counts as 650 times as loaded, so work
//! hardly ever leaves its region.

use crate::force::repulsion::Repulsion;
use crate::force::{Force, Pull};
use crate::latency::LatencyMap;
use crate::parameter::given::Given;
use crate::parameter::table::{DISTANCE_OFFSET, LATENCY};
use crate::view::{NodeView, TaskView};

/// Repulsion by load and distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Geo {
    /// The force without distance.
    pub repulsion: Repulsion,
    /// What is added to each distance, in milliseconds. Defaults to 1.
    pub offset: f64,
    /// Latencies between regions. Defaults to the three of the published example.
    pub latency: LatencyMap,
}

/// The least distance there is, in milliseconds.
const NEAR: f64 = 1.0;

impl Geo {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let (offset, latency) = (given.number(&DISTANCE_OFFSET), given.latencies(&LATENCY));
        Self { repulsion: Repulsion::with(given), offset, latency }
    }

    /// How far the node is from where the task belongs, in milliseconds.
    fn distance(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let region = &*node.info.region;
        match task.request.region.as_deref() {
            None => NEAR,
            Some(asked) if asked == region => NEAR,
            Some(asked) => {
                let stated = self.latency.between(asked, region).map(|span| span.0 as f64 / 1e6);
                stated.unwrap_or_else(|| node.distance_ms()).max(NEAR)
            }
        }
    }

    fn units(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let side = (self.distance(task, node) + self.offset) / (NEAR + self.offset);
        self.repulsion.force(task, node) * side * side
    }
}

impl Force for Geo {
    fn name(&self) -> &'static str {
        "geo"
    }

    fn formula(&self) -> &str {
        "-(G * weight * (load + weight) / capacity) * ((distance + 1) / 2)^2"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-self.units(task, node) * 1e3)
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (force, distance) = (self.units(task, node), self.distance(task, node));
        format!("geographic force {force:.3}, {distance} ms from the task's region")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::time::Span;

    #[test]
    fn far_repels() {
        let mut world = World::default();
        for region in ["us-east", "us-west", "eu-west"] {
            world.node(region).region(region);
        }
        world.node("unstated").region("asia").round_trip(Span::millis(200));
        world.request.region = Some("us-east".into());
        let pulls = world.pulls(&Geo::with(&Given::default()), &world.task(1.0));
        // 1 / 100 times 1, (51 / 2)^2, (81 / 2)^2 and (101 / 2)^2, in millionths.
        assert_eq!(pulls, [-10_000, -6_502_500, -16_402_500, -25_502_500]);
    }

    #[test]
    fn a_task_without_a_region_is_near_everywhere() {
        let mut world = World::default();
        world.node("a").region("us-east").load(1_000);
        world.node("b").region("asia").round_trip(Span::millis(200));
        let pulls = world.pulls(&Geo::with(&Given::default()), &world.task(1.0));
        assert!(pulls[0] < pulls[1], "{pulls:?}");
    }
}
