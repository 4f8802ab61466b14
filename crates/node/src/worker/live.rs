//! A run that a worker has, and what becomes of its tasks: as the worker says, or, where it has
//! gone, as can be told without it.

use std::time::Instant;

use bary_api::v1::TaskEnded;
use bary_executor::report::{Ended, Report};
use bary_model::id::{ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Usage};
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};
use bary_ports::executor::{Start, StopReason};
use bary_ports::store::Store;
use bytes::{Bytes, BytesMut};

use crate::worker::suspects::Suspects;

/// Most bytes of what a task's worker says it printed that are kept after its end.
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Most bytes of the text of an error.
const ERROR_BYTES_MAX: usize = 4 << 10;

/// A run that a worker has.
#[derive(Debug)]
pub(crate) struct Live {
    start: Start,
    /// How many tasks the worker was given; the rest is given back.
    sent: usize,
    began: Moment,
    /// Why it was asked to end, if it was.
    asked: Option<StopReason>,
    /// When the worker is cut off since the run was killed, if it was.
    pub(crate) due: Option<Instant>,
    /// When it last showed life.
    pub(crate) beaten: Option<Moment>,
    /// What its tasks printed, by their places.
    printed: Vec<(usize, BytesMut)>,
}

impl Live {
    pub(crate) fn new(start: Start, sent: usize, began: Moment) -> Self {
        Self { start, sent, began, asked: None, due: None, beaten: None, printed: Vec::new() }
    }

    /// Notes that the run is to end.
    pub(crate) fn ask(&mut self, reason: StopReason) {
        self.asked = Some(reason);
    }

    /// A task of the run by its place, and its attempt.
    pub(crate) fn task(&self, place: usize) -> Option<Speaker> {
        let speakers = self.start.items.iter().flat_map(|item| {
            let (shard, attempt) = (item.fence.shard, item.attempt);
            item.range.tasks().map(move |task| Speaker { shard, task, attempt })
        });
        speakers.take(self.sent).nth(place)
    }

    /// Whether the tasks have to show that they are alive.
    pub(crate) fn beats(&self) -> bool {
        let item = self.start.items.first();
        item.is_some_and(|item| item.spec.body.heartbeat_timeout.is_some())
    }

