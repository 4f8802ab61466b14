//! Best fit in several dimensions: `pull = 1000 * sum over r of need_r / whole_r * free_r /
//! whole_r` over processors, memory, GPUs and named resources: the alignment of what the task needs
//! with what the node has left (Grandl et al., "Multi-Resource Packing for Cluster Schedulers",
//! 2014). A task that needs much of what is plenty fits well, and a small node is preferred to a
//! large one, which stays free for tasks that need it. Where the free amounts are unknown, each is
//! the share of slots that are. A node without room draws less than any with. Blind spots: time,
//! speed and distance: it packs, and does not balance.

use bary_model::resources::Resources;

use crate::force::{Force, Pull};
use crate::view::{NodeView, TaskView};

/// Alignment of need and what is free; the unit of its pull is a thousandth of a whole node.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceAware;

/// Need and free as shares of the whole, of each resource that is needed.
fn shares(task: &TaskView<'_>, node: &NodeView<'_>) -> impl Iterator<Item = (f64, f64)> {
    let (need, whole, free) = (&task.request.resources, &node.info.resources, node.free);
    let idle = 1.0 - node.occupied();
    let share = move |amount: fn(&Resources) -> u64| {
        let (need, whole) = (amount(need) as f64, amount(whole) as f64);
        let left = free.map_or(idle, |free| amount(free) as f64 / whole);
        (need > 0.0 && whole > 0.0).then(|| (need / whole, left))
    };
    let plain: [fn(&Resources) -> u64; 3] = [|r| r.milli_cpus, |r| r.memory, |r| r.milli_gpus];
    let named = need.named.iter().filter_map(move |(name, need)| {
        let whole = whole.named.get(name).copied().filter(|whole| *whole > 0)? as f64;
        let there = |free: &Resources| free.named.get(name).copied().unwrap_or(0) as f64;
        Some((*need as f64 / whole, free.map_or(idle, |free| there(free) / whole)))
    });
    plain.into_iter().filter_map(share).chain(named)
}

/// The alignment, below zero where the task does not fit now: then the longer queue is worse.
fn alignment(task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
    let (mut sum, mut fits) = (0.0, true);
    for (need, left) in shares(task, node) {
        sum += need * left;
        // A little less than what is needed is the error of the division.
        fits &= left >= need - 1e-9;
    }
    if fits { sum } else { -(1.0 + node.tasks as f64) / f64::from(node.info.slots.max(1)) }
}

impl Force for ResourceAware {
    fn name(&self) -> &'static str {
        "resource-aware"
    }

    fn formula(&self) -> &str {
        "1000 * sum of need / whole * free / whole over resources; below 0 where it does not fit"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(alignment(task, node) * 1e3)
    }

    fn sees_free(&self) -> bool {
        true
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        match alignment(task, node) {
            fit if fit < 0.0 => "resource aware, has no room for it now".to_owned(),
            fit => format!("resource aware, fits what is free by {fit:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn what_is_plenty_is_used_first() {
        let mut world = World::default();
        let free = |milli_cpus, memory| Resources { milli_cpus, memory, ..Resources::default() };
        world.node("much memory").resources(free(4_000, 800)).free(free(1_000, 800));
        world.node("much cpu").resources(free(4_000, 800)).free(free(4_000, 200));
        world.request.resources = free(1_000, 200);
        assert_eq!(world.pulls(&ResourceAware, &world.task(1.0)), [312_500, 312_500]);
        world.request.resources = free(1_000, 100);
        let pulls = world.pulls(&ResourceAware, &world.task(1.0));
        assert!(pulls[1] > pulls[0], "{pulls:?}");
    }

    #[test]
    fn a_small_node_is_preferred_and_a_full_one_is_last() {
        let mut world = World::default();
        world.node("large").resources(Resources::cpus(8)).slots(8);
        world.node("small").resources(Resources::cpus(2)).slots(2);
        world.node("full").tasks(1);
        world.request.resources = Resources::cpus(1);
        assert_eq!(world.pulls(&ResourceAware, &world.task(1.0)), [125_000, 500_000, -2_000_000]);
    }

    #[test]
    fn named_resources_count_like_others() {
        let mut world = World::default();
        let licences = |cpus, there| {
            let mut all = Resources::cpus(cpus);
            all.named.insert("licence".into(), there);
            all
        };
        world.node("one left").resources(licences(1, 4)).free(licences(1, 1));
        world.node("all left").resources(licences(1, 4)).free(licences(1, 4));
        world.request.resources = licences(1, 1);
        assert_eq!(world.pulls(&ResourceAware, &world.task(1.0)), [1_062_500, 1_250_000]);
    }
}
