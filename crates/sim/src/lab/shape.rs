//! The tasks of one seed as they are drawn, before any policy has placed one: the same for every
//! policy, so that only policies differ.

use bary_model::time::Moment;
use bary_model::weight::Weight;

use crate::lab::workload::Need;

/// All that there is to do.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// The jobs, in the order of their arrival.
    pub jobs: Vec<Arrival>,
    /// The tasks of all jobs, one job's after another's.
    pub tasks: Vec<Piece>,
    /// Whether any task really weighs something else than it says.
    pub errs: bool,
}

/// A job that arrives.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: Moment,
    /// At the home of this node.
    pub home: usize,
    /// Whose it is.
    pub owner: u32,
    /// Its tasks: the first, and how many.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What it is said to weigh.
    pub weight: Weight,
    /// What it really weighs, in units.
    pub real: f64,
    /// The tasks of its job that it waits for, counted from the job's first.
    pub after: Box<[u32]>,
    /// What it needs.
    pub need: Need,
    /// How many bytes it leaves, which each task that waits for it reads.
    pub output: u64,
}

impl Load {
    /// The tasks of a job.
    #[must_use]
    pub fn tasks_of(&self, job: &Arrival) -> &[Piece] {
        &self.tasks[job.first as usize..(job.first + job.count) as usize]
    }
}
