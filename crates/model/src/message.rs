//! What nodes say to each other. A batch is one message.

use std::sync::Arc;

use crate::id::{Fence, JobNo, NodeId, TaskRange};
use crate::outcome::{Outcome, Usage};
use crate::payload::Payload;
use crate::resources::Resources;
use crate::task::TaskSpec;
use crate::weight::Weight;

/// One message between two nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// To all: this home has ready work of so much weight (thousandths).
    Load {
        /// The ready weight of the home.
        ready: u64,
    },
    /// To a home: I have room.
    Ask(Ask),
    /// To a node: run these.
    Grant(Grant),
    /// To a home: these ended; often also the next ask.
    Outcomes {
        /// What ended.
        items: Vec<OutcomeItem>,
        /// Room, where there is some.
        ask: Option<Ask>,
    },
    /// To a node: give back what you have not started.
    Retract(Retract),
    /// To a home: these I had not started and have dropped; possibly none.
    Retracted {
        /// What was dropped, each under the grant it had.
        items: Vec<(Fence, TaskRange)>,
    },
}

/// A node's room: absolute credit, so a repeated ask means no more than one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Counts the asks of this node to this home; a repeated one has the same number.
    pub number: u64,
    /// What is free right now.
    pub free: Resources,
    /// Weight held and not started, in thousandths.
    pub held: u64,
}

/// Tasks that a node may run.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The tasks, in the order in which they should start.
    pub items: Vec<GrantItem>,
    /// The ask that this answers; none for work that was pushed.
    pub answers: Option<u64>,
    /// Ready weight left at the home, in thousandths.
    pub ready: u64,
}

/// Some tasks of one spec under one grant.
#[derive(Clone, Debug)]
pub struct GrantItem {
    /// What an outcome must name.
    pub fence: Fence,
    /// Which tasks.
    pub range: TaskRange,
    /// What they are.
    pub spec: Arc<TaskSpec>,
    /// Which attempt this is, from 1.
    pub attempt: u16,
    /// The results that its body uses, in the body's order; absent where it uses none.
    pub upstream: Option<Arc<[Upstream]>>,
    /// Whether somebody waits for its outcome, so that it must not be held back for a batch.
    pub urgent: bool,
}

/// Results of another spec that a task reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Upstream {
    /// The name under which placeholders read it.
    pub name: Box<str>,
    /// The results in index order: one for a plain or aligned task.
    pub results: Vec<Payload>,
    /// Which index each result is of; those that failed are absent.
    pub indices: Vec<u32>,
    /// The node that made each result.
    pub nodes: Vec<NodeId>,
}

/// How some tasks ended.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeItem {
    /// The grant they ran under.
    pub fence: Fence,
    /// Which tasks.
    pub range: TaskRange,
    /// How they ended.
    pub outcome: Outcome,
    /// What they wrote to standard error.
    pub stderr: Payload,
    /// When they ran and what they used.
    pub usage: Usage,
}

/// What a home wants back.
#[derive(Clone, Debug, PartialEq)]
pub enum Retract {
    /// Unstarted tasks of this much weight (thousandths), the last ones first; for `thief`.
    Weight {
        /// How much.
        weight: u64,
        /// What the thief can run.
        thief: NodeId,
    },
    /// All of these, started or not; the started ones are stopped.
    Tasks(Vec<TaskRange>),
    /// All unstarted tasks of a job.
    Unstarted(JobNo),
}

impl GrantItem {
    /// The weight of all its tasks, in thousandths.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.spec.weight.times(u64::from(self.range.count))
    }

    /// The weight of each of its tasks.
    #[must_use]
    pub fn each(&self) -> Weight {
        self.spec.weight
    }
}
