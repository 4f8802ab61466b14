//! What nodes say to each other. A batch is one message; frames carry messages over a link.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::claim::{Announce, Claim};
use crate::digest::Digest;
use crate::gang::Seat;
use crate::id::{Birth, Epoch, Fence, JobNo, NodeId, ShardId, TaskId, TaskRange};
use crate::job::JobRef;
use crate::node::Busy;
use crate::outcome::{Outcome, Usage};
use crate::payload::Payload;
use crate::resources::Resources;
use crate::sharing::grants;
use crate::task::TaskSpec;
use crate::time::{Moment, Span};

mod items;
mod payloads;

/// What travels between two nodes: at most one message, and how far the other end was heard.
///
/// A frame counts only between the two ends that it names. Frames may be lost, doubled, late and
/// out of order; links make messages arrive once and in order, or begin anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The sender's end.
    pub from: Birth,
    /// The receiver's end as the sender knows it; zero where it does not.
    pub to: Birth,
    /// Every message up to this number has arrived from the receiver.
    pub ack: u64,
    /// A message with its number from 1; none where the frame only greets or acknowledges.
    pub body: Option<(u64, Arc<Message>)>,
}

/// One message between a home and a node, or between two homes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The shard whose home says it or is meant by it.
    pub shard: ShardId,
    /// The reign in which its home says it, or in which the sender believes that home to be.
    pub epoch: Epoch,
    /// What is said.
    pub say: Say,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Say {
    /// To all: this home has ready work of so much weight (thousandths).
    Load {
        /// The ready weight of the home.
        ready: u64,
    },
    /// To a home: all that I hold of your shard. It begins a session; what the home thinks that
    /// the node holds beyond it is lost.
    Hello(Hello),
    /// To a home: I have room.
    Ask(Ask),
    /// To a node: run these.
    Grant(Grant),
    /// To a home: these ended; often also the next ask.
    Outcomes(Outcomes),
    /// To a home: this task has left something for its next attempt.
    Checkpoint {
        /// The grant it runs under.
        fence: Fence,
        /// The task.
        task: TaskId,
        /// How far it is, in steps of its own choice.
        step: u64,
        /// What it left.
        payload: Payload,
    },
    /// To a node: outcomes up to this batch are durable; forget them.
    Settled {
        /// The number of the batch.
        batch: u64,
    },
    /// To a node: give back what you have not started.
    Retract(Retract),
    /// To a home: these I had not started and have dropped; possibly none.
    Retracted {
        /// What was dropped, each under the grant it had.
        items: Vec<(Fence, TaskRange)>,
    },
    /// To a home: I am here, and hold what this digest stands for.
    Pulse(Digest),
    /// To other homes: how much is ready here, and how many nodes wait.
    Level(Level),
    /// To another home: I have more ready than nodes that wait; send me some of yours.
    Seek {
        /// The home that is meant.
        at: ShardId,
        /// For so many tasks.
        tasks: u64,
    },
    /// To another home: this node waits, and is yours to grant to; only one home has an ask.
    Token {
        /// The home that is meant.
        at: ShardId,
        /// The node.
        node: NodeId,
        /// What it asked for.
        ask: Ask,
        /// Its asks, each with the home it was meant for.
        asked: Vec<(ShardId, u64)>,
        /// How often the ask has moved.
        hops: u8,
    },
    /// To another home, or to any node that may have it: tell me when that job of yours has
    /// finished; a job of mine waits for it. Said again until it is answered.
    Watch {
        /// The job that is waited for.
        upstream: JobRef,
        /// The job that waits.
        by: JobNo,
    },
    /// To another home: the job that yours waits for has finished.
    Done {
        /// The job that waits.
        dependent: JobRef,
        /// The job that has finished.
        job: JobNo,
        /// Whether all its tasks succeeded.
        good: bool,
    },
    /// To the keeper of a limit: so many of my tasks run under it, and so many would.
    Need(Need),
    /// To a home: so many of your tasks may run under a limit, those that run included.
    Permitted {
        /// The home that is meant.
        at: ShardId,
        /// The limit.
        name: Box<str>,
        /// How many.
        tasks: u32,
        /// Counts these words from this keeper to this home about this limit.
        number: u64,
    },
    /// To all: I keep this limit now; whoever runs tasks under it, tell me.
    Keeps {
        /// The limit.
        name: Box<str>,
    },
    /// To a node: the home of that shard is not here, or not yet.
    Away,
    /// To homes: that home, which you spoke to, is not here.
    Absent {
        /// The shard whose home was meant.
        shard: ShardId,
    },
    /// To a node: say again all that you hold.
    Relist {
        /// Counts these requests; the answer names the last.
        number: u64,
    },
    /// To a home: batches of outcomes that it has not answered, once more.
    Repeat(Vec<Outcomes>),
    /// To a node: keep room for so many tasks of mine in your turn, and ask me when you have it.
    Reserve {
        /// How many, beyond those that it was asked for before.
        tasks: u32,
    },
    /// To a node: there is nothing left of what you were asked to keep room for.
    Release,
    /// To nodes: whoever of you the rule says may claim these.
    Announce(Announce),
    /// To all who heard of some tasks, and to their home: these are mine.
    Claim(Claim),
    /// To a home: I claimed these, gave way to another, and never started them.
    Yield {
        /// What was claimed, each under the grant it had.
        items: Vec<(Fence, TaskRange)>,
    },
    /// To a node: measure how far these are, and this one, and tell.
    Survey {
        /// Counts these requests of a node; the answer names it.
        number: u64,
        /// Who is to be measured; at most [`SURVEYED_MAX`] count.
        peers: Vec<NodeId>,
    },
    /// To a node that asked: so far are those that answered.
    Distances {
        /// The request.
        number: u64,
        /// How long a message there and its answer took.
        trips: Vec<(NodeId, Span)>,
    },
    /// To a node: answer at once.
    Probe {
        /// When it was sent, by the sender's clock.
        at: Moment,
    },
    /// To a node that probed: the answer.
    Echo {
        /// When the probe was sent, by the clock of the one who sent it.
        at: Moment,
    },
    /// To a node: tell how busy your machine is.
    Gauge,
    /// To a home that asked: so busy is this machine; nothing where that cannot be measured.
    Busy(Option<Busy>),
}

