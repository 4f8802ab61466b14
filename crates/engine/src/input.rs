//! What an engine is told: what users want, what peers say, what its hands report.

use std::sync::Arc;

use bary_ledger::graph::GraphError;
use bary_ledger::ledger::Ledger;
use bary_model::decree::Decree;
use bary_model::id::{JobNo, Lsn, NodeId, RunNo, ShardId, TaskId};
use bary_model::job::{JobRef, JobSpec};
use bary_model::message::{Frame, OutcomeItem};
use bary_model::node::{Busy, Peer};
use bary_model::outcome::Stopped;
use bary_model::payload::Payload;
use bary_model::task::TaskSpec;
use bary_policy::layout::Choice;
use bary_policy::preset::{Policy, PolicyError};
use bary_policy::topology::Topology;

/// One thing that an engine is told.
#[derive(Debug)]
pub enum Input {
    /// This node opened a shard's journal and folded all its records: it is the shard's home from
    /// here on. The first shard that it opens is its own, which requests go to.
    Opened {
        /// What the records make.
        ledger: Box<Ledger>,
        /// The number of the next batch.
        next: Lsn,
    },
    /// Another node opened a shard's journal after this one: it is no longer the home.
    Deposed {
        /// The shard.
        shard: ShardId,
    },
    /// There is another node, or more is known of it; of this node itself, what its machine was
    /// found to be.
    Joined(Box<Peer>),
    /// A node is gone, as far as anybody can tell.
    Left(NodeId),
    /// A frame arrived.
    Received {
        /// From this peer.
        from: NodeId,
        /// What.
        frame: Frame,
    },
    /// All batches of a shard up to this number are durable.
    Durable {
        /// The shard.
        shard: ShardId,
        /// The number of the batch.
        lsn: Lsn,
    },
    /// How much room is left under a shard's journal.
    Room {
        /// The shard.
        shard: ShardId,
        /// Whether there is so little that submissions have to be refused.
        low: bool,
    },
    /// A run is over; every task of it is in exactly one item.
    Ended {
        /// The run.
        run: RunNo,
        /// How its tasks ended, in order.
        items: Vec<OutcomeItem>,
    },
    /// A run showed life.
    Beat {
        /// The run.
        run: RunNo,
    },
    /// A task that runs has left something for its next attempt.
    Checkpoint {
        /// The run.
        run: RunNo,
        /// The task of the run.
        task: TaskId,
        /// How far it is, in steps of its own choice.
        step: u64,
        /// What it left; durable already where it is in a store.
        payload: Payload,
    },
    /// The graph of the cluster was found.
    Planned {
        /// The number of the question.
        number: u64,
        /// Where all nodes are; none where it could not be found.
        topology: Option<Box<Topology>>,
    },
    /// It was found how a job lies over regions.
    Laid {
        /// The shard of the job.
        shard: ShardId,
        /// The job.
        job: JobNo,
        /// The answer; none where it could not be found.
        choice: Option<Box<Choice>>,
    },
    /// So busy is the machine; nothing where that cannot be measured.
    Gauged(Option<Busy>),
    /// A user wants something; the reply names the ticket.
    Request {
        /// The user's name for the request.
        ticket: u64,
        /// What is wanted.
        request: Box<Request>,
    },
}

