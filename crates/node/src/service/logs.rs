//! What tasks print: of ended ones all of it, of running ones the last part, and on from there for
//! who follows, wherever they run.

use std::collections::BTreeMap;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{LogChunk, LogsRequest};
use bary_api::verb::Verb;
use bary_model::action::Action;
use bary_model::id::{TaskId, TaskRange};
use bary_model::payload::Payload;
use bary_ports::executor::Stream;
use bytes::Bytes;
use tokio::time::MissedTickBehavior;

use crate::board::ends::How;
use crate::board::job::Detail;
use crate::board::tails::Tail;
use crate::service::caller::Caller;
use crate::service::elsewhere::{Elsewhere, Told};
use crate::service::emit::{self, Emit, Gone};
use crate::service::pour::AWAY_LOOK;
use crate::service::printed::{Found, Part, show};
use crate::service::task_list::parts;
use crate::service::{Inner, Service, Streamed, choice, jobs};

/// The most tasks that are followed at a time.
const FOLLOWED_MAX: usize = 100_000;
/// How often it is looked who holds tasks that are followed.
const LOOK: Duration = Duration::from_millis(100);

/// What somebody wants to read.
struct Wanted {
    job: u32,
    /// Of this stream only, where one is named.
    stream: Option<Stream>,
    /// How many bytes at the end of each task's output; all where 0.
    tail: usize,
    /// Whether its beginning is wanted too where that is no longer at hand while it runs.
    whole: bool,
}

/// How far one running task has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    attempt: u16,
    /// Which tail it was read from.
    tail: u64,
    /// The number of the next piece.
    next: u64,
    /// How many bytes of each stream were given.
    out: usize,
    err: usize,
    /// Whether what comes next was no longer at hand: it is read when the task has ended.
    is_behind: bool,
}

impl Service {
    /// What tasks print, in pieces.
    ///
    /// # Errors
    /// Where the job or a task is not there, or too many are followed. A reader that falls behind
    /// is told so, and gets the rest once the task has ended.
    pub async fn logs(
        &self,
        caller: &Caller,
        asked: LogsRequest,
    ) -> Result<Streamed<LogChunk>, Refused> {
        let leave = self.admit(caller, Verb::Logs, format!("job {}", asked.job))?;
        let stream = match asked.stream.as_str() {
            "" => None,
            "out" => Some(Stream::Out),
            "err" => Some(Stream::Err),
            other => {
                let refused = Refused::new(Kind::Invalid, format!("`{other}` is no stream"));
                return Err(refused.help("there are out and err; both where none is named"));
            }
        };
        let whole = asked.tail == u64::MAX;
        let tail = if whole { 0 } else { usize::try_from(asked.tail).unwrap_or(usize::MAX) };
        let ranges = choice::tasks(jobs::row(&self.0.board.read(), asked.job)?, &asked.tasks)?;
        let wanted = Wanted { job: asked.job, stream, tail, whole };
        let (emit, streamed) = emit::stream(leave.permit);
        let service = self.clone();
        tokio::spawn(async move {
            let told = give(&service.0, &wanted, &ranges, asked.follow, &emit).await;
            if let Err(refused) = told {
                emit.fail(refused).await;
            }
        });
        Ok(streamed)
    }
}

