//! Many submissions on one stream. Answers and outcomes come back on it as they are folded:
//! nothing here polls, and what has come together goes out together.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{Accepted, Refused as ShownRefused, SessionReply, SessionRequest, TaskResult};
use bary_api::verb::Verb;
use bary_engine::input::Reply;
use bary_identity::audit::Outcome;
use bary_model::id::JobNo;
use bary_model::payload::Payload;
use bary_ports::store::StoreError;
use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamExt;

use crate::audit::Need;
use crate::board::books::Books;
use crate::board::watchers::{Note, Sink};
use crate::board::{Asked, Board};
use crate::service::admit::UNKNOWN;
use crate::service::caller::Caller;
use crate::service::chunks;
use crate::service::emit::{self, Emit, Gone};
use crate::service::pour::{self, Poured, unread};
use crate::service::submit::Wanted;
use crate::service::{Inner, Service, Streamed, refusal, results};

/// How many submissions of one session wait for their answers; more are not read until then.
const SUBMISSIONS_MAX: usize = 4_096;
/// How many notes go into one answer at most.
const NOTES_AT_ONCE: usize = 1_024;
/// How many outcomes, and how many bytes of results, one message has at most.
const OUTCOMES_AT_ONCE: usize = 4_096;
const BYTES_AT_ONCE: usize = 1 << 20;

/// What a session has under way.
struct Talk<'a> {
    service: &'a Service,
    inner: &'a Inner,
    caller: &'a Caller,
    sink: Sink,
    /// Submissions without an answer.
    asked: BTreeMap<u64, Waiting>,
    /// Jobs of which outcomes are still to come.
    open: BTreeSet<JobNo>,
    reply: SessionReply,
    bytes: usize,
}

/// A submission without an answer.
struct Waiting {
    name: String,
    tasks: u64,
    /// Whether the outcomes of its tasks are wanted.
    outcomes: bool,
}

impl Service {
    /// Many submissions on one stream, answered in any order; outcomes come back on it too. It
    /// ends when the caller has ended its side and all has been told.
    ///
    /// # Errors
    /// Where the caller may not submit. A caller that does not read what comes back gets an error
    /// last; what was accepted goes on.
    pub async fn session(
        &self,
        caller: &Caller,
        requests: Streamed<SessionRequest>,
    ) -> Result<Streamed<SessionReply>, Refused> {
        let leave = self.admit(caller, Verb::Session, "")?;
        let (emit, streamed) = emit::stream(leave.begun()?);
        let (service, caller) = (self.clone(), caller.clone());
        tokio::spawn(async move {
            let (sink, notes) = Sink::new(service.0.limits.session_outcomes_max);
            let talk = Talk {
                service: &service,
                inner: &service.0,
                caller: &caller,
                sink,
                asked: BTreeMap::new(),
                open: BTreeSet::new(),
                reply: SessionReply::default(),
                bytes: 0,
            };
            if let Err(refused) = talk.run(requests, notes, &emit).await {
                emit.fail(refused).await;
            }
        });
        Ok(streamed)
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        // Nobody waits for these answers any more; the submissions go on all the same.
        for Waiting { name, .. } in std::mem::take(&mut self.asked).into_values() {
            // As for other submissions.
            drop(self.inner.note(self.caller, Verb::Submit, &name, Outcome::Done, UNKNOWN));
        }
    }
}

/// Waits until nothing more is told.
async fn end(changes: &mut watch::Receiver<u64>, board: &Board) {
    // A board that has gone tells nothing more either.
    drop(changes.wait_for(|_| board.is_over()).await);
}

