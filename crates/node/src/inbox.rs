//! The doors of a host: what executors, peers and users hand to its loop.

use std::sync::mpsc::{SyncSender, TrySendError};

use bary_engine::input::{Reply, Request};
use bary_model::id::{JobNo, NodeId, RunNo, ShardId, TaskId};
use bary_model::message::Frame;
use bary_model::node::{Busy, Peer};
use bary_model::payload::Payload;
use bary_policy::layout::Choice;
use bary_policy::topology::Topology;
use bary_ports::executor::{Completion, Completions, Stream};
use bary_ports::transport::Inbox;
use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::listener::News;
use crate::telling::NewsDoor;

/// What reaches a host apart from completions.
#[derive(Debug)]
pub(crate) enum Control {
    /// A peer's frame.
    Frame { from: NodeId, frame: Frame },
    /// There is another node.
    Joined(Box<Peer>),
    /// A node is gone.
    Left(NodeId),
    /// The graph of the cluster was found, or could not be.
    Planned { number: u64, topology: Option<Box<Topology>> },
    /// It was found how a job lies over regions, or could not be.
    Laid { shard: ShardId, job: JobNo, choice: Option<Box<Choice>> },
    /// So busy is the machine, or that cannot be told.
    Gauged(Option<Busy>),
    /// A task of a run has left something for its next attempt. `seen` is dropped when the engine
    /// knows.
    Checkpoint { run: RunNo, task: TaskId, step: u64, payload: Payload, seen: oneshot::Sender<()> },
    /// A user's request, and where its answer goes.
    Request { request: Box<Request>, answer: Answer },
    /// Say that the loop goes round.
    Pulse(oneshot::Sender<()>),
    /// Kill everything now and end.
    Kill,
    /// End when nothing runs any more.
    Stop,
    /// Whether results wait for space on the disk.
    Full(bool),
    /// Ask what runs to end, start nothing more, and end; whatever has not ended stays as it is.
    Suspend,
    /// Start nothing more, and end when nothing runs any more; whatever has not started stays as it
    /// is.
    Drain,
}

/// Where the answer to a request goes.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To a thread that waits for it.
    Here(SyncSender<Reply>),
    /// Among the news, behind all that the request brought about, under this ticket.
    Told(u64),
}

/// Where an executor reports. There is at most one end for each run and runs are bounded by
/// slots, so the channel is as bounded as they are; beats come ten a second for each.
#[derive(Debug)]
pub(crate) struct CompletionDoor {
    pub(crate) completions: UnboundedSender<Completion>,
    pub(crate) news: NewsDoor,
}

impl CompletionDoor {
    /// Tells the listener something if it is not behind; gives it back where it is.
    pub(crate) fn offer(&self, news: News) -> Option<News> {
        match self.news.try_send(news) {
            Err(TrySendError::Full(news)) => Some(news),
            // A listener that has gone wants no news.
            Ok(()) | Err(TrySendError::Disconnected(_)) => None,
        }
    }
}

impl Completions for CompletionDoor {
    fn complete(&self, completion: Completion) {
        // A host that has ended needs no completions.
        drop(self.completions.send(completion));
    }

    fn output(&self, shard: ShardId, task: TaskId, attempt: u16, stream: Stream, bytes: Bytes) {
        // A listener that has gone wants no output.
        drop(self.news.send(News::Output { shard, task, attempt, stream, bytes }));
    }
}

/// Where peers' messages arrive; in one process they come no faster than hosts take them in.
#[derive(Debug)]
pub(crate) struct MessageDoor {
    pub(crate) control: UnboundedSender<Control>,
}

impl Inbox for MessageDoor {
    fn deliver(&self, from: NodeId, frame: Frame) {
        // A host that has ended hears nothing, as on a network.
        drop(self.control.send(Control::Frame { from, frame }));
    }
}
