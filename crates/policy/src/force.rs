//! How strongly a task and a node draw each other. Of the nodes that can run a task, the one it is
//! drawn to most strongly gets it; whether a node can run it at all is asked before.

pub mod capability;
pub mod central;
pub mod eft;
pub mod fiedler;
pub mod geo;
pub mod gravity;
pub mod least_loaded;
pub mod least_used;
pub mod locality;
pub mod magnetic;
pub mod mixed;
pub mod pids_classic;
pub mod power_of_d;
pub mod quantum;
pub mod random;
pub mod repulsion;
pub mod resource_aware;
pub mod round_robin;
pub mod shortest_queue;
pub mod user;

use std::fmt::Debug;
use std::sync::Arc;

use crate::dice::Dice;
use crate::parameter::given::Given;
use crate::view::{NodeView, TaskView};

/// How strongly a node draws a task, in thousandths of its force's unit; higher is stronger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pull(pub i64);

impl Pull {
    /// A pull of `units`, rounded to thousandths. What is too strong counts as the strongest
    /// there is, and NaN as zero.
    #[must_use]
    pub fn rounded(units: f64) -> Self {
        let thousandths = units * 1e3;
        // What `round` gives, without the call that it is where the CPU's own is not assumed. From
        // 2^52 on there is nothing behind the point.
        let whole = thousandths as i64;
        if whole.unsigned_abs() >= 1 << 52 {
            return Self(whole);
        }
        let rest = thousandths - whole as f64;
        Self(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
    }
}

/// Which node of several would draw most, if one had the best of each: then the strongest of many
/// is found without a look at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ideal {
    /// One that is as near as the nearest, and otherwise better: it holds as little, in weight and
    /// in tasks, as the one that holds least, and was granted as few; its machine is as idle as
    /// any, or unmeasured where one is; it has as much power, free room, closeness and size of
    /// Fiedler component as any. What else nodes say of themselves is the same, and so are their
    /// machines where the force [looks at those](Force::sees_machines).
    Near,
    /// The same, but as far away as the farthest.
    Far,
    /// It cannot be told.
    Unknown,
}

/// A rule for which node a task goes to.
pub trait Force: Send + Sync + Debug {
    /// The name under which people choose it.
    fn name(&self) -> &'static str;

    /// What a policy's text says to choose it; its name, unless it was written by a user.
    fn text(&self) -> String {
        self.name().to_owned()
    }

    /// Its formula in a line, for people.
    fn formula(&self) -> &str;

    /// How strongly `node` draws `task`.
    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull;

    /// Which node would draw most; [`Force::between`] never gives less for it than for one of those
    /// whose best it has.
    fn ideal(&self) -> Ideal {
        Ideal::Near
    }

    /// Whether nodes try for a task in the order of their pulls and the first that
    /// [claims](Force::claims) it has it, or the first of all where none does; otherwise the first
    /// always has it.
    fn tries(&self) -> bool {
        false
    }

    /// Whether it looks at what a node has free. See [`NodeView::free`].
    fn sees_free(&self) -> bool {
        false
    }

    /// Whether it looks at how busy machines are, so that nodes have to measure that. See
    /// [`NodeView::used`].
    fn sees_used(&self) -> bool {
        false
    }

    /// Whether `node` would claim `task` by itself, where nodes decide and not a home. A rule
    /// without a threshold claims always.
    fn claims(&self, _task: &TaskView<'_>, _node: &NodeView<'_>, _dice: &mut Dice) -> bool {
        true
    }

    /// How many of the nodes that can run a task are looked at, drawn by lot; none where all
    /// are. See [`sample::drawn`](crate::sample::drawn).
    fn looks_at(&self) -> Option<usize> {
        None
    }

    /// Whether it looks at what machines were measured to be, so that nodes are told apart by that.
    /// See [`NodeView::machine`].
    fn sees_machines(&self) -> bool {
        false
    }

    /// Whether it looks at where a node is in the graph of nodes, which has to be found first. See
    /// [`NodeView::scores`].
    fn needs_graph(&self) -> bool {
        false
    }

