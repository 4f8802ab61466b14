//! What a policy sees of a task and of a node: only facts, already counted by the caller.

use bary_model::node::NodeInfo;
use bary_model::task::Request;
use bary_model::time::Span;
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
}

/// A node that could run a task.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    /// What it says of itself.
    pub info: &'a NodeInfo,
    /// The weight granted to it that has not ended, in thousandths.
    pub load: u64,
    /// The load it would have if all loads were spread evenly, in thousandths. Evenly means in
    /// proportion to power: the sum of loads times `power` over the sum of powers, which is the
    /// plain mean where powers are equal.
    pub mean_load: u64,
    /// How many tasks were granted to it so far.
    pub granted: u64,
    /// How long a message there and its answer take.
    pub round_trip: Span,
    /// Its slots times their measured speed, or their declared one before any is measured; in any
    /// unit that is the same for all nodes.
    pub power: f64,
}