async fn give(
    inner: &Inner,
    wanted: &Wanted,
    ranges: &[TaskRange],
    follow: bool,
    emit: &Emit<LogChunk>,
) -> Result<(), Refused> {
    let mut changes = inner.board.changes();
    let mut elsewhere = Elsewhere::new(inner, ranges);
    let mut told = elsewhere.ask(false);
    while let Some(one) = elsewhere.next().await {
        told.push(one);
    }
    if note(told, emit).await.is_err() {
        return Ok(());
    }
    changes.mark_unchanged();
    let mut open: BTreeMap<TaskId, Cursor> = BTreeMap::new();
    // What tasks printed that is with members which are away.
    let mut late: Vec<Found> = Vec::new();
    for part in parts(ranges) {
        let (found, unended) = inner.first_look(wanted, part, follow)?;
        if show(inner, found, follow.then_some(&mut late), emit).await?.is_err() {
            return Ok(());
        }
        open.extend(unended);
        if open.len() + late.len() > FOLLOWED_MAX {
            let title = format!("more than {FOLLOWED_MAX} tasks have not ended");
            return Err(Refused::new(Kind::TooLarge, title).help("name those to follow"));
        }
    }
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut again = tokio::time::interval(AWAY_LOOK);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !open.is_empty() || !late.is_empty() {
        let mut told = Vec::new();
        let mut found = Vec::new();
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return Ok(()) },
            Some(one) = elsewhere.next() => told.push(one),
            // Who holds the tasks changes without that any of them prints.
            _ = look.tick(), if elsewhere.is_possible() => {}
            _ = again.tick(), if !late.is_empty() => found.append(&mut late),
            () = emit.closed() => return Ok(()),
        }
        changes.mark_unchanged();
        let (new, behind) = inner.look_again(wanted, &mut open)?;
        found.extend(new);
        if show(inner, found, Some(&mut late), emit).await?.is_err() {
            return Ok(());
        }
        // Whoever reads slowly is told no more until he has read what there was.
        told.extend(elsewhere.ask(true));
        if fell_behind(behind, emit).await.is_err() || note(told, emit).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Says of which tasks the reader is behind.
async fn fell_behind(tasks: Vec<String>, emit: &Emit<LogChunk>) -> Result<(), Gone> {
    for task in tasks {
        let note = format!(
            "task {task} printed more than is kept while it runs (limit tail_bytes_max); the rest \
             is shown once it has ended"
        );
        emit.give(LogChunk { note, ..LogChunk::default() }).await?;
    }
    Ok(())
}

/// Says of which members it is not known what tasks print there.
async fn note(told: Vec<Told>, emit: &Emit<LogChunk>) -> Result<(), Gone> {
    for one in told {
        let Told::Trouble(words) = one else { continue };
        let note = format!("{words}; it is shown once the task has ended, or runs elsewhere");
        emit.give(LogChunk { note, ..LogChunk::default() }).await?;
    }
    Ok(())
}

/// So many bytes at the end; all where that is 0.
fn last(bytes: Bytes, tail: usize) -> Bytes {
    if tail == 0 { bytes } else { bytes.slice(bytes.len().saturating_sub(tail)..) }
}

impl Inner {
    /// What tasks have printed so far, and those that are to be followed.
    fn first_look(
        &self,
        wanted: &Wanted,
        range: TaskRange,
        follow: bool,
    ) -> Result<(Vec<Found>, BTreeMap<TaskId, Cursor>), Refused> {
        let books = self.board.read();
        let detail = choice::detail(jobs::row(&books, wanted.job)?)?;
        let (mut found, mut open) = (Vec::new(), BTreeMap::new());
        for task in range.tasks() {
            if let Some(ended) = ended(detail, task, wanted, None) {
                found.extend(ended);
                continue;
            }
            let mut cursor = Cursor::default();
            if let Some(tail) = books.tails.of(task) {
                cursor = Cursor::at(tail, wanted);
                let mut pieces = match tail.first() > cursor.next {
                    // It is seen at the next look, and said, that the beginning is not at hand.
                    true if follow => Vec::new(),
                    _ => cursor.take(tail.from(0), wanted),
                };
                if wanted.tail > 0 {
                    pieces = ends_of(pieces, wanted.tail);
                }
                found.push(found_in(detail.roster.name(task), tail, pieces));
            }
            if follow {
                open.insert(task, cursor);
            }
        }
        Ok((found, open))
    }

    /// What is new of the tasks that are followed, and of which the reader has just fallen behind;
    /// those that have ended are followed no longer.
    fn look_again(
        &self,
        wanted: &Wanted,
        open: &mut BTreeMap<TaskId, Cursor>,
    ) -> Result<(Vec<Found>, Vec<String>), Refused> {
        let books = self.board.read();
        if books.over.is_some() {
            drop(books);
            return Err(self.stopped());
        }
        let detail = choice::detail(jobs::row(&books, wanted.job)?)?;
        let (mut found, mut behind) = (Vec::new(), Vec::new());
        open.retain(|&task, cursor| {
            if let Some(ended) = ended(detail, task, wanted, Some(*cursor)) {
                found.extend(ended);
                return false;
            }
            let Some(tail) = books.tails.of(task) else {
                *cursor = Cursor::default();
                return true;
            };
            if tail.number != cursor.tail {
                *cursor = Cursor::at(tail, wanted);
            }
            if cursor.is_behind {
                return true;
            }
            if tail.first() > cursor.next {
                cursor.is_behind = true;
                behind.push(detail.roster.name(task));
                return true;
            }
            let pieces = cursor.take(tail.from(cursor.next), wanted);
            if !pieces.is_empty() {
                found.push(found_in(detail.roster.name(task), tail, pieces));
            }
            true
        });
        Ok((found, behind))
    }
}

