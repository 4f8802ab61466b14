//! How a node stands, as far as a force looks at that, or the best of how several stand: what
//! bounds how strongly any of them can draw a task.

use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::time::Span;
use bary_policy::force::Ideal;
use bary_policy::view::{GraphScores, NodeView, Used};

use crate::home::sums::Totals;

/// The best of each that one of some nodes has; of one node, what it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stand {
    /// The least of their ids.
    pub(crate) least: NodeId,
    /// The least weight that one holds, in thousandths.
    pub(crate) load: u64,
    /// The fewest tasks that one was granted so far.
    pub(crate) granted: u64,
    /// The fewest tasks that one holds.
    pub(crate) tasks: u64,
    /// The shortest and the longest round trip.
    pub(crate) trips: (Span, Span),
    /// The greatest pace that one has shown, where one has.
    pub(crate) pace: Option<f64>,
    /// Whether one has shown none.
    pub(crate) unshown: bool,
    /// The most processors, memory and GPUs that one has free, where one has said.
    pub(crate) free: Option<[u64; 3]>,
    /// Whether one has not said what it has free.
    pub(crate) unsaid: bool,
    /// The greatest closeness, and the greatest size of a component of the Fiedler vector.
    pub(crate) scores: (f64, f64),
    /// The least busy share of processors and the least used share of memory, where one has said.
    pub(crate) used: Option<(f64, f64)>,
    /// Whether one has not said.
    pub(crate) ungauged: bool,
}

impl Stand {
    /// The best of both.
    pub(crate) fn and(self, other: Self) -> Self {
        let larger = |one: f64, other: f64| if one < other { other } else { one };
        Self {
            least: self.least.min(other.least),
            load: self.load.min(other.load),
            granted: self.granted.min(other.granted),
            tasks: self.tasks.min(other.tasks),
            trips: (self.trips.0.min(other.trips.0), self.trips.1.max(other.trips.1)),
            pace: match (self.pace, other.pace) {
                (Some(one), Some(other)) => Some(larger(one, other)),
                (one, other) => one.or(other),
            },
            unshown: self.unshown || other.unshown,
            free: match (self.free, other.free) {
                (Some(one), Some(other)) => Some([0, 1, 2].map(|of| one[of].max(other[of]))),
                (one, other) => one.or(other),
            },
            unsaid: self.unsaid || other.unsaid,
            scores: (larger(self.scores.0, other.scores.0), larger(self.scores.1, other.scores.1)),
            used: match (self.used, other.used) {
                (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.min(other.1))),
                (one, other) => one.or(other),
            },
            ungauged: self.ungauged || other.ungauged,
        }
    }

    /// The best where there are both.
    pub(crate) fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }

    /// The most power that one has; see [`power`].
    pub(crate) fn power(&self, info: &NodeInfo, scale: Option<f64>) -> f64 {
        let shown = self.pace.map(|pace| power(Some(pace), info, scale));
        let declared = self.unshown.then(|| power(None, info, scale));
        shown.into_iter().chain(declared).fold(0.0, f64::max)
    }

    /// The most weight a second (thousandths) that a slot of one does; see [`pace`].
    pub(crate) fn pace(&self, info: &NodeInfo, scale: Option<f64>) -> f64 {
        let declared = self.unshown.then(|| pace(None, info, scale));
        self.pace.into_iter().chain(declared).fold(0.0, f64::max)
    }

    /// What one of them could have free at most that has said so.
    pub(crate) fn free(&self, info: &NodeInfo) -> Option<Resources> {
        let [milli_cpus, memory, milli_gpus] = self.free?;
        let named = info.resources.named.clone();
        Some(Resources { milli_cpus, memory, milli_gpus, named })
    }

    /// The node that would draw most if one had the best of each, among nodes that say the same of
    /// themselves and have equal machines, as far as anybody looks at those.
    pub(crate) fn view<'a>(
        &self,
        (info, machine, scored): (&'a NodeInfo, Machine, bool),
        free: Option<&'a Resources>,
        ideal: Ideal,
        totals: Totals,
    ) -> NodeView<'a> {
        let power = self.power(info, totals.scale);
        let (closeness, fiedler) = self.scores;
        NodeView {
            info,
            machine,
            load: self.load,
            mean_load: totals.mean_load(power),
            granted: self.granted,
            tasks: self.tasks,
            round_trip: if ideal == Ideal::Far { self.trips.1 } else { self.trips.0 },
            power,
            free,
            used: self.used.filter(|_| !self.ungauged).map(|(cpu, memory)| Used { cpu, memory }),
            bytes_here: None,
            scores: scored.then_some(GraphScores { closeness, fiedler }),
            timing: None,
        }
    }
}

/// The slots of a node times the pace they have shown, or the speed it declares until then.
pub(crate) fn power(pace: Option<f64>, info: &NodeInfo, scale: Option<f64>) -> f64 {
    let shown = pace.map(|pace| pace * f64::from(info.slots));
    shown.unwrap_or_else(|| info.power() * scale.unwrap_or(1.0))
}

/// Weight per second of one slot (thousandths): as shown, or as its speed says where nodes have
/// shown what a unit of it comes to, or else a unit of weight a second.
pub(crate) fn pace(pace: Option<f64>, info: &NodeInfo, scale: Option<f64>) -> f64 {
    pace.unwrap_or_else(|| info.speed * scale.unwrap_or(1e3))
}