    /// Keeps what a task printed, as far as there is room.
    pub(crate) fn print(&mut self, place: usize, bytes: &Bytes) {
        let at = match self.printed.iter().position(|(of, _)| *of == place) {
            Some(at) => at,
            None => {
                self.printed.push((place, BytesMut::new()));
                self.printed.len() - 1
            }
        };
        let kept = &mut self.printed[at].1;
        let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// How many tasks the worker was given.
    pub(crate) fn sent(&self) -> usize {
        self.sent
    }

    /// The ends of the tasks as the worker says them, of no more than it was given.
    pub(crate) fn ended(
        mut self,
        told: Vec<TaskEnded>,
        now: Moment,
        store: &dyn Store,
        suspects: &Suspects,
    ) -> Vec<OutcomeItem> {
        let (last, mut report) = (told.len(), Report::default());
        let (mut began, whole) = (self.began, now.since(self.began));
        let ids: Vec<TaskId> = tasks(&self.start.items).take(last).map(|(task, _)| task).collect();
        for (place, (told, task)) in told.into_iter().zip(ids).enumerate() {
            suspects.clear(task);
            let (busy, cpu) =
                (span(told.run_seconds, whole), span(told.cpu_seconds, whole.times(64)));
            let usage = Usage { began, busy, cpu, slot: self.start.slot, ..Usage::default() };
            began = began + busy;
            let stderr = self.kept(place, store);
            let asked = self.asked.filter(|_| place + 1 == last);
            if asked == Some(StopReason::Cancel) {
                report.push_stopped(&self.start.items, stderr, usage);
                continue;
            }
            let end = end(&told, asked);
            let (end, output) = match store.payload(told.result) {
                Ok(output) => (end, output),
                Err(error) => {
                    let text = format!("the result could not be kept: {error}");
                    (end.and_then(|_| Err(Failure::Error(text.into()))), Payload::Empty)
                }
            };
            report.push(&self.start.items, Ended { end, output, stderr, usage });
        }
        report.return_rest(&self.start.items);
        report.take()
    }

    /// The end of a run that never began, since what its first task reads cannot be read.
    pub(crate) fn failed(self, failure: Failure) -> Vec<OutcomeItem> {
        self.first_ends(Some(Err(failure)))
    }

    /// The ends of the tasks where the worker has gone. One task alone counts as lost with it; of
    /// several nobody knows which is to blame, so all are given back and suspected. Where the
    /// worker went to obey a kill, none is.
    pub(crate) fn lost(self, obeying: bool, suspects: &Suspects) -> Vec<OutcomeItem> {
        let first = tasks(&self.start.items).map(|(task, _)| task).next();
        let Some(task) = first.filter(|_| self.sent == 1) else {
            let killed = self.due.is_some();
            if killed || !obeying {
                suspects.add(tasks(&self.start.items).take(self.sent).map(|(task, _)| task));
            }
            return self.first_ends(None);
        };
        let end = match self.asked {
            Some(StopReason::Cancel) => return self.stopped(),
            Some(StopReason::Timeout) => Failure::TimedOut,
            Some(StopReason::Silent) => Failure::Silent,
            None if obeying => return self.first_ends(None),
            None => Failure::Lost { before: suspects.of(task) },
        };
        self.first_ends(Some(Err(end)))
    }

    fn stopped(self) -> Vec<OutcomeItem> {
        let mut report = Report::default();
        report.push_stopped(&self.start.items, Payload::Empty, self.usage());
        report.return_rest(&self.start.items);
        report.take()
    }

    /// Ends the first task, or none, and gives the others back.
    fn first_ends(self, end: Option<Result<(), Failure>>) -> Vec<OutcomeItem> {
        let mut report = Report::default();
        if let Some(end) = end {
            let (output, stderr) = (Payload::Empty, Payload::Empty);
            report.push(&self.start.items, Ended { end, output, stderr, usage: self.usage() });
        }
        report.return_rest(&self.start.items);
        report.take()
    }

    fn usage(&self) -> Usage {
        Usage { began: self.began, slot: self.start.slot, ..Usage::default() }
    }

    fn kept(&mut self, place: usize, store: &dyn Store) -> Payload {
        let Some(at) = self.printed.iter().position(|(of, _)| *of == place) else {
            return Payload::Empty;
        };
        let (_, bytes) = self.printed.swap_remove(at);
        // What was printed is no result: where there is no room for it, it is lost.
        store.payload(bytes.freeze()).unwrap_or_default()
    }
}

/// A task that a worker speaks of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker {
    /// The shard of its job.
    pub(crate) shard: ShardId,
    pub(crate) task: TaskId,
    pub(crate) attempt: u16,
}

/// The tasks of items in order, each with its attempt.
fn tasks(items: &[GrantItem]) -> impl Iterator<Item = (TaskId, u16)> {
    items.iter().flat_map(|item| item.range.tasks().map(|task| (task, item.attempt)))
}

fn end(told: &TaskEnded, asked: Option<StopReason>) -> Result<(), Failure> {
    match asked {
        Some(StopReason::Timeout) => return Err(Failure::TimedOut),
        Some(StopReason::Silent) => return Err(Failure::Silent),
        Some(StopReason::Cancel) | None => {}
    }
    if told.error.is_empty() {
        return Ok(());
    }
    let text = shortened(&told.error, ERROR_BYTES_MAX).into();
    Err(if told.permanent { Failure::Hopeless(text) } else { Failure::Error(text) })
}

/// A text without what is beyond so many bytes.
pub(crate) fn shortened(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Seconds that a worker says, where they can be.
fn span(seconds: f64, most: Span) -> Span {
    if seconds.is_finite() && seconds > 0.0 {
        Span::from_secs_f64(seconds).min(most)
    } else {
        Span::ZERO
    }
}
