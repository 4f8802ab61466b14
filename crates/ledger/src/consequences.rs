//! What follows from a record: what became ready, what will never run, what is over.

use bary_model::id::{JobNo, SpecNo, TaskRange};

use crate::array::Holder;

/// What follows from a record: to be read and emptied after each.
#[derive(Clone, Debug, Default)]
pub struct Consequences {
    /// Tasks that may be granted from now on.
    pub ready: Vec<TaskRange>,
    /// Tasks that will never run, and the spec that caused it.
    pub skipped: Vec<(TaskRange, SpecNo)>,
    /// Tasks that were cancelled.
    pub cancelled: Vec<TaskRange>,
    /// Those of them that a node holds, and how.
    pub stopped: Vec<(Holder, TaskRange)>,
    /// Jobs of which every task has ended.
    pub finished: Vec<JobNo>,
}
