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
use crate::service::results::pieces;
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
}

/// What is there to be given of one task.
struct Found {
    name: String,
    attempt: u16,
    what: Output,
}

enum Output {
    /// All of it: what it printed to its output, and to the other stream.
    Whole(Payload, Payload),
    /// Pieces of it, since it was looked at last.
    Pieces(Vec<(Stream, Bytes)>),
}

impl Service {
    /// What tasks print, in pieces.
    ///
    /// # Errors
    /// Where the job or a task is not there, or too many are followed. A reader that falls behind
    /// gets an error last.
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
        let tail = usize::try_from(asked.tail).unwrap_or(usize::MAX);
        let ranges = choice::tasks(jobs::row(&self.0.board.read(), asked.job)?, &asked.tasks)?;
        let wanted = Wanted { job: asked.job, stream, tail };
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
    for part in parts(ranges) {
        let (found, unended) = inner.first_look(wanted, part, follow)?;
        for found in found {
            if show(inner, wanted, found, wanted.tail, Cursor::default(), emit).await?.is_err() {
                return Ok(());
            }
        }
        open.extend(unended);
        if open.len() > FOLLOWED_MAX {
            let title = format!("more than {FOLLOWED_MAX} tasks have not ended");
            return Err(Refused::new(Kind::TooLarge, title).help("name those to follow"));
        }
    }
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !open.is_empty() {
        let mut told = Vec::new();
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return Ok(()) },
            Some(one) = elsewhere.next() => told.push(one),
            // Who holds the tasks changes without that any of them prints.
            _ = look.tick(), if elsewhere.is_possible() => {}
            () = emit.closed() => return Ok(()),
        }
        changes.mark_unchanged();
        for (found, before) in inner.look_again(wanted, &mut open)? {
            if show(inner, wanted, found, 0, before, emit).await?.is_err() {
                return Ok(());
            }
        }
        // Whoever reads slowly is told no more until he has read what there was.
        told.extend(elsewhere.ask(true));
        if note(told, emit).await.is_err() {
            return Ok(());
        }
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

/// Gives what was found of a task; of all that it printed only what was not given before.
async fn show(
    inner: &Inner,
    wanted: &Wanted,
    found: Found,
    tail: usize,
    before: Cursor,
    emit: &Emit<LogChunk>,
) -> Result<Result<(), Gone>, Refused> {
    let Found { name, attempt, what } = found;
    let mut given: Vec<(Stream, Bytes)> = Vec::new();
    match what {
        Output::Whole(out, err) => {
            let same = before.attempt == attempt;
            for (stream, payload, had) in
                [(Stream::Out, out, before.out), (Stream::Err, err, before.err)]
            {
                if wanted.stream.is_none_or(|only| only == stream) && !payload.is_empty() {
                    let bytes = inner.bytes(&payload).await?;
                    let skipped = if same { had.min(bytes.len()) } else { 0 };
                    given.push((stream, last(bytes.slice(skipped..), tail)));
                }
            }
        }
        Output::Pieces(pieces) => given = pieces,
    }
    for (stream, bytes) in given.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let stream = match stream {
            Stream::Out => "out",
            Stream::Err => "err",
        };
        for (data, _) in pieces(bytes) {
            let (task, stream) = (name.clone(), stream.to_owned());
            let attempt = attempt.into();
            let chunk = LogChunk { task, attempt, stream, data, ..LogChunk::default() };
            if emit.give(chunk).await.is_err() {
                return Ok(Err(Gone));
            }
        }
    }
    Ok(Ok(()))
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
            if let Some(ended) = ended(detail, task) {
                found.extend(ended);
                continue;
            }
            let mut cursor = Cursor::default();
            if let Some(tail) = books.tails.of(task) {
                cursor = Cursor::at(tail);
                let mut pieces = cursor.take(tail.from(0), wanted);
                if wanted.tail > 0 {
                    pieces = ends_of(pieces, wanted.tail);
                }
                let (name, attempt) = (detail.roster.name(task), tail.attempt);
                found.push(Found { name, attempt, what: Output::Pieces(pieces) });
            }
            if follow {
                open.insert(task, cursor);
            }
        }
        Ok((found, open))
    }

    /// What is new of the tasks that are followed, with how far each had been read; those that
    /// have ended are followed no longer.
    fn look_again(
        &self,
        wanted: &Wanted,
        open: &mut BTreeMap<TaskId, Cursor>,
    ) -> Result<Vec<(Found, Cursor)>, Refused> {
        let books = self.board.read();
        if books.over.is_some() {
            drop(books);
            return Err(self.stopped());
        }
        let detail = choice::detail(jobs::row(&books, wanted.job)?)?;
        let (mut found, mut lost) = (Vec::new(), None);
        open.retain(|&task, cursor| {
            if let Some(ended) = ended(detail, task) {
                found.extend(ended.map(|ended| (ended, *cursor)));
                return false;
            }
            let Some(tail) = books.tails.of(task) else {
                *cursor = Cursor::default();
                return true;
            };
            if tail.number != cursor.tail {
                *cursor = Cursor::at(tail);
            }
            if tail.first() > cursor.next {
                lost = Some(task);
            }
            let before = *cursor;
            let pieces = cursor.take(tail.from(cursor.next), wanted);
            if !pieces.is_empty() {
                let (name, attempt) = (detail.roster.name(task), tail.attempt);
                found.push((Found { name, attempt, what: Output::Pieces(pieces) }, before));
            }
            true
        });
        match lost {
            None => Ok(found),
            Some(task) => {
                let name = detail.roster.name(task);
                let title = format!("the reader fell behind the output of task {name}");
                let help = "all of it can be read when the task has ended (limit tail_bytes_max)";
                Err(Refused::new(Kind::Full, title).help(help))
            }
        }
    }
}

impl Cursor {
    /// Before the first piece that is kept of an attempt.
    fn at(tail: &Tail) -> Self {
        let (out, err) = tail.bytes_before();
        Self { attempt: tail.attempt, tail: tail.number, next: tail.first(), out, err }
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

/// What an ended task printed: nothing is there of functions, whose results are no output.
fn ended(detail: &Detail, task: TaskId) -> Option<Option<Found>> {
    let (place, piece) = detail.ends.find(task.spec, task.index)?;
    let How::Ran(ended) = &piece.how else { return Some(None) };
    let spec = detail.roster.spec(task.spec);
    let is_command = spec.is_some_and(|spec| matches!(spec.body.action, Action::Command { .. }));
    if !is_command {
        return Some(None);
    }
    let what = Output::Whole(ended.results.at(place as usize), ended.stderr.clone());
    Some(Some(Found { name: detail.roster.name(task), attempt: ended.attempt, what }))
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