/// What a user wants.
#[derive(Debug)]
pub enum Request {
    /// Run a job.
    Submit(JobSpec),
    /// Run a job once other jobs have finished; those of the same shard must be there.
    SubmitAfter {
        /// The job.
        job: JobSpec,
        /// The jobs that it waits for, each as its own submission was accepted.
        upstream: Vec<JobRef>,
    },
    /// Give the first answer to what was submitted under a key once more.
    Repeat(u128),
    /// Add specs to an open job.
    Extend {
        /// The job.
        job: JobNo,
        /// What to add.
        specs: Arc<[Arc<TaskSpec>]>,
    },
    /// Add no more specs to a job.
    Close(JobNo),
    /// End the tasks of a job that have not ended.
    Cancel {
        /// The job.
        job: JobNo,
        /// Whether tasks that run are stopped too, or left to their end.
        running: bool,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// As a cancel that stops what runs too, by somebody who knows what runs: that is put on record
    /// with it, as far as it is still so.
    CancelRun {
        /// The job.
        job: JobNo,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
        /// What runs.
        ran: Vec<Stopped>,
    },
    /// Grant nothing more of a job until it is released, or release it. What has not started is
    /// taken back; what runs goes on.
    Hold {
        /// The job.
        job: JobNo,
        /// Whether it is to be held.
        held: bool,
        /// Why, where somebody said so.
        reason: Option<Box<str>>,
    },
    /// Put a job ahead of others, or behind.
    Prioritise {
        /// The job.
        job: JobNo,
        /// What is added to the priority of each of its tasks; it replaces what was added before.
        priority: i32,
    },
    /// Run what did not succeed of a finished job once more, at once: it is held no longer, and
    /// does not wait for its time again.
    Retry(JobNo),
    /// Forget a finished job and what is kept of its results.
    Forget(JobNo),
    /// Grant nothing more to a node, or grant again, as long as the engine lives: the node is about
    /// to leave. What it has not started is taken back; what runs goes on.
    Drain {
        /// The node; it need not be there.
        node: NodeId,
        /// Whether it is to be drained.
        drain: bool,
    },
    /// Decide by another policy from now on, as long as the engine lives.
    Follow(Policy),
    /// What is decreed holds from now on, and is on record: it holds for whoever opens the shard
    /// next. What no longer fits is taken back where it has not started; what runs goes on.
    Decree(Decree),
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// The job was accepted under this number; durable as the journal is.
    Accepted(JobNo),
    /// It was done.
    Done,
    /// Nothing was left to cancel: the job had finished, or had been cancelled before. The first
    /// record wins.
    Over {
        /// Whether all its tasks had succeeded.
        good: bool,
    },
    /// It was not done, and nothing was changed.
    Refused(Refusal),
}

/// Why a request was refused. Nothing was changed; each says what would help.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No node could ever run a task of the job.
    #[error("`{name}` cannot be placed: {shortage}")]
    Unplaceable {
        /// The spec.
        name: Box<str>,
        /// What is missing, and how much of it the largest node has.
        shortage: Box<str>,
    },
    /// The tasks of a spec cannot be gangs of the size that it says.
    #[error("`{name}` cannot be in gangs: {what}; {fix}")]
    Misformed {
        /// The spec.
        name: Box<str>,
        /// What is wrong.
        what: Box<str>,
        /// What would help.
        fix: &'static str,
    },
    /// The specs are not a graph that can run.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The home holds as many tasks as it may; try again when some have ended.
    #[error("the home holds {held} specs of {limit} (limit `home_specs_max`); try again later")]
    Full {
        /// How many it holds.
        held: u64,
        /// The limit.
        limit: u64,
    },
    /// A job's results would take too much room.
    #[error("`{name}` keeps {count} results, the limit `kept_results_max` is {limit}")]
    TooManyResults {
        /// The spec.
        name: Box<str>,
        /// How many results it would keep.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// There is no such job, or it is forgotten.
    #[error("there is no job {}", .0.0)]
    NoSuchJob(JobNo),
    /// A job waits for too many others.
    #[error("the job waits for {count} others, the limit `upstream_jobs_max` is {limit}")]
    TooManyUpstream {
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The disk under the journal is nearly full; try again when there is room.
    #[error("the disk under the journal is nearly full; free some space and try again")]
    NoRoom,
    /// The submission's key was used before, for something else.
    #[error("the submission key {key:032x} was used for another job ({})", .job.0)]
    KeyReused {
        /// The key.
        key: u128,
        /// The job that has it.
        job: JobNo,
    },
    /// Nothing was submitted under the key, or so long ago that it is no longer known.
    #[error("nothing was submitted under the key {0:032x}")]
    NoSuchKey(u128),
    /// No more specs are added to the job.
    #[error("job {} is closed", .0.0)]
    Closed(JobNo),
    /// There is no such policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// What is to be a label has no name, or one that no task could ask for.
    #[error("`{name}` is no name of a label: it is empty, or has a blank, `=`, `!` or `,`")]
    BadLabel {
        /// What it is.
        name: Box<str>,
    },
    /// Too many labels would lie over those of a node.
    #[error("`{node}` would have {count} labels, the limit `labels_max` is {limit}")]
    TooManyLabels {
        /// The node.
        node: Box<str>,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// Something is decreed of too many nodes: undrain some, or take their labels away.
    #[error("something is decreed of {limit} nodes, the limit `decreed_nodes_max`")]
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
    /// The job has finished, so that there is nothing of it to hold.
    #[error("job {} has finished", .0.0)]
    AlreadyOver(JobNo),
    /// The job has not finished; cancel it first, or wait.
    #[error("job {} has not finished", .0.0)]
    NotOver(JobNo),
    /// A reason, or what is said about a job, is too long.
    #[error("{what} take {bytes} bytes, the limit is {limit}")]
    TooLong {
        /// What: the reason, or tags and owner.
        what: &'static str,
        /// How many bytes they take.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The job has not finished, or nothing of it is left to retry.
    #[error("job {} has not finished, or is no longer kept", .0.0)]
    NotRetryable(JobNo),
    /// The node is home of no shard at present; try again later, or elsewhere.
    #[error("this node is home of no shard now; try again")]
    NoHome,
}
