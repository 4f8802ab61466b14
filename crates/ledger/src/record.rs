//! What a journal holds. Replaying records is the only way to a state; no policy is asked.

use std::sync::Arc;

use bary_model::decree::Decree;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, TaskId, TaskRange};
use bary_model::job::{About, Halt, JobRef, SubmissionKey};
use bary_model::outcome::{End, Results, Stopped, Usage};
use bary_model::payload::Payload;
use bary_model::sharing::specs;
use bary_model::task::TaskSpec;
use serde::{Deserialize, Serialize};

use crate::survey::Bygone;

/// One change of a shard's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        #[serde(with = "specs")]
        specs: Arc<[Arc<TaskSpec>]>,
        /// Whether specs may be added.
        open: bool,
        /// When it ends early, if it may.
        halt: Option<Halt>,
        /// The key under which it was submitted, if it has one.
        key: Option<SubmissionKey>,
        /// Whose it is, and when it may begin.
        about: Arc<About>,
    },
    /// Specs were added to an open job.
    Extended {
        /// The job.
        job: JobNo,
        /// What was added.
        #[serde(with = "specs")]
        specs: Arc<[Arc<TaskSpec>]>,
    },
    /// An open job was closed.
    Closed {
        /// The job.
        job: JobNo,
    },
    /// The job that is submitted next waits for jobs of other shards.
    Awaits {
        /// The jobs.
        upstream: Vec<JobRef>,
    },
    /// A job of another shard, which a job waits for, has finished.
    Arrived {
        /// The job that waits.
        job: JobNo,
        /// The job that it waited for.
        upstream: JobRef,
        /// Whether all tasks of that job succeeded.
        good: bool,
    },
    /// A job is being cancelled: what comes back of it does not run again.
    Stopping {
        /// The job.
        job: JobNo,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// Nothing of a job is granted until it is released, or it was released.
    Held {
        /// The job.
        job: JobNo,
        /// Whether it is held from here on.
        held: bool,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// A job goes ahead of others, or behind.
    Prioritised {
        /// The job.
        job: JobNo,
        /// What is added to the priority of each of its tasks from here on.
        priority: i32,
    },
    /// A finished job was forgotten; its number is not used again.
    Forgotten {
        /// The job.
        job: JobNo,
    },
    /// A granted task has left something for its next attempt.
    Checkpointed {
        /// The task.
        task: TaskId,
        /// The grant it runs under.
        grant: GrantNo,
        /// How far it is, in steps of its own choice.
        step: u64,
        /// What it left.
        payload: Payload,
    },
    /// What did not succeed of a finished job is to run once more.
    Retried {
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
    /// So much of a job ran when it was cancelled, as far as whoever cancelled it knew. It changes
    /// nothing.
    Ran {
        /// The tasks, all of one job.
        items: Vec<Stopped>,
    },
    /// Somebody decreed something.
    Decreed {
        /// What.
        decree: Box<Decree>,
    },
    /// Records were left out of the log from here on, as they count no more. It comes first.
    Bygone {
        /// What stands for them.
        bygone: Box<Bygone>,
    },
}

/// Granted tasks that ended for good in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedTasks {
    /// The tasks.
    pub range: TaskRange,
    /// The grant they ran under.
    pub grant: GrantNo,
    /// The node that ran them.
    pub node: NodeId,
    /// How they ended.
    pub end: End,
    /// Which attempt it was, from 1.
    pub attempt: u16,
    /// What they gave; a failed command's output is here too.
    pub results: Results,
    /// What they wrote to standard error.
    pub stderr: Payload,
    /// When they ran and what they used.
    pub usage: Usage,
}
