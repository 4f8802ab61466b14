//! Who waits for what becomes of jobs: they are told as it is folded, and never polled for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bary_engine::input::Reply;
use bary_model::event::Ended;
use bary_model::id::{JobNo, TaskRange};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Who waits, by job.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    ends: BTreeMap<JobNo, Vec<oneshot::Sender<()>>>,
    outcomes: BTreeMap<JobNo, Vec<Sink>>,
}

/// What a session hears.
#[derive(Debug)]
pub(crate) enum Note {
    /// The answer to a submission of it.
    Replied { ticket: u64, reply: Reply },
    /// Tasks of a job of it ended after they had run.
    Ended(Arc<Ended>),
    /// Tasks of a job of it ended without having run, or how they ran is no longer kept.
    Dropped { range: TaskRange, end: &'static str },
    /// A job of it has finished, or is forgotten.
    Over(JobNo),
}

/// Where notes for a session go: a bounded queue. A session that does not keep up is cut off.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    notes: mpsc::Sender<Note>,
    cut: Arc<AtomicBool>,
}

impl Sink {
    /// A queue of so many notes, and both of its ends.
    pub(crate) fn new(notes_max: usize) -> (Self, mpsc::Receiver<Note>) {
        let (notes, heard) = mpsc::channel(notes_max);
        (Self { notes, cut: Arc::default() }, heard)
    }

    /// Whether a note was lost, so that nothing more is told.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Tells a session something. Whether anybody is still there.
    pub(crate) fn tell(&self, note: Note) -> bool {
        if self.is_cut() {
            return false;
        }
        match self.notes.try_send(note) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.cut.store(true, Ordering::Release);
                false
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

impl Watchers {
    /// Told once when a job finishes.
    pub(crate) fn await_end(&mut self, job: JobNo) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let waiting = self.ends.entry(job).or_default();
        // Whoever gave up waiting is gone by the next who comes.
        waiting.retain(|waiting| !waiting.is_closed());
        waiting.push(tell);
        told
    }

    /// Tells a session of each task of a job that ends. Whether it was not told already.
    pub(crate) fn await_outcomes(&mut self, job: JobNo, sink: &Sink) -> bool {
        let sinks = self.outcomes.entry(job).or_default();
        let is_new = !sinks.iter().any(|told| told.notes.same_channel(&sink.notes));
        if is_new {
            sinks.push(sink.clone());
        }
        is_new
    }

    /// Tells of ended tasks of a job.
    pub(crate) fn tell(&mut self, job: JobNo, note: impl Fn() -> Note) {
        if self.outcomes.is_empty() {
            return;
        }
        if let Some(sinks) = self.outcomes.get_mut(&job) {
            sinks.retain(|sink| sink.tell(note()));
            if sinks.is_empty() {
                self.outcomes.remove(&job);
            }
        }
    }

    /// A job has finished, or is forgotten.
    pub(crate) fn on_over(&mut self, job: JobNo) {
        for sink in self.outcomes.remove(&job).into_iter().flatten() {
            // A session that has gone wants to know nothing.
            let _: bool = sink.tell(Note::Over(job));
        }
        for waiting in self.ends.remove(&job).into_iter().flatten() {
            // Whoever gave up waiting wants to know nothing.
            let _: Result<(), ()> = waiting.send(());
        }
    }

    /// The cluster has stopped: nobody will be told anything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
