//! What a policy sees of a task and of a node: only facts, already counted by the caller. What
//! the caller may not know is an `Option`, and each rule says what it does without it.

use bary_model::machine::Machine;
use bary_model::node::{Busy, NodeInfo};
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;

/// A task that is ready.
#[derive(Clone, Copy, Debug)]
pub struct TaskView<'a> {
    /// How much work it is.
    pub weight: Weight,
    /// The weight of the heaviest path from its start to the job's end, itself included, in
    /// thousandths.
    pub b_level: u64,
    /// Its place among the tasks of its home in the order in which they came.
    pub sequence: u64,
    /// What its node must have and where it would rather run.
    pub request: &'a Request,
    /// What is known of it beyond that.
    pub known: Foresight,
}

/// What may be known of a task before it runs. `Default` is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foresight {
    /// How long it should run where speed is 1.
    pub run_time: Option<Span>,
    /// When it should have ended.
    pub deadline: Option<Moment>,
    /// Its upward rank: the longest way from its start to the job's end with the mean run times
    /// of the tasks on it and the mean times that results take from node to node.
    pub rank: Option<Span>,
    /// How many bytes of inputs it reads, wherever they are.
    pub bytes: Option<u64>,
    /// How many specs of its job wait for it; 0 where none does.
    pub successors: u32,
}

/// A node that could run a task.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    /// What it says of itself.
    pub info: &'a NodeInfo,
    /// What its machine was measured to be.
    pub machine: Machine,
    /// The weight granted to it that has not ended, in thousandths.
    pub load: u64,
    /// The load it would have if all loads were spread evenly, in thousandths. Evenly means in
    /// proportion to power: the sum of loads times `power` over the sum of powers, which is the
    /// plain mean where powers are equal.
    pub mean_load: u64,
    /// How many tasks were granted to it so far.
    pub granted: u64,
    /// How many of them have not ended.
    pub tasks: u64,
    /// How long a message there and its answer take.
    pub round_trip: Span,
    /// Its slots times their measured speed, or their declared one before any is measured; in any
    /// unit that is the same for all nodes.
    pub power: f64,
    /// What nothing uses at this moment, where it has said so.
    pub free: Option<&'a Resources>,
    /// How busy its machine is with other things, as it measures itself.
    pub used: Option<Used>,
    /// How many bytes of the task's inputs it has already.
    pub bytes_here: Option<u64>,
    /// Where it is in the graph of nodes.
    pub scores: Option<GraphScores>,
    /// How long it would take for the task.
    pub timing: Option<Timing>,
}

/// How long a node would take for a task, as far as can be foreseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Until it has done what was granted to it so far and has room.
    pub free: Span,
    /// Until all that the task reads is there: the longest of its ways.
    pub fetch: Span,
    /// What carrying all of that takes, one thing after another.
    pub traffic: Span,
    /// The task itself.
    pub run: Span,
}

/// How busy a node's machine is with what was not granted to it, and how full its memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// The share of its processors that is busy with anything but its tasks, from 0 to 1.
    pub cpu: f64,
    /// The used share of its memory, from 0 to 1, its tasks' included.
    pub memory: f64,
}

impl From<Busy> for Used {
    fn from(busy: Busy) -> Self {
        let share = |part: u16| (f64::from(part) / f64::from(Busy::WHOLE)).min(1.0);
        Self { cpu: share(busy.cpus), memory: share(busy.memory) }
    }
}

/// Where a node is in the graph whose edges are as strong as ways are short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphScores {
    /// Current-flow closeness over the greatest of all nodes, from 0 to 1; 1 is the most central.
    pub closeness: f64,
    /// Its component of the Fiedler vector, the eigenvector of the second smallest eigenvalue of
    /// the Laplacian, of length 1; the sign tells the two sides of the best cut.
    pub fiedler: f64,
}

impl NodeView<'_> {
    /// The busy share of its slots as grants show it, from 0 to 1.
    #[must_use]
    pub fn occupied(&self) -> f64 {
        (self.tasks as f64 / f64::from(self.info.slots.max(1))).min(1.0)
    }

    /// The busy share of its processors, from 0 to 1: what its machine does besides, and its slots
    /// as grants show them.
    #[must_use]
    pub fn busy(&self) -> f64 {
        (self.used.map_or(0.0, |used| used.cpu) + self.occupied()).min(1.0)
    }

    /// How far it is in milliseconds: half a round trip.
    #[must_use]
    pub fn distance_ms(&self) -> f64 {
        self.round_trip.0 as f64 / 2e6
    }
}