    /// Whether it looks at how long a node would take for the task. See [`NodeView::timing`].
    fn needs_timing(&self) -> bool {
        false
    }

    /// The same as [`Force::between`] in words, for people; it draws no dice.
    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String;
}

/// The forces there are, by name.
pub const NAMES: &[&str] = &[
    "gravity",
    "pids-classic",
    "least-loaded",
    "round-robin",
    "random",
    "shortest-queue",
    "least-used",
    "power-of-d",
    "magnetic",
    "geo",
    "quantum",
    "resource-aware",
    "locality",
    "capability",
    "central",
    "fiedler",
    "mixed",
    "eft",
];

/// The force of a name with its parameters; none where there is no such force.
#[must_use]
pub fn named(name: &str, given: &Given) -> Option<Arc<dyn Force>> {
    Some(match name {
        "gravity" => Arc::new(gravity::Gravity::with(given)),
        "pids-classic" => Arc::new(pids_classic::PidsClassic::with(given)),
        "least-loaded" => Arc::new(least_loaded::LeastLoaded),
        "round-robin" => Arc::new(round_robin::RoundRobin),
        "random" => Arc::new(random::Random),
        "shortest-queue" => Arc::new(shortest_queue::ShortestQueue),
        "least-used" => Arc::new(least_used::LeastUsed),
        "power-of-d" => Arc::new(power_of_d::PowerOfD::with(given)),
        "magnetic" => Arc::new(magnetic::Magnetic::with(given)),
        "geo" => Arc::new(geo::Geo::with(given)),
        "quantum" => Arc::new(quantum::Quantum::with(given)),
        "resource-aware" => Arc::new(resource_aware::ResourceAware),
        "locality" => Arc::new(locality::Locality::with(given)),
        "capability" => Arc::new(capability::Capability::with(given)),
        "central" => Arc::new(central::Central),
        "fiedler" => Arc::new(fiedler::Fiedler),
        "mixed" => Arc::new(mixed::Mixed::with(given)),
        "eft" => Arc::new(eft::Eft),
        _ => return None,
    })
}