impl Cursor {
    /// Before the first piece of an attempt: of those that are kept, or that there were.
    fn at(tail: &Tail, wanted: &Wanted) -> Self {
        let begun = Self { attempt: tail.attempt, tail: tail.number, ..Self::default() };
        if wanted.whole {
            return begun;
        }
        let (out, err) = tail.bytes_before();
        Self { next: tail.first(), out, err, ..begun }
    }

    /// Goes on behind some pieces. Those of the stream that is wanted.
    fn take<'a>(
        &mut self,
        pieces: impl Iterator<Item = &'a (Stream, Bytes)>,
        wanted: &Wanted,
    ) -> Vec<(Stream, Bytes)> {
        let mut taken = Vec::new();
        for (stream, bytes) in pieces {
            self.next += 1;
            match stream {
                Stream::Out => self.out += bytes.len(),
                Stream::Err => self.err += bytes.len(),
            }
            if wanted.stream.is_none_or(|only| only == *stream) {
                taken.push((*stream, bytes.clone()));
            }
        }
        taken
    }
}

/// Pieces of what a task that runs has printed.
fn found_in(name: String, tail: &Tail, pieces: Vec<(Stream, Bytes)>) -> Found {
    let parts = pieces.into_iter().map(|(stream, bytes)| (stream, Part::Piece(bytes)));
    Found::new(name, tail.attempt, parts)
}

/// What an ended task printed, or what of it is new to a reader who was so far: nothing is there of
/// functions, whose results are no output.
fn ended(
    detail: &Detail,
    task: TaskId,
    wanted: &Wanted,
    reader: Option<Cursor>,
) -> Option<Option<Found>> {
    let (place, piece) = detail.ends.find(task.spec, task.index)?;
    let How::Ran(ended) = &piece.how else { return Some(None) };
    let spec = detail.roster.spec(task.spec);
    let is_command = spec.is_some_and(|spec| matches!(spec.body.action, Action::Command { .. }));
    if !is_command {
        return Some(None);
    }
    let read = |payload: &Payload, had: Option<usize>| match had {
        Some(had) => had as u64,
        None if wanted.tail == 0 => 0,
        None => payload.len().saturating_sub(wanted.tail as u64),
    };
    let had = reader.map(|cursor| {
        let same = cursor.attempt == ended.attempt;
        if same { (cursor.out, cursor.err) } else { (0, 0) }
    });
    let (out, err) = (ended.results.at(place as usize), ended.stderr.clone());
    let streams = [
        (Stream::Out, read(&out, had.map(|had| had.0)), out),
        (Stream::Err, read(&err, had.map(|had| had.1)), err),
    ];
    let parts = streams.into_iter().filter(|(stream, from, payload)| {
        wanted.stream.is_none_or(|only| only == *stream) && payload.len() > *from
    });
    let parts = parts.map(|(stream, from, payload)| (stream, Part::Rest(payload, from)));
    Some(Some(Found::new(detail.roster.name(task), ended.attempt, parts)))
}

/// So many bytes at the end of some pieces.
fn ends_of(pieces: Vec<(Stream, Bytes)>, tail: usize) -> Vec<(Stream, Bytes)> {
    let mut left = tail;
    let mut kept: Vec<(Stream, Bytes)> = Vec::new();
    for (stream, bytes) in pieces.into_iter().rev() {
        if left == 0 {
            break;
        }
        let bytes = last(bytes, left);
        left -= bytes.len();
        kept.push((stream, bytes));
    }
    kept.reverse();
    kept
}
