//! What tasks gave: read from wherever it is kept, verified there, and sent in pieces.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{ResultsRequest, TaskResult};
use bary_api::verb::Verb;
use bary_model::event::Ended;
use bary_model::id::{TaskId, TaskRange};
use bary_model::payload::Payload;
use bary_model::roster::Roster;
use bary_ports::store::StoreError;
use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::board::ends::How;
use crate::service::caller::Caller;
use crate::service::emit::{self, Emit};
use crate::service::{Inner, Service, Streamed, choice, jobs, tokens};

/// The most bytes of one piece.
const PIECE_BYTES: usize = 256 << 10;
/// How many pieces wait for whoever reads.
const PIECES_AHEAD_MAX: usize = 2;
/// How often it is looked whether a member is there again that a reader waits for.
const AWAY_LOOK: Duration = Duration::from_secs(1);
/// After how many seconds it makes sense to ask again for what a member keeps that is away.
const AWAY_RETRY_SECONDS: f64 = 5.0;
/// How many tasks are looked at before the board goes on.
const AT_ONCE: u32 = 256;

impl Service {
    /// What tasks gave, in the order of their numbers.
    ///
    /// # Errors
    /// Where the job or a task is not there. A result that cannot be read ends the stream with an
    /// error.
    pub async fn results(
        &self,
        caller: &Caller,
        asked: ResultsRequest,
    ) -> Result<Streamed<TaskResult>, Refused> {
        let leave = self.admit(caller, Verb::Results, format!("job {}", asked.job))?;
        let ranges = choice::tasks(jobs::row(&self.0.board.read(), asked.job)?, &asked.tasks)?;
        let (emit, streamed) = emit::stream(leave.permit);
        let service = self.clone();
        tokio::spawn(async move {
            if let Err(refused) = give(&service.0, &asked, ranges, &emit).await {
                emit.fail(refused).await;
            }
        });
        Ok(streamed)
    }
}

