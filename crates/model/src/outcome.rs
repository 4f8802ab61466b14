//! How granted tasks end, as executors report it and homes accept it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, TaskRange};
use crate::payload::Payload;
use crate::time::{Moment, Span};

/// Tasks that ran when they were cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The tasks.
    pub range: TaskRange,
    /// The node that ran them.
    pub node: NodeId,
    /// Which attempt it was, from 1.
    pub attempt: u16,
    /// When it began.
    pub began: Moment,
}

/// How the tasks of a range ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// All of them succeeded.
    Succeeded(Results),
    /// The task (a range of one) failed. What it had printed is kept.
    Failed {
        /// Why.
        failure: Failure,
        /// What it printed before.
        output: Payload,
    },
    /// The task was stopped because it was cancelled.
    Stopped,
    /// The tasks were not started; they are as they were before the grant.
    Returned,
}

/// What the tasks of a range gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Results {
    /// None gave anything.
    Nothing,
    /// One payload for each task, in order.
    Each(Vec<Payload>),
}

impl Results {
    /// What the tasks from `offset` on gave, `count` of them.
    #[must_use]
    pub fn part(&self, offset: u32, count: u32) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Each(each) => {
                let part = each.iter().skip(offset as usize).take(count as usize);
                Self::Each(part.cloned().collect())
            }
        }
    }

    /// What the task at `offset` in the range gave.
    #[must_use]
    pub fn at(&self, offset: usize) -> Payload {
        match self {
            Self::Nothing => Payload::Empty,
            Self::Each(each) => each.get(offset).cloned().unwrap_or_default(),
        }
    }
}

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The command ended with a code other than 0.
    Exit(i32),
    /// The command was killed by a signal.
    Signal(i32),
    /// The attempt took longer than its timeout.
    TimedOut,
    /// The attempt was silent for longer than its heartbeat timeout.
    Silent,
    /// The function returned an error.
    Error(Box<str>),
    /// The function panicked.
    Panicked(Box<str>),
    /// It could not be started: the program, a file or a directory is not there.
    NotStarted(Box<str>),
    /// The function returned an error, and said that another attempt cannot help.
    Hopeless(Box<str>),
    /// The worker that ran it has gone, and perhaps because of it.
    Lost {
        /// How many workers had gone before that ran it together with others, so that nobody
        /// could tell which task was to blame.
        before: u16,
    },
}

impl Failure {
    /// The exit code that a shell would give: the command's own, 128 + the signal, 124, 127 or 1;
    /// 137, as for one that was killed, where the worker has gone.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Exit(code) => *code,
            Self::Signal(signal) => 128 + signal,
            Self::TimedOut | Self::Silent => 124,
            Self::NotStarted(_) => 127,
            Self::Lost { .. } => 137,
            Self::Error(_) | Self::Panicked(_) | Self::Hopeless(_) => 1,
        }
    }

    /// Whether the attempt took its process down, which counts towards quarantine.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Signal(_) | Self::Lost { .. })
    }

    /// How many crashes it stands for.
    #[must_use]
    pub fn crashes(&self) -> u16 {
        match self {
            Self::Signal(_) => 1,
            Self::Lost { before } => before.saturating_add(1),
            _ => 0,
        }
    }

    /// Whether the task is tried again whatever its retries say, until it is quarantined: it may
    /// have had no part in it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// Whether another attempt can help: a missing program stays missing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::NotStarted(_) | Self::Hopeless(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Silent => f.write_str("silent for longer than its heartbeat timeout"),
            Self::Error(text) | Self::Hopeless(text) => write!(f, "error: {text}"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::NotStarted(text) => write!(f, "not started: {text}"),
            Self::Lost { .. } => f.write_str("the worker that ran it has gone"),
        }
    }
}

/// How a task ended for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It succeeded.
    Succeeded,
    /// It failed with no attempts left.
    Failed(Failure),
    /// It took its process down too often; no attempts left are spent on it.
    Quarantined(Failure),
    /// It was cancelled.
    Cancelled,
    /// A task that it depends on ended in a way that does not let it run.
    Skipped,
}

impl End {
    /// In one word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Quarantined(_) => "quarantined",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// Why the task failed, where it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) | Self::Quarantined(failure) => Some(failure),
            Self::Succeeded | Self::Cancelled | Self::Skipped => None,
        }
    }

    /// The exit code of the task as a shell would give it; 0 where it has none.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.failure().map_or(0, Failure::code)
    }
}

/// When an attempt (or a range of them) ran, and what it used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// When the first of them started, on the node's clock.
    pub began: Moment,
    /// How long they ran, added up.
    pub busy: Span,
    /// Processor time, where known.
    pub cpu: Span,
    /// The most memory held, in bytes; 0 where it is not known. Of a command that held less than
    /// its node, it is what its first process was seen to hold while it ran.
    pub peak_memory: u64,
    /// Which slot of the node, from 1.
    pub slot: u32,
    /// Whether nothing ran: the results are those that equal work gave before.
    pub cached: bool,
}
