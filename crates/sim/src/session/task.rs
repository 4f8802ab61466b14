//! A task of a session, as it is seen from outside.

use bary_model::time::{Moment, Span};

/// One task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// How long it takes at speed 1.
    pub work: Span,
    /// When it was submitted.
    pub submitted: Moment,
    /// When it began, the last time that it did.
    pub began: Option<Moment>,
    /// How often it began.
    pub starts: u32,
    /// How far it is.
    pub stage: Stage,
}

/// How far a task is. Nodes are named by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits at the home.
    Queued,
    /// It waits at a node, to which it is bound.
    Bound(usize),
    /// A node runs it.
    Runs(usize),
    /// It is over.
    Done {
        /// The node that ran it.
        node: usize,
        /// When it ended.
        at: Moment,
        /// Whether it succeeded.
        good: bool,
    },
}

impl Task {
    /// A task that is submitted now.
    pub(crate) fn new(work: Span, now: Moment) -> Self {
        Self { work, submitted: now, began: None, starts: 0, stage: Stage::Queued }
    }

    /// Whether it has begun and not ended, or waits.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done { .. })
    }
}

/// Something that happened to a task, named by its position in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// When.
    pub at: Moment,
    /// The task.
    pub task: usize,
    /// The node.
    pub node: usize,
    /// What.
    pub what: Happened,
}

/// What can happen to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A node has begun it.
    Started,
    /// It has ended on its node.
    Ended {
        /// Whether it succeeded.
        good: bool,
    },
    /// Its node gave it back, or is gone.
    Returned,
}
