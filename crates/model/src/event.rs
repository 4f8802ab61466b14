//! The one stream of what happened: progress, report, job log and `why` are folds of it.

use std::sync::Arc;

use crate::decree::Decree;
use crate::id::{GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskId, TaskRange};
use crate::job::{About, JobRef};
use crate::outcome::{End, Failure, Results, Stopped, Usage};
use crate::payload::Payload;
use crate::task::TaskSpec;
use crate::time::Moment;

/// Something that happened at a home, when it happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, on the home's clock.
    pub at: Moment,
    /// Whose home it is; jobs are numbered in their shard.
    pub shard: ShardId,
    /// What.
    pub kind: EventKind,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// Specs were added to a job; the first time, the job came to be.
    Submitted {
        /// The job.
        job: JobNo,
        /// The number of the first spec that was added.
        first: SpecNo,
        /// What was added.
        specs: Arc<[Arc<TaskSpec>]>,
        /// What the job is, where it came to be.
        brief: Option<Arc<Brief>>,
    },
    /// No more specs will be added.
    Closed {
        /// The job.
        job: JobNo,
    },
    /// What did not succeed of a finished job runs once more.
    Retried {
        /// The job.
        job: JobNo,
    },
    /// Nothing more of a job is granted until it is released, or it was released.
    Held {
        /// The job.
        job: JobNo,
        /// Whether it is held now.
        held: bool,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// A job goes ahead of others, or behind.
    Prioritised {
        /// The job.
        job: JobNo,
        /// What is added to the priority of each of its tasks now.
        priority: i32,
    },
    /// A job is being cancelled; what ends by that is told after this.
    Stopping {
        /// The job.
        job: JobNo,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// A job that this one waits for has finished.
    Arrived {
        /// The job that waits.
        job: JobNo,
        /// The job that has finished.
        upstream: JobRef,
        /// Whether all its tasks succeeded.
        good: bool,
    },
    /// A finished job and what it left behind are forgotten; its number is not used again.
    Forgotten {
        /// The job.
        job: JobNo,
    },
    /// Somebody decreed something.
    Decreed(Arc<Decree>),
    /// So much of a job ran when it was cancelled, as far as whoever cancelled it knew; what ends
    /// by that is told after this.
    Ran(Arc<[Stopped]>),
    /// No more tasks are granted to a node that is about to leave, or they are again. This is not
    /// on record, and so not recalled.
    Drained {
        /// The node.
        node: NodeId,
        /// Whether it is drained now.
        drain: bool,
    },
    /// A task that runs has left something for its next attempt.
    Checkpointed {
        /// The task.
        task: TaskId,
        /// The node that runs it.
        node: NodeId,
        /// How far it is, in steps of its own choice.
        step: u64,
        /// What it left.
        payload: Payload,
    },
    /// Tasks were granted to a node.
    Granted {
        /// The node.
        node: NodeId,
        /// The tasks.
        ranges: Arc<[TaskRange]>,
        /// The last of their grants; grants are numbered in the order in which they are told.
        last: GrantNo,
        /// Why there, where the engine explains its decisions.
        considered: Option<Arc<Considered>>,
    },
    /// A node gave unstarted tasks back.
    Retracted {
        /// The node.
        node: NodeId,
        /// The tasks.
        ranges: Arc<[TaskRange]>,
    },
    /// An attempt failed and will be repeated.
    Retrying {
        /// The task.
        task: TaskId,
        /// The node that ran it.
        node: NodeId,
        /// The attempt that failed.
        attempt: u16,
        /// Why it failed.
        failure: Failure,
        /// When it is ready again.
        until: Moment,
    },
    /// Tasks ended for good after they had been granted.
    Ended(Ended),
    /// Tasks ended for good without having run.
    Dropped {
        /// The tasks.
        range: TaskRange,
        /// Skipped or cancelled.
        end: End,
        /// For a skipped task, the spec that caused it.
        because: Option<SpecNo>,
    },
    /// An outcome named a grant that is no longer current; it changed nothing.
    Superseded {
        /// The tasks.
        range: TaskRange,
        /// The node that reported it.
        node: NodeId,
    },
    /// Every task of a job has ended.
    Finished {
        /// The job.
        job: JobNo,
    },
}

/// What a job is, told when it came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its name.
    pub name: Box<str>,
    /// Whose it is, and when it may begin.
    pub about: Arc<About>,
    /// Whether more specs may be added.
    pub open: bool,
    /// The jobs that it waits for.
    pub upstream: Box<[JobRef]>,
}

/// Tasks that ended after they ran.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The tasks.
    pub range: TaskRange,
    /// The node that ran them.
    pub node: NodeId,
    /// Which attempt it was.
    pub attempt: u16,
    /// How they ended.
    pub end: End,
    /// What they gave; a failed command's output is here too.
    pub results: Results,
    /// What they wrote to standard error.
    pub stderr: Payload,
    /// When they ran and what they used.
    pub usage: Usage,
}

/// What a placement decision took into account, as `why` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Considered {
    /// What the decision was for: an ask, a push or a steal.
    pub cause: Cause,
    /// Every node, with its score and the reason.
    pub candidates: Vec<Candidate>,
    /// How many tasks were ready at that moment, these included.
    pub ready: u64,
}

/// Why a task was granted when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A node asked.
    Asked,
    /// The binding is Push.
    Pushed,
    /// An idle node took what another had not started.
    Stolen,
}

/// One node that a task could have gone to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// How strongly the force drew it there; fixed point, thousandths.
    pub score: i64,
    /// The score in words, or why the node was out of the question.
    pub reason: Box<str>,
}
