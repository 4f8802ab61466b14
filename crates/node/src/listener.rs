//! What a cluster tells the one who listens: events, live output, and pokes of its own.

use std::sync::mpsc::{RecvTimeoutError, TrySendError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bary_engine::input::Reply;
use bary_model::event::Event;
use bary_model::id::{Fence, NodeId, RunNo, ShardId, TaskId, TaskRange};
use bary_model::time::Moment;
use bary_ports::executor::Stream;
use bytes::Bytes;

use crate::telling::{Ear, NewsDoor, NewsQueue};

/// One piece of news.
#[derive(Debug)]
pub enum News {
    /// What happened, in order.
    Events(Vec<Event>),
    /// Output of a task that is still running.
    Output {
        /// The shard of its job.
        shard: ShardId,
        /// The task.
        task: TaskId,
        /// Its attempt.
        attempt: u16,
        /// Which stream.
        stream: Stream,
        /// What it printed.
        bytes: Bytes,
    },
    /// What a node began to run, and which of its runs are over; told where the options say so.
    Runs {
        /// The node.
        node: NodeId,
        /// When, on the clock that all nodes share.
        at: Moment,
        /// Runs that began.
        began: Vec<Began>,
        /// Runs that are over; their outcomes are told when they are durable.
        over: Vec<RunNo>,
    },
    /// What a task says of itself while it runs.
    Said {
        /// The shard of its job.
        shard: ShardId,
        /// The task.
        task: TaskId,
        /// Its attempt.
        attempt: u16,
        /// How far it is, from 0 to 1.
        progress: f64,
        /// In words.
        message: Box<str>,
    },
    /// The answer to a request that was asked under a ticket. All that it brought about at once was
    /// told before.
    Replied {
        /// The ticket.
        ticket: u64,
        /// The answer.
        reply: Reply,
    },
    /// Somebody wants the listener to look around.
    Poke,
    /// The disk under the state is full, and everything waits for space.
    DiskFull,
    /// There is space again.
    DiskFree,
    /// Whether the disk under the state is so full that no more jobs are taken in; what runs goes
    /// on.
    DiskLow(bool),
    /// The state's journal has failed, as this says: nothing more is decided, and what was not told
    /// is not true.
    Failed(String),
}

/// A run that began.
#[derive(Debug)]
pub struct Began {
    /// The run.
    pub run: RunNo,
    /// Its tasks, each with its grant and its attempt.
    pub items: Vec<(Fence, TaskRange, u16)>,
}

/// The one consumer of a cluster's news.
#[derive(Debug)]
pub struct Listener {
    news: NewsQueue,
}

/// Wakes a listener, from a signal handler's thread for instance.
#[derive(Clone, Debug)]
pub struct Poker {
    /// Gone once the cluster has stopped, so that its listener hears the end.
    news: Arc<Mutex<Option<NewsDoor>>>,
}

/// What came of waiting with a limit.
#[derive(Debug)]
pub enum Heard {
    /// There is news.
    News(News),
    /// There was none in time.
    Nothing,
    /// The cluster has stopped; there will be none.
    Over,
}

impl Listener {
    pub(crate) fn new(news: NewsQueue) -> Self {
        Self { news }
    }

    /// Has news taken in by the thread that has it, where nothing is on its way here.
    pub(crate) fn listen_at_once(&self, ear: Box<Ear>) {
        self.news.listen_at_once(ear);
    }

    /// Waits for news for so long at most.
    pub fn next_timeout(&mut self, wait: Duration) -> Heard {
        match self.news.recv_timeout(wait) {
            Ok(news) => Heard::News(news),
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::Over,
        }
    }
}

/// Waits for news; there is no more when the cluster has stopped and all of it was heard.
impl Iterator for Listener {
    type Item = News;

    fn next(&mut self) -> Option<News> {
        self.news.recv().ok()
    }
}

impl Poker {
    pub(crate) fn new(news: NewsDoor) -> Self {
        Self { news: Arc::new(Mutex::new(Some(news))) }
    }

    /// Where news goes, until the cluster has stopped.
    pub(crate) fn news(&self) -> Option<NewsDoor> {
        self.news.lock().ok()?.clone()
    }

    /// Wakes the listener. One that is behind on its news is awake anyway, and one whose cluster
    /// has stopped hears that.
    pub fn poke(&self) {
        let Ok(news) = self.news.lock() else { return };
        match news.as_ref().map(|news| news.try_send(News::Poke)) {
            None | Some(Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) => {}
        }
    }

    /// Lets the listener hear the end once the nodes have ended.
    pub(crate) fn end(&self) {
        if let Ok(mut news) = self.news.lock() {
            *news = None;
        }
    }
}
