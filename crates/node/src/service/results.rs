//! What tasks gave: read from wherever it is kept, verified there, and sent in pieces.

use std::sync::Arc;

use bary_api::problem::Refused;
use bary_api::v1::{ResultsRequest, TaskResult};
use bary_api::verb::Verb;
use bary_model::event::Ended;
use bary_model::id::{TaskId, TaskRange};
use bary_model::payload::Payload;
use bary_model::roster::Roster;
use bary_ports::store::StoreError;

use crate::board::ends::How;
use crate::service::caller::Caller;
use crate::service::emit::{self, Emit};
use crate::service::pour::{self, Poured, unread};
use crate::service::{Inner, Service, Streamed, choice, jobs};

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

    /// Sends what a task gave, in pieces, a few of which are in memory at a time; false where
    /// nobody wants it any more. With `waits`, one whose member is away is waited for.
    async fn give_one(
        &self,
        waits: bool,
        result: &TaskResult,
        payload: &Payload,
        emit: &Emit<TaskResult>,
    ) -> Result<bool, Refused> {
        let mut poured = Poured::new(self.store(), payload, 0);
        loop {
            match poured.next().await {
                Ok((data, more)) => {
                    let part = TaskResult { data, more, ..result.clone() };
                    if emit.give(part).await.is_err() {
                        return Ok(false);
                    }
                    if !more {
                        return Ok(true);
                    }
                }
                Err(StoreError::Away(_)) if waits => {
                    if !pour::wait(emit).await {
                        return Ok(false);
                    }
                    poured = Poured::new(self.store(), payload, 0);
                }
                Err(error) => {
                    let what = format!("the result of task {}/{}", result.job, result.name);
                    return Err(unread(&what, &error));
                }
            }
        }
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
