//! The node where the task can begin soonest, with its inputs there: `pull = -(max(wait, move) +
//! move / 1000)` in milliseconds, where `move` is the latency and the missing bytes over the
//! bandwidth, and `wait` the rounds of tasks at the node times a run time. Moving while the
//! node is busy costs nothing, so the greater counts; the last term lets less traffic win a tie.
//! It is the earliest start of HEFT (Topcuoglu et al., 2002) and has the effect of delay scheduling
//! (Zaharia et al., 2010) without a delay. What is unknown: bytes count as none, bytes at the node
//! as none there, bandwidth and run time as the parameters say. Blind spot: it does not look
//! ahead to what reads the task's own result.

use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{BANDWIDTH, RUN_TIME};
use crate::view::{NodeView, TaskView};

/// The earliest start; the unit of its pull is a millisecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Locality {
    /// Bytes a second to any node. Defaults to 125 MB/s, a gigabit.
    pub bandwidth: f64,
    /// How long a task runs, in milliseconds, where that is unknown. Defaults to 1 s.
    pub run_ms: f64,
}

impl Locality {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { bandwidth: given.number(&BANDWIDTH) * 1e6, run_ms: given.number(&RUN_TIME) }
    }

    /// How long the task's inputs take to the node, in milliseconds.
    fn moving(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let bytes = task.known.bytes.unwrap_or(0);
        let missing = bytes.saturating_sub(node.bytes_here.unwrap_or(0));
        if missing == 0 {
            return 0.0;
        }
        node.distance_ms() + missing as f64 / self.bandwidth.max(1.0) * 1e3
    }

    /// How long the task waits for those before it, in milliseconds.
    fn wait(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let run = task.known.run_time.map_or(self.run_ms, |span| span.0 as f64 / 1e6);
        node.tasks as f64 / f64::from(node.info.slots.max(1)) * run / node.info.speed
    }
}

impl Force for Locality {
    fn name(&self) -> &'static str {
        "locality"
    }

    fn formula(&self) -> &str {
        "-max(wait, latency + missing bytes / bandwidth), in ms"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        let moving = self.moving(task, node);
        Pull::rounded(-(self.wait(task, node).max(moving) + moving / 1e3))
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (wait, moving) = (self.wait(task, node), self.moving(task, node));
        format!("locality, {wait:.1} ms of tasks before it, {moving:.1} ms to move its inputs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;
    use bary_model::time::Span;

    /// Pulls for a task that reads a megabyte and runs for 100 ms.
    fn pulls(world: &World) -> Vec<i64> {
        let (bytes, run_time) = (Some(1_000_000), Some(Span::millis(100)));
        let known = Foresight { bytes, run_time, ..Foresight::default() };
        let task = TaskView { known, ..world.task(1.0) };
        world.pulls(&Locality::with(&Given::default()), &task)
    }

    #[test]
    fn inputs_are_not_moved_while_their_node_is_free() {
        let mut world = World::default();
        world.node("has them").bytes_here(1_000_000).round_trip(Span::millis(10));
        world.node("has half").bytes_here(500_000).round_trip(Span::millis(10));
        // 5 ms of latency and half a megabyte at 125 MB/s are 9 ms.
        assert_eq!(pulls(&world), [0, -9_009]);
    }

    #[test]
    fn they_are_moved_where_waiting_takes_longer() {
        let mut world = World::default();
        world.node("has them").bytes_here(1_000_000).tasks(1);
        world.node("idle");
        world.node("far").round_trip(Span::millis(100));
        assert_eq!(pulls(&world), [-100_000, -8_008, -58_058]);
    }

    #[test]
    fn without_knowledge_it_is_the_shortest_queue() {
        let mut world = World::default();
        world.node("one").tasks(1);
        world.node("none").round_trip(Span::millis(100));
        let pulls = world.pulls(&Locality::with(&Given::default()), &world.task(1.0));
        assert_eq!(pulls, [-1_000_000, 0]);
    }
}
