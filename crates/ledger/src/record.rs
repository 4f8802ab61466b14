//! What a journal holds. Replaying records is the only way to a state; no policy is asked.

use std::sync::Arc;

use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, TaskId, TaskRange};
use bary_model::outcome::{End, Results};
use bary_model::task::TaskSpec;

/// One change of a shard's state.
#[derive(Clone, Debug)]
pub enum Record {
    /// A node opened the journal and reigns from here on.
    Opened {
        /// The new epoch, higher than any before.
        epoch: Epoch,
    },
    /// A job came to be.
    Submitted {
        /// Its number: one more than the last job's.
        job: JobNo,
        /// Its name.
        name: Box<str>,
        /// Its specs.
        specs: Arc<[Arc<TaskSpec>]>,
        /// Whether specs may be added.
        open: bool,
    },
    /// Specs were added to an open job.
    Extended {
        /// The job.
        job: JobNo,
        /// What was added.
        specs: Arc<[Arc<TaskSpec>]>,
    },
    /// An open job was closed.
    Closed {
        /// The job.
        job: JobNo,
    },
    /// Ready tasks were granted to a node.
    Granted {
        /// The node.
        node: NodeId,
        /// The tasks, each range under its own number.
        items: Vec<(GrantNo, TaskRange)>,
    },
    /// Granted tasks were given back unstarted and are ready again.
    Retracted {
        /// The tasks, each under the grant it had.
        items: Vec<(GrantNo, TaskRange)>,
    },
    /// An attempt failed; the task is ready again when its back-off is over.
    Failed {
        /// The task.
        task: TaskId,
        /// The grant it ran under.
        grant: GrantNo,
        /// Whether it took its process down.
        crashed: bool,
    },
    /// Granted tasks ended for good.
    Ended {
        /// The tasks.
        items: Vec<EndedTasks>,
    },
    /// Tasks were cancelled.
    Cancelled {
        /// The tasks; those that have ended already are left as they are.
        range: TaskRange,
        /// Whether those that a node holds are cancelled too.
        running: bool,
    },
}

/// Granted tasks that ended for good in one way.
#[derive(Clone, Debug)]
pub struct EndedTasks {
    /// The tasks.
    pub range: TaskRange,
    /// The grant they ran under.
    pub grant: GrantNo,
    /// The node that ran them.
    pub node: NodeId,
    /// How they ended.
    pub end: End,
    /// What they gave, where their spec keeps results.
    pub results: Results,
}