/// Every force there is, as it is where nothing is configured.
#[must_use]
pub fn all() -> Vec<Arc<dyn Force>> {
    NAMES.iter().filter_map(|name| named(name, &Given::default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Timing;
    use crate::world::{Node, World};
    use bary_model::machine::Machine;
    use bary_model::resources::Resources;
    use bary_model::time::Span;
    use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

    /// What tells nodes apart that say the same of themselves.
    #[derive(Clone, Debug)]
    struct Stand {
        held: [u64; 3],
        trip: u64,
        power: f64,
        free: u64,
        scores: (f64, f64),
        times: [u64; 4],
        used: Option<(f64, f64)>,
    }

    fn stand() -> impl Strategy<Value = Stand> {
        let held = prop::array::uniform3(0..2_000_u64);
        let rest = (0.01..1e4, 0..4_000_u64, (0.0..1.0, -1.0..1.0));
        let times = prop::array::uniform4(0..1_000_u64);
        let used = prop::option::of((0.0..1.0, 0.0..1.0));
        (held, (0..200_u64, used), rest, times).prop_map(
            |(held, (trip, used), (power, free, scores), times)| Stand {
                held,
                trip,
                power,
                free,
                scores,
                times,
                used,
            },
        )
    }

    impl Stand {
        fn put(&self, node: &mut Node) {
            let [load, granted, tasks] = self.held;
            node.load(load * 100).granted(granted).tasks(tasks % 9).slots(4).measured(self.power);
            node.round_trip(Span::millis(self.trip)).scores(self.scores.0, self.scores.1);
            node.resources(Resources::cpus(4));
            node.free(Resources { milli_cpus: self.free, ..Resources::default() });
            let [free, fetch, traffic, run] = self.times.map(Span::millis);
            node.timing(Timing { free, fetch, traffic, run });
            if let Some((cpu, memory)) = self.used {
                node.used(cpu, memory);
            }
        }

        fn best([one, other]: &[Self; 2], ideal: Ideal) -> Self {
            let less = |pick: fn(&Self) -> u64| pick(one).min(pick(other));
            let trips = [one.trip.min(other.trip), one.trip.max(other.trip)];
            let (closeness, fiedler) =
                (one.scores.0.max(other.scores.0), |s: &Self| s.scores.1.abs());
            Self {
                held: [less(|s| s.held[0]), less(|s| s.held[1]), less(|s| s.held[2] % 9)],
                trip: trips[usize::from(ideal == Ideal::Far)],
                power: one.power.max(other.power),
                free: one.free.max(other.free),
                scores: (closeness, fiedler(one).max(fiedler(other))),
                times: [0, 1, 2, 3].map(|at| one.times[at].min(other.times[at])),
                used: one.used.zip(other.used).map(|(a, b)| (a.0.min(b.0), a.1.min(b.1))),
            }
        }
    }

    #[test]
    fn every_name_has_its_force() {
        let names: Vec<&str> = all().iter().map(|force| force.name()).collect();
        assert_eq!(names, NAMES);
        assert!(all().iter().all(|force| !force.formula().is_empty()));
        assert!(named("none", &Given::default()).is_none());
    }

    #[test]
    fn a_pull_is_rounded_and_never_overflows() {
        let pulls = [1.0006, -1.0006, 1e300, f64::NEG_INFINITY, f64::NAN].map(Pull::rounded);
        assert_eq!(pulls.map(|pull| pull.0), [1_001, -1_001, i64::MAX, i64::MIN, 0]);
    }

    proptest! {
        #[test]
        fn a_pull_is_rounded_as_the_library_rounds(units: f64, small in -1e4..1e4) {
            for units in [units, small, (small * 1e3).round() / 2e3] {
                prop_assert_eq!(Pull::rounded(units).0, (units * 1e3).round() as i64);
            }
        }

        #[test]
        fn more_load_never_draws_more(
            load in 0..1_000_000_000_u64,
            more in 0..1_000_000_000_u64,
            weight in 0.001..1e6,
            power in 0.01..1e4,
        ) {
            let mut world = World::default();
            world.node("light").load(load).power(power);
            world.node("heavy").load(load + more).power(power);
            let task = world.task(weight);
            let [light, heavy] = [0, 1].map(|n| world.view(n));
            for force in &all() {
                let pulls = [&light, &heavy].map(|node| force.between(&task, node));
                prop_assert!(pulls[0] >= pulls[1], "{}: {pulls:?}", force.name());
            }
        }

        #[test]
        fn what_has_the_best_of_both_draws_no_less_than_either(
            stands in prop::array::uniform2(stand()),
            (region, found) in (0..2_usize, prop::array::uniform4(0..9_000_u32)),
            weight in 0.001..1e6,
        ) {
            let mut world = World::default();
            world.request.region = Some(["here", "there"][region].into());
            world.request.resources = Resources::cpus(1);
            let [mhz, gpu_mib, link_mbit, lost] = found;
            let machine = Machine { mhz, gpu_mib, link_mbit, lost: (lost / 9) as u16 };
            for stand in &stands {
                stand.put(world.node("n").machine(machine));
            }
            let task = world.task(weight);
            let [one, other] = [0, 1].map(|n| world.view(n));
            for force in all() {
                let pulls = [&one, &other].map(|node| force.between(&task, node));
                let mut best = World::default();
                best.request = world.request.clone();
                Stand::best(&stands, force.ideal()).put(best.node("n").machine(machine));
                let mean_load = one.mean_load.max(other.mean_load);
                let ideal = NodeView { mean_load, ..best.view(0) };
                let (pull, name) = (force.between(&task, &ideal), force.name());
                prop_assert!(pull >= pulls[0].max(pulls[1]), "{name}: {pull:?} {pulls:?}");
            }
        }

        #[test]
        fn every_pull_has_its_reason(load: u64, weight in 0.001..1e6) {
            let mut world = World::default();
            world.node("a").load(load);
            let (task, node) = (world.task(weight), world.view(0));
            for force in all() {
                prop_assert!(!force.reason(&task, &node).is_empty());
            }
        }
    }
}