async fn give(
    inner: &Inner,
    asked: &ResultsRequest,
    ranges: Vec<TaskRange>,
    emit: &Emit<TaskResult>,
) -> Result<(), Refused> {
    let mut changes = inner.board.changes();
    for range in ranges {
        let mut next = range.first;
        while next < range.end() {
            changes.mark_unchanged();
            let count = AT_ONCE.min(range.end() - next);
            let (found, looked, over) = inner.ended(asked, range.with(next, count))?;
            for (result, payload) in found {
                if !inner.give_one(asked.follow, &result, &payload, emit).await? {
                    return Ok(());
                }
            }
            next += looked;
            if looked < count && over {
                return Err(inner.stopped());
            }
            if looked < count {
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return Ok(()) },
                    () = emit.closed() => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

/// A result that is still to be read.
type Found = (TaskResult, Payload);

impl Inner {
    /// The results of ended tasks of a range, up to the first that has to be waited for; how many
    /// tasks that is, and whether nothing more will be told.
    fn ended(
        &self,
        asked: &ResultsRequest,
        range: TaskRange,
    ) -> Result<(Vec<Found>, u32, bool), Refused> {
        let books = self.board.read();
        let detail = choice::detail(jobs::row(&books, asked.job)?)?;
        let (mut found, mut looked) = (Vec::new(), 0);
        for task in range.tasks() {
            match detail.ends.find(task.spec, task.index) {
                Some((place, piece)) => found.push(ended(&detail.roster, task, place, &piece.how)),
                None if asked.follow => break,
                None => {}
            }
            looked += 1;
        }
        Ok((found, looked, books.over.is_some()))
    }

    /// The bytes of a payload; what is in a file is read by a thread that may wait for it.
    pub(super) async fn bytes(&self, payload: &Payload) -> Result<Bytes, Refused> {
        let (Payload::Stored(_) | Payload::Kept(_), store) = (payload, self.store()) else {
            return Ok(match payload {
                Payload::Inline(bytes) => bytes.clone(),
                _ => Bytes::new(),
            });
        };
        let payload = payload.clone();
        let read = spawn_blocking(move || store.read(&payload)).await.map_err(tokens::broken)?;
        read.map_err(|error| unread("a result", &error))
    }

    /// As [`Inner::bytes`], once the member is there that has them; none where nobody wants them
    /// any more.
    pub(super) async fn awaited_bytes<T>(
        &self,
        payload: &Payload,
        emit: &Emit<T>,
    ) -> Result<Option<Bytes>, Refused> {
        loop {
            match self.bytes(payload).await {
                Err(refused) if refused.kind == Kind::Unavailable => {
                    tokio::select! {
                        () = tokio::time::sleep(AWAY_LOOK) => {}
                        () = emit.closed() => return Ok(None),
                    }
                }
                read => return read.map(Some),
            }
        }
    }

    /// Sends what a task gave, in pieces, a few of which are in memory at a time; false where
    /// nobody wants it any more. With `waits`, one whose member is away is waited for.
    async fn give_one(
        &self,
        waits: bool,
        result: &TaskResult,
        payload: &Payload,
        emit: &Emit<TaskResult>,
    ) -> Result<bool, Refused> {
        if let Payload::Empty | Payload::Inline(_) = payload {
            let data = self.bytes(payload).await?;
            return Ok(emit.give(TaskResult { data, ..result.clone() }).await.is_ok());
        }
        loop {
            let (into, mut coming) = mpsc::channel(PIECES_AHEAD_MAX);
            let (store, payload) = (self.store(), payload.clone());
            let read = spawn_blocking(move || {
                let mut pieces = Pieces { into, piece: BytesMut::new() };
                store.read_payload_to(&payload, &mut pieces).map(|()| pieces.piece.freeze())
            });
            while let Some(data) = coming.recv().await {
                let part = TaskResult { data, more: true, ..result.clone() };
                if emit.give(part).await.is_err() {
                    return Ok(false);
                }
            }
            match read.await.map_err(tokens::broken)? {
                Ok(data) => {
                    let last = TaskResult { data, more: false, ..result.clone() };
                    return Ok(emit.give(last).await.is_ok());
                }
                // Nothing is given of what is not wholly here.
                Err(StoreError::Away(_)) if waits => {
                    tokio::select! {
                        () = tokio::time::sleep(AWAY_LOOK) => {}
                        () = emit.closed() => return Ok(false),
                    }
                }
                Err(error) => {
                    let what = format!("the result of task {}/{}", result.job, result.name);
                    return Err(unread(&what, &error));
                }
            }
        }
    }
}

/// Why something that a task gave is not read.
fn unread(what: &str, error: &StoreError) -> Refused {
    match error {
        StoreError::Away(why) => Refused {
            help: "try again when that member is there; --follow waits for it".to_owned(),
            retry_after: Some(AWAY_RETRY_SECONDS),
            ..Refused::new(Kind::Unavailable, format!("{what} cannot be read now: {why}"))
        },
        error => Refused::new(Kind::NotFound, format!("{what} is lost: {error}")),
    }
}

/// Takes bytes in, and hands on those that make whole pieces. What is left is the last one.
struct Pieces {
    into: mpsc::Sender<Bytes>,
    piece: BytesMut,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE_BYTES {
            let whole = std::mem::take(&mut self.piece).freeze();
            self.into.blocking_send(whole).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        if self.piece.capacity() == 0 && bytes.len() + self.piece.len() > Payload::INLINE_MAX {
            self.piece.reserve(PIECE_BYTES);
        }
        let most = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ended(roster: &Roster, task: TaskId, place: u32, how: &How) -> Found {
    match how {
        How::Ran(ended) => (result(roster, task, ended), ended.results.at(place as usize)),
        How::Dropped(_) | How::Known(_) => (plain(roster, task, how.name()), Payload::Empty),
    }
}

/// A task that ended, without what it gave.
pub(super) fn result(roster: &Roster, task: TaskId, ended: &Arc<Ended>) -> TaskResult {
    let error = ended.end.failure().map(ToString::to_string).unwrap_or_default();
    TaskResult { exit: ended.end.code(), error, ..plain(roster, task, ended.end.name()) }
}

/// A task that ended in a way, without anything else.
pub(super) fn plain(roster: &Roster, task: TaskId, state: &str) -> TaskResult {
    TaskResult {
        job: jobs::shown_no(task.job),
        number: roster.number(task),
        name: roster.name(task),
        state: state.to_owned(),
        ..TaskResult::default()
    }
}

/// Bytes in pieces, each with whether more follow; at least one.
pub(super) fn pieces(mut bytes: Bytes) -> Vec<(Bytes, bool)> {
    let mut pieces = Vec::new();
    while bytes.len() > PIECE_BYTES {
        pieces.push((bytes.split_to(PIECE_BYTES), true));
    }
    pieces.push((bytes, false));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_in_pieces_of_which_the_last_says_so() {
        let told = |count| {
            let pieces = pieces(Bytes::from(vec![7; count]));
            pieces.iter().map(|(bytes, more)| (bytes.len(), *more)).collect::<Vec<_>>()
        };
        assert_eq!(told(0), [(0, false)]);
        assert_eq!(told(PIECE_BYTES), [(PIECE_BYTES, false)]);
        assert_eq!(told(PIECE_BYTES + 1), [(PIECE_BYTES, true), (1, false)]);
    }
}
