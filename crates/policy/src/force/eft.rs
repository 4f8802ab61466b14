//! The node where the task would end first: `pull = -(free + fetch + run)` in milliseconds. `free`
//! is how long the node still works on what it was granted, `fetch` the longest of the ways of the
//! task's inputs, latency and bytes over bandwidth, and `run` the task itself. Inputs are fetched
//! when a task begins, so the three add up. A thousandth of all fetching is added, so that less
//! traffic wins a tie (Topcuoglu, Hariri and Wu, 2002: earliest finish time). Where nothing is
//! known of a node's times it is the shortest queue. Blind spot: it is greedy, and does not see
//! what reads the task's own result.

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView, Timing};

/// The earliest finish; the unit of its pull is a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eft;

fn ms(span: bary_model::time::Span) -> f64 {
    span.0 as f64 / 1e6
}

/// When the task would end, in milliseconds from now.
fn end(timing: &Timing) -> f64 {
    ms(timing.free) + ms(timing.fetch) + ms(timing.run) + ms(timing.traffic) / 1e3
}

impl Force for Eft {
    fn name(&self) -> &'static str {
        "eft"
    }

    fn formula(&self) -> &str {
        "-(free + fetch + run), in ms"
    }

    fn needs_timing(&self) -> bool {
        true
    }

    fn needs_graph(&self) -> bool {
        true
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-node.timing.as_ref().map_or_else(|| queue(node), end))
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let Some(timing) = node.timing else {
            return format!("eft, {} tasks, times unknown", node.tasks);
        };
        let (free, fetch, run) = (ms(timing.free), ms(timing.fetch), ms(timing.run));
        format!("eft, free in {free:.1} ms, {fetch:.1} ms to fetch its inputs, {run:.1} ms to run")
    }
}

/// Its queue, each task of which counts as a second.
fn queue(node: &NodeView<'_>) -> f64 {
    node.tasks as f64 / f64::from(node.info.slots.max(1)) * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::time::Span;
    use proptest::prelude::{prop_assert, proptest};

    fn timing(free: u64, fetch: u64, run: u64) -> Timing {
        let [free, fetch, run] = [free, fetch, run].map(Span::millis);
        Timing { free, fetch, run, traffic: fetch }
    }

    #[test]
    fn the_task_goes_where_waiting_fetching_and_running_are_shortest_together() {
        let mut world = World::default();
        world.node("has its inputs").timing(timing(200, 0, 50));
        world.node("idle").timing(timing(0, 90, 50));
        world.node("idle and fast").timing(timing(0, 90, 20));
        world.node("unknown").tasks(3);
        let pulls = world.pulls(&Eft, &world.task(1.0));
        assert_eq!(pulls, [-250_000, -140_090, -110_090, -3_000_000]);
    }

    proptest! {
        #[test]
        fn what_takes_longer_never_draws_more(
            free in 0..1_000_000_u64, fetch in 0..1_000_000_u64, more in 0..1_000_000_u64,
        ) {
            let mut world = World::default();
            world.node("sooner").timing(timing(free, fetch, 10));
            world.node("later").timing(timing(free + more, fetch, 10));
            world.node("further").timing(timing(free, fetch + more, 10));
            let pulls = world.pulls(&Eft, &world.task(1.0));
            prop_assert!(pulls[0] >= pulls[1] && pulls[0] >= pulls[2], "{pulls:?}");
        }
    }
}
