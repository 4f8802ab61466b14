//! The most capable node: `pull = score / (1 + tasks/slots)` with `score` the published sum of
//! `0.4 CPU + 0.3 GPU + 0.2 memory + 0.1 network`, each from 0 to 100. The document names what goes
//! into each and no formula; here an amount `x` gives `100 * x / (x + half)`, with a half of 16
//! cores times speed at 3 GHz, 1 GPU and 24 GiB of its memory (the mean of both), 64 GiB of memory,
//! and 1 Gbit/s. Processors count by the share that nothing else keeps busy, memory by its free
//! share, and a network is divided by `1 + round trip / 10 ms` and by `1 + loss / 1 %`. What a node
//! has not measured counts as if it were good. The score is divided by the queue, or the best node
//! would get everything. Blind spot: a GPU attracts tasks that do not use it.

use bary_model::machine::Machine;

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

/// The frequency of a processor of which none is known, in MHz.
const USUAL_MHZ: f64 = 3_000.0;
/// The memory of GPUs that scores a half, in MiB.
const HALF_GPU_MIB: f64 = (24 << 10) as f64;
/// The Mbit/s at which a network scores a half.
const HALF_MBIT: f64 = 1_000.0;
/// The thousandths of what is sent at whose loss it does.
const HALF_LOST: f64 = 10.0;

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
        self.weights.iter().zip(parts(node)).map(|(weight, part)| weight * part).sum()
    }

    /// The score that is left with the node's queue in mind.
    #[must_use]
    pub fn left(&self, node: &NodeView<'_>) -> f64 {
        self.score(node) / queue(node)
    }
}

/// What a node scores in processors, GPUs, memory and network, each from 0 to 100.
#[must_use]
pub fn parts(node: &NodeView<'_>) -> [f64; 4] {
    let (whole, Machine { mhz, gpu_mib, link_mbit, lost }) = (&node.info.resources, node.machine);
    let idle = node.used.map_or(1.0, |used| 1.0 - used.cpu);
    let free = node.used.map_or(1.0, |used| 1.0 - used.memory);
    let known = |amount: u32| (amount > 0).then_some(f64::from(amount));
    let pace = known(mhz).map_or(1.0, |mhz| mhz / USUAL_MHZ);
    let cores = whole.milli_cpus as f64 / 1e3 * node.info.speed * pace;
    let [cpu, memory] = [(cores, HALVES[0]), (whole.memory as f64, HALVES[2])].map(part);
    let count = part((whole.milli_gpus as f64 / 1e3, HALVES[1]));
    let gpu = known(gpu_mib).map_or(count, |mib| f64::midpoint(count, part((mib, HALF_GPU_MIB))));
    let near = NEAR_MS / (NEAR_MS + node.distance_ms() * 2.0);
    let wide = known(link_mbit).map_or(1.0, |mbit| part((mbit, HALF_MBIT)));
    let whole = HALF_LOST / (HALF_LOST + f64::from(lost));
    let parts = [idle.clamp(0.0, 1.0) * cpu, gpu, free.clamp(0.0, 1.0) * memory];
    [parts[0], parts[1], parts[2], near * wide * whole].map(|part| 100.0 * part)
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

    fn sees_machines(&self) -> bool {
        true
    }

    fn reason(&self, _task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (score, queue) = (self.score(node), queue(node));
        let [cpu, gpu, memory, network] = parts(node);
        format!(
            "capability {score:.1} of 100 (CPU {cpu:.1}, GPU {gpu:.1}, memory {memory:.1}, network \
             {network:.1}), shared by {queue:.1}"
        )
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
        let (view, none) = (world.view(0), Machine::default());
        let gained = |machine: Machine| {
            let found = NodeView { machine, ..view };
            [0, 1, 2, 3].map(|part| parts(&found)[part] - parts(&view)[part])
        };
        assert_eq!(gained(none), [0.0; 4]);
        assert_eq!(gained(Machine { mhz: 3_000, ..none }), [0.0; 4]);
        assert!(gained(Machine { mhz: 1_500, ..none })[0] < -16.0);
        let gib = |gib: u32| gained(Machine { gpu_mib: gib << 10, ..none })[1];
        assert_eq!(gib(24), 0.0, "a half of each is a half");
        assert!(gib(80) > 10.0 && gib(2) < -10.0);
        assert_eq!(gained(Machine { link_mbit: 1_000, ..none }), [0.0, 0.0, 0.0, -50.0]);
        assert_eq!(gained(Machine { lost: 10, ..none }), [0.0, 0.0, 0.0, -50.0]);
    }

    #[test]
    fn of_two_nodes_of_one_size_the_better_machine_draws_more() {
        let mut world = World::default();
        let none = Machine::default();
        let machines = [
            Machine { mhz: 2_000, ..none },
            none,
            Machine { mhz: 4_000, ..none },
            Machine { mhz: 2_000, link_mbit: 100, ..none },
        ];
        for machine in machines {
            world.node("n").resources(Resources::cpus(8)).machine(machine);
        }
        let capability = Capability::with(&Given::default());
        let pulls = world.pulls(&capability, &world.task(1.0));
        let in_order = [pulls[3], pulls[0], pulls[1], pulls[2]];
        assert!(in_order.is_sorted_by(|worse, better| worse < better), "{pulls:?}");
        let told = capability.reason(&world.task(1.0), &world.view(2));
        assert_eq!(
            told,
            "capability 26.0 of 100 (CPU 40.0, GPU 0.0, memory 0.0, network 100.0), shared by 1.0"
        );
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
