//! The most capable node: `pull = score / (1 + tasks/slots)` with `score` the published sum of
//! `0.4 CPU + 0.3 GPU + 0.2 memory + 0.1 network`, each from 0 to 100. The document names what goes
//! into each and no formula; here an amount `x` gives `100 * x / (x + half)`, with a half of 16
//! cores times speed, 1 GPU and 64 GiB; processors count by the share that nothing else keeps busy,
//! memory by its free share, and a network is `100 / (1 + round trip / 10 ms)`. What a node
//! has not measured counts as free. The score is divided by the queue, or the best node would get
//! everything. Blind spot: a GPU attracts tasks that do not use it.

use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{CPU_SHARE, GPU_SHARE, MEMORY_SHARE, NETWORK_SHARE};
use crate::view::{NodeView, TaskView};

/// A sum of scores; the unit of its pull is a hundredth of the best node there could be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capability {
    /// The weights of processors, GPUs, memory and network. Default to 0.4, 0.3, 0.2 and 0.1.
    pub weights: [f64; 4],
}

/// What was measured of a node's machine beyond what the node says of itself. Placement does not
/// see it: it is for those who ask what a node is capable of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Probes {
    /// The frequency of its processors, in MHz; 3,000 where that is not known.
    pub mhz: Option<f64>,
    /// The memory of the GPUs that it offers, in bytes. Their number counts alone where that is not
    /// known.
    pub gpu_bytes: Option<f64>,
    /// How many bytes a second its network takes; as many as one likes where that is not known.
    pub bandwidth: Option<f64>,
    /// The part of what it sends that is lost, from 0 to 1.
    pub lost: f64,
}

/// The frequency of a processor of which none is known, in MHz.
const USUAL_MHZ: f64 = 3_000.0;
/// The memory of GPUs that scores a half, in bytes.
const HALF_GPU_BYTES: f64 = (24_u64 << 30) as f64;
/// The bytes a second at which a network scores a half: a gigabit.
const HALF_BANDWIDTH: f64 = 125e6;
/// The part of what is sent at whose loss it does.
const HALF_LOST: f64 = 0.01;

/// The amounts that score a half: cores, GPUs, and bytes of memory.
const HALVES: [f64; 3] = [16.0, 1.0, (64_u64 << 30) as f64];
/// The round trip, in milliseconds, at which a network scores a half.
const NEAR_MS: f64 = 10.0;

impl Capability {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let weights = [&CPU_SHARE, &GPU_SHARE, &MEMORY_SHARE, &NETWORK_SHARE];
        Self { weights: weights.map(|weight| given.number(weight)) }
    }

    /// The score of a node, whatever it holds: from 0 to 100 times the sum of the weights.
    #[must_use]
    pub fn score(&self, node: &NodeView<'_>) -> f64 {
        self.score_of(node, &Probes::default())
    }

    /// The same with what was measured of its machine.
    #[must_use]
    pub fn score_of(&self, node: &NodeView<'_>, probes: &Probes) -> f64 {
        let whole = &node.info.resources;
        let idle = node.used.map_or(1.0, |used| 1.0 - used.cpu);
        let free = node.used.map_or(1.0, |used| 1.0 - used.memory);
        let pace = probes.mhz.map_or(1.0, |mhz| mhz / USUAL_MHZ);
        let cores = whole.milli_cpus as f64 / 1e3 * node.info.speed * pace;
        let [cpu, memory] = [(cores, HALVES[0]), (whole.memory as f64, HALVES[2])].map(part);
        let count = part((whole.milli_gpus as f64 / 1e3, HALVES[1]));
        let gpu = match probes.gpu_bytes {
            Some(bytes) => f64::midpoint(count, part((bytes, HALF_GPU_BYTES))),
            None => count,
        };
        let near = NEAR_MS / (NEAR_MS + node.distance_ms() * 2.0);
        let wide = probes.bandwidth.map_or(1.0, |bandwidth| part((bandwidth, HALF_BANDWIDTH)));
        let whole = HALF_LOST / (HALF_LOST + probes.lost.clamp(0.0, 1.0));
        let parts = [idle.clamp(0.0, 1.0) * cpu, gpu, free.clamp(0.0, 1.0) * memory];
        let parts = parts.into_iter().chain([near * wide * whole]);
        self.weights.iter().zip(parts).map(|(weight, part)| weight * 100.0 * part).sum()
    }

    /// The score that is left with the node's queue in mind.
    #[must_use]
    pub fn left(&self, node: &NodeView<'_>) -> f64 {
        self.score(node) / queue(node)
    }
}

/// An amount as a part of what there could be: a half at so much.
fn part((amount, half): (f64, f64)) -> f64 {
    1.0 / (1.0 + half / amount)
}

/// One more than the rounds of tasks that the node holds.
pub(super) fn queue(node: &NodeView<'_>) -> f64 {
    1.0 + node.tasks as f64 / f64::from(node.info.slots.max(1))
}

impl Force for Capability {
    fn name(&self) -> &'static str {
        "capability"
    }

    fn formula(&self) -> &str {
        "(0.4 CPU + 0.3 GPU + 0.2 memory + 0.1 network) / (1 + tasks / slots)"
    }

    fn between(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(self.left(node))
    }

    fn sees_used(&self) -> bool {
        true
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (score, queue) = (self.score(node), queue(node));
        format!("capability {score:.1} of 100, shared by {queue:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::resources::Resources;

    #[test]
    fn the_published_weights_sum_the_parts() {
        let mut world = World::default();
        let memory = 64 << 30;
        let half = Resources { memory, milli_gpus: 1_000, ..Resources::cpus(16) };
        world.node("half of all").resources(half);
        world.node("cores only").resources(Resources::cpus(16));
        world.node("busy").resources(Resources::cpus(16)).used(0.5, 0.0);
        let pulls = world.pulls(&Capability::with(&Given::default()), &world.task(1.0));
        assert_eq!(pulls, [55_000, 30_000, 20_000]);
    }

    #[test]
    fn what_was_measured_of_a_machine_counts_where_it_is_known() {
        let mut world = World::default();
        let whole = Resources { milli_gpus: 1_000, ..Resources::cpus(16) };
        world.node("a").resources(whole);
        let (view, plain) = (world.view(0), Capability { weights: [1.0; 4] });
        let gained = |probes: Probes| plain.score_of(&view, &probes) - plain.score(&view);
        let none = Probes::default();
        assert_eq!(gained(none), 0.0);
        assert_eq!(gained(Probes { mhz: Some(3_000.0), ..none }), 0.0);
        assert!(gained(Probes { mhz: Some(1_500.0), ..none }) < -16.0);
        let bytes = |gib: u64| Probes { gpu_bytes: Some((gib << 30) as f64), ..none };
        assert_eq!(gained(bytes(24)), 0.0, "a half of each is a half");
        assert!(gained(bytes(80)) > 10.0 && gained(bytes(2)) < -10.0);
        assert_eq!(gained(Probes { bandwidth: Some(125e6), ..none }), -50.0);
        assert_eq!(gained(Probes { lost: 0.01, ..none }), -50.0);
    }

    #[test]
    fn what_a_node_holds_divides_its_score() {
        let mut world = World::default();
        world.node("idle").resources(Resources::cpus(4)).slots(4);
        world.node("full").resources(Resources::cpus(16)).slots(16).tasks(64);
        let pulls = world.pulls(&Capability::with(&Given::default()), &world.task(1.0));
        assert!(pulls[0] > pulls[1], "{pulls:?}");
    }
}
