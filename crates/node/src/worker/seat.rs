//! A worker's place in the cluster: the doors of its node's host, until it is given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bary_model::id::{RunNo, TaskId};
use bary_model::node::NodeInfo;
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};
use bary_ports::executor::{Completion, Completions, Stream};
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::crew::Crew;
use crate::inbox::Control;
use crate::listener::News;
use crate::maker::Doors;
use crate::worker::live::Speaker;

/// A worker's place. One that is dropped without [`Seat::empty`] ends its node at once.
pub(crate) struct Seat {
    info: NodeInfo,
    doors: Doors,
    crew: Arc<Crew>,
    origin: Instant,
    emptied: bool,
}

impl Seat {
    pub(crate) fn new(info: NodeInfo, doors: Doors, crew: Arc<Crew>, origin: Instant) -> Self {
        Self { info, doors, crew, origin, emptied: false }
    }

    pub(crate) fn info(&self) -> &NodeInfo {
        &self.info
    }

    /// The time on the clock of all nodes.
    pub(crate) fn now(&self) -> Moment {
        Moment(0) + Span::from(self.origin.elapsed())
    }

    /// Reports.
    pub(crate) fn complete(&self, completion: Completion) {
        self.doors.ends.complete(completion);
    }

    /// Reports in a while.
    pub(crate) fn complete_after(&self, span: Duration, completion: Completion) {
        let ends = Arc::clone(&self.doors.ends);
        drop(tokio::spawn(async move {
            tokio::time::sleep(span).await;
            ends.complete(completion);
        }));
    }

    /// Hands on what a task printed; waits while the reader is behind.
    pub(crate) async fn output(&self, of: Speaker, stream: Stream, bytes: Bytes) {
        let Speaker { shard, task, attempt } = of;
        let news = News::Output { shard, task, attempt, stream, bytes };
        if let Some(News::Output { bytes, .. }) = self.doors.into.offer(news) {
            let into = Arc::clone(&self.doors.into);
            let wait = move || into.output(shard, task, attempt, stream, bytes);
            // A panic there was printed when it happened.
            drop(tokio::task::spawn_blocking(wait).await);
        }
    }

    /// Hands on what a task says of itself. A reader that is behind misses it: a later word says
    /// more.
    pub(crate) fn say(&self, of: Speaker, progress: f64, message: Box<str>) {
        let Speaker { shard, task, attempt } = of;
        drop(self.doors.into.offer(News::Said { shard, task, attempt, progress, message }));
    }

    /// Hands on what a task leaves for its next attempt, and waits until the engine knows.
    pub(crate) async fn checkpoint(&self, run: RunNo, task: TaskId, step: u64, payload: Payload) {
        let (seen, known) = oneshot::channel();
        let checkpoint = Control::Checkpoint { run, task, step, payload, seen };
        if self.doors.control.send(checkpoint).is_ok() {
            // It is dropped, never sent.
            drop(known.await);
        }
    }

    /// The worker takes no more: what it holds goes elsewhere, and its node leaves when what it
    /// runs has ended.
    pub(crate) fn leave(&self) {
        self.crew.dismiss(self.info.id);
    }

    /// The worker has gone. Its node starts nothing more from here on, and leaves when the ends of
    /// all its runs were reported.
    pub(crate) fn empty(&mut self) {
        self.emptied = true;
        // One that has ended starts nothing anyway.
        drop(self.doors.control.send(Control::Drain));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.emptied {
            // As above.
            drop(self.doors.control.send(Control::Kill));
        }
    }
}
