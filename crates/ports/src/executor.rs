//! Running tasks: the engine says what to start and stop, the executor says what came of it.

use std::sync::Arc;

use bary_model::id::{RunNo, ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bytes::Bytes;

/// What an executor is asked to start: items that run one after another on one slot.
///
/// Short tasks come several to a run, so that each costs little; a run of several that goes on
/// for longer than [`Start::budget`] ends early and returns the rest.
#[derive(Clone, Debug)]
pub struct Start {
    /// Names the run until its completion.
    pub run: RunNo,
    /// The slot of the node, from 1; no other run has it at the same time.
    pub slot: u32,
    /// What to run, in order.
    pub items: Arc<[GrantItem]>,
    /// After how long no further task of the run is begun.
    pub budget: bary_model::time::Span,
}

/// How a run is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Commands get SIGTERM and functions see [`crate::function::Call::is_stopped`].
    Ask(StopReason),
    /// Commands get SIGKILL, the whole tree; functions are given up on and their slot renewed.
    Kill(StopReason),
}

/// Why a run is asked to end; it decides how its current task is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The attempt took too long: `Failure::TimedOut`.
    Timeout,
    /// The attempt was silent too long: `Failure::Silent`.
    Silent,
    /// The task was cancelled: `Outcome::Stopped`.
    Cancel,
}

/// What an executor reports.
#[derive(Clone, Debug)]
pub enum Completion {
    /// A run is over and its slot free; every task of it is in exactly one item. Tasks that were
    /// not begun are `Outcome::Returned`.
    Ended {
        /// The run.
        run: RunNo,
        /// How its tasks ended, in order.
        items: Vec<OutcomeItem>,
    },
    /// The run showed life: it printed something or a function called `beat`. Sent only for
    /// bodies with a heartbeat timeout, at most ten times a second.
    Beat {
        /// The run.
        run: RunNo,
    },
}

/// Which stream some output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes what executors report. Called from executor threads; it may block for a short time.
pub trait Completions: Send + Sync {
    /// Hands on one completion.
    fn complete(&self, completion: Completion);

    /// Hands on output of a task of a shard whose body captures lines or live. Blocks while the
    /// reader is behind, which holds the task back.
    fn output(&self, shard: ShardId, task: TaskId, attempt: u16, stream: Stream, bytes: Bytes);
}

/// Runs tasks. Every started run gets exactly one `Ended`, whatever happens to it; a panic or a
/// crash is that task's failure only.
pub trait Executor: Send {
    /// Begins a run. Never blocks for longer than it takes to start a thread.
    fn start(&mut self, start: Start);

    /// Asks a run to end; unknown or ended runs are ignored.
    fn stop(&mut self, run: RunNo, stop: Stop);

    /// Kills whatever still runs and waits until all of it has been reaped.
    fn close(&mut self);
}