/// How many others a node measures for one survey.
pub const SURVEYED_MAX: usize = 16;

/// All that a node holds of a shard when it begins a session with its home.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// What it holds, runs, or has outcomes of that were not answered.
    pub held: Vec<(Fence, TaskRange)>,
    /// The last request for such a list that the node has heard; 0 for none.
    pub answers: u64,
}

/// How many permits of a limit a home uses, and how many it would use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The limit.
    pub name: Box<str>,
    /// How many tasks may run under it in the whole cluster.
    pub most: u32,
    /// Permits that the home has: for tasks that are granted, and for some that wait for a node.
    pub uses: u32,
    /// Those, and the ones that are ready; at most `most`.
    pub wants: u32,
    /// The last word of the keeper that the home has heard.
    pub heard: u64,
}

/// How a home stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Weight that is ready, in thousandths.
    pub ready: u64,
    /// How many tasks that is.
    pub tasks: u64,
    /// How many nodes wait.
    pub parked: u32,
}

/// Outcomes of one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Counts the batches of this node to this shard, from 1; one sent again keeps its number.
    pub batch: u64,
    /// What ended.
    pub items: Arc<Vec<OutcomeItem>>,
    /// Room, where there is some.
    pub ask: Option<Ask>,
}

/// A node's room: absolute credit, so a repeated ask means no more than one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Counts the asks of this node to this home; a repeated one has the same number.
    pub number: u64,
    /// What is free right now.
    pub free: Resources,
    /// Weight held and not started, in thousandths.
    pub held: u64,
}

/// Tasks that a node may run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The tasks, in the order in which they should start.
    #[serde(with = "grants")]
    pub items: Vec<GrantItem>,
    /// The asks that this answers, each with the home it was meant for; none for work that was
    /// pushed. There are several where the node asked several homes and the asks met in one.
    pub answers: Vec<(ShardId, u64)>,
    /// Ready weight left at the home, in thousandths.
    pub ready: u64,
    /// The last batch of the node's outcomes that is durable.
    pub settled: u64,
}

/// Some tasks of one spec under one grant.
#[derive(Clone, Debug, PartialEq)]
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
    /// What its job adds to the priority of its body.
    pub priority: i32,
    /// The step and words of the last checkpoint of former attempts; the item is of one task then.
    pub checkpoint: Option<(u64, Payload)>,
    /// Where its gang meets, where it is of one; the item is of one task then.
    pub seat: Option<Seat>,
}

/// Results of another spec that a task reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// All unstarted tasks.
    Everything,
    /// All unstarted tasks of a lower priority than this.
    Below(i32),
    /// All of these under these grants, which are no longer theirs; the started ones are stopped.
    Stale(Vec<(Fence, TaskRange)>),
    /// A few unstarted tasks, the last ones first, where enough of them wait; for `thief`.
    Few {
        /// How many at most; never more than half of what waits.
        tasks: u32,
        /// How many must wait at least, or none is given back.
        least: u32,
        /// Who is to run them.
        thief: NodeId,
        /// What has moved often enough and stays.
        spared: Vec<TaskRange>,
    },
}