impl Talk<'_> {
    async fn run(
        mut self,
        mut requests: Streamed<SessionRequest>,
        mut notes: mpsc::Receiver<Note>,
        emit: &Emit<SessionReply>,
    ) -> Result<(), Refused> {
        let (mut heard, mut reading) = (Vec::with_capacity(NOTES_AT_ONCE), true);
        let mut changes = self.inner.board.changes();
        while reading || !self.asked.is_empty() || !self.open.is_empty() {
            let room = self.asked.len() < SUBMISSIONS_MAX;
            tokio::select! {
                biased;
                _ = notes.recv_many(&mut heard, NOTES_AT_ONCE) => {}
                request = requests.next(), if reading && room => match request {
                    Some(request) => self.on_request(request?).await,
                    None => reading = false,
                },
                () = emit.closed() => return Ok(()),
                () = end(&mut changes, &self.inner.board) => return Err(self.inner.stopped()),
            }
            if self.tell(&mut heard, emit).await?.is_err() {
                return Ok(());
            }
            if self.sink.is_cut() && notes.is_empty() {
                let title = "the session did not read its outcomes in time";
                let help = "what was accepted goes on (limit session_outcomes_max)";
                return Err(Refused::new(Kind::Full, title).help(help));
            }
        }
        Ok(())
    }

    /// Submits, or answers at once where that cannot be.
    async fn on_request(&mut self, request: SessionRequest) {
        let SessionRequest { ticket, submit, outcomes, staged } = request;
        let submit = match (submit, staged.as_str()) {
            (submit, "") => Ok(submit.unwrap_or_default()),
            (None, id) => self.service.staged(self.caller, id).await,
            (Some(_), _) => Err(Refused::new(Kind::Invalid, "give `submit` or `staged`, not both")),
        };
        let name = submit.as_ref().map_or_else(|_| staged.clone(), |submit| submit.name.clone());
        let submitted = match submit {
            Ok(submit) => {
                let submitted = self.submit(ticket, submit, outcomes).await;
                if !staged.is_empty() && !submitted.as_ref().is_err_and(chunks::may_be_repeated) {
                    self.inner.staging.remove(&self.caller.name, &staged);
                }
                submitted
            }
            Err(refused) => Err(refused),
        };
        if let Err(refused) = submitted {
            self.note(&name, Some(&refused));
            self.refuse(ticket, &refused);
        }
    }

    async fn submit(
        &mut self,
        ticket: u64,
        submit: bary_api::v1::SubmitRequest,
        outcomes: bool,
    ) -> Result<(), Refused> {
        if self.asked.contains_key(&ticket) {
            return Err(Refused::new(Kind::Conflict, format!("ticket {ticket} is in use")));
        }
        self.inner.check_open()?;
        let name = submit.name.clone();
        let Wanted { request, tasks, bytes } = self.service.wanted(self.caller, submit).await?;
        let room = self.inner.room_for(bytes).await?;
        self.inner.audit.make_sure(Need::More)?;
        self.asked.insert(ticket, Waiting { name, tasks, outcomes });
        let asked = Asked::Session { sink: self.sink.clone(), ticket, outcomes, room };
        let posted = self.inner.post(0, request, asked);
        if posted.is_err() {
            self.asked.remove(&ticket);
        }
        posted.map(drop)
    }

    /// Notes in the audit log what came of a submission.
    fn note(&self, name: &str, refused: Option<&Refused>) {
        let (outcome, reason) = match refused {
            Some(refused) => (Outcome::Refused, refused.title.as_str()),
            None => (Outcome::Done, ""),
        };
        // A log that takes no line stops the next submission, which needs one.
        drop(self.inner.note(self.caller, Verb::Submit, name, outcome, reason));
    }

    fn refuse(&mut self, ticket: u64, refused: &Refused) {
        let problem = Some(refused.problem());
        self.reply.refused.push(ShownRefused { ticket, problem });
    }

    /// Gives all that was heard, in as few messages as may be.
    async fn tell(
        &mut self,
        heard: &mut Vec<Note>,
        emit: &Emit<SessionReply>,
    ) -> Result<Result<(), Gone>, Refused> {
        let inner = self.inner;
        let mut ended = Vec::new();
        {
            let books = inner.board.read();
            for note in heard.drain(..) {
                self.on_note(note, &books, &mut ended);
            }
        }
        for (result, payload) in ended {
            if self.tell_one(&result, &payload, emit).await?.is_err() {
                return Ok(Err(Gone));
            }
        }
        let SessionReply { accepted, refused, outcomes } = &self.reply;
        if accepted.is_empty() && refused.is_empty() && outcomes.is_empty() {
            return Ok(Ok(()));
        }
        self.bytes = 0;
        Ok(emit.give(std::mem::take(&mut self.reply)).await)
    }

    /// Adds what a task gave, in pieces; what is with a member that is away is waited for.
    async fn tell_one(
        &mut self,
        result: &TaskResult,
        payload: &Payload,
        emit: &Emit<SessionReply>,
    ) -> Result<Result<(), Gone>, Refused> {
        let mut poured = Poured::new(self.inner.store(), payload, 0);
        loop {
            let (data, more) = match poured.next().await {
                Ok(piece) => piece,
                Err(StoreError::Away(_)) => {
                    if !pour::wait(emit).await {
                        return Ok(Err(Gone));
                    }
                    poured = Poured::new(self.inner.store(), payload, 0);
                    continue;
                }
                Err(error) => {
                    let what = format!("the result of task {}/{}", result.job, result.name);
                    return Err(unread(&what, &error));
                }
            };
            self.bytes += data.len();
            self.reply.outcomes.push(TaskResult { data, more, ..result.clone() });
            let outcomes = self.reply.outcomes.len();
            if outcomes >= OUTCOMES_AT_ONCE || self.bytes >= BYTES_AT_ONCE {
                self.bytes = 0;
                if emit.give(std::mem::take(&mut self.reply)).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            if !more {
                return Ok(Ok(()));
            }
        }
    }

    fn on_note(&mut self, note: Note, books: &Books, ended: &mut Vec<(TaskResult, Payload)>) {
        match note {
            Note::Replied { ticket, reply } => self.on_reply(ticket, reply),
            Note::Over(job) => {
                self.open.remove(&job);
            }
            Note::Ended(told) => {
                let roster = books.job(told.range.job).and_then(|row| row.detail.as_ref());
                let Some(detail) = roster else { return };
                let each = told.range.tasks().enumerate().map(|(place, task)| {
                    let result = results::result(&detail.roster, task, &told);
                    (result, told.results.at(place))
                });
                ended.extend(each);
            }
            Note::Dropped { range, end } => {
                let roster = books.job(range.job).and_then(|row| row.detail.as_ref());
                let Some(detail) = roster else { return };
                let each = range.tasks().map(|task| {
                    (results::plain(&detail.roster, task, end), Payload::Inline(Bytes::new()))
                });
                ended.extend(each);
            }
        }
    }

    fn on_reply(&mut self, ticket: u64, reply: Reply) {
        let Some(Waiting { name, tasks, outcomes }) = self.asked.remove(&ticket) else { return };
        match reply {
            Reply::Accepted(job) => {
                self.note(&name, None);
                if outcomes {
                    self.open.insert(job);
                }
                let reply = Some(self.inner.accepted(job, tasks));
                self.reply.accepted.push(Accepted { ticket, reply });
            }
            Reply::Refused(refusal) => {
                let refused = refusal::told(&refusal);
                self.note(&name, Some(&refused));
                self.refuse(ticket, &refused);
            }
            Reply::Done | Reply::Over { .. } => {
                let refused = Refused::new(Kind::Internal, "the home gave the job no number");
                self.note(&name, Some(&refused));
                self.refuse(ticket, &refused);
            }
        }
    }
}
