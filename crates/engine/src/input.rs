//! What an engine is told: what users want, what peers say, what its hands report.

use std::sync::Arc;

use bary_ledger::graph::GraphError;
use bary_model::id::{JobNo, Lsn, NodeId, RunNo};
use bary_model::job::JobSpec;
use bary_model::message::{Message, OutcomeItem};
use bary_model::node::Peer;
use bary_model::task::TaskSpec;
use bary_policy::preset::Policy;

/// One thing that an engine is told.
#[derive(Debug)]
pub enum Input {
    /// There is another node.
    Joined(Peer),
    /// A peer says something.
    Received {
        /// The peer.
        from: NodeId,
        /// What it says.
        message: Message,
    },
    /// All records up to this number are durable.
    Durable(Lsn),
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
    /// A user wants something; the reply names the ticket.
    Request {
        /// The user's name for the request.
        ticket: u64,
        /// What is wanted.
        request: Request,
    },
}

/// What a user wants.
#[derive(Debug)]
pub enum Request {
    /// Run a job.
    Submit(JobSpec),
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
    },
    /// Decide by another policy from now on.
    Follow(Policy),
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// The job was accepted under this number; durable as the journal is.
    Accepted(JobNo),
    /// It was done.
    Done,
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
    /// There is no such job, or it is closed.
    #[error("there is no open job {}", .0.0)]
    NoSuchJob(JobNo),
}
