//! Many submissions on one stream: each is answered when it is, and outcomes come back on it too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bary_api::chunks;
use bary_api::problem::Refused;
use bary_api::v1::{SessionReply, SessionRequest, SubmitReply, SubmitRequest, TaskResult};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::call::CallError;
use crate::chunked::WHOLE_BYTES_MAX;
use crate::client::Client;
use crate::streamed::Streamed;

/// A stream of submissions. Clones share it; it ends when the last one is dropped and every
/// answer has come.
#[derive(Clone, Debug)]
pub struct Session {
    requests: mpsc::Sender<SessionRequest>,
    desk: Arc<Mutex<Desk>>,
    client: Client,
}

/// A submission that was accepted, with its outcomes as they come.
#[derive(Debug)]
pub struct Accepted {
    /// What the node promised.
    pub reply: SubmitReply,
    outcomes: mpsc::Receiver<TaskResult>,
}

/// How many submissions may wait for the connection; past it the caller waits.
pub const SESSION_QUEUE_MAX: usize = 1_024;
/// How many outcomes of one job may lie unread. Past it the session reads no more, not even
/// answers, until one of them is taken.
pub const OUTCOMES_UNREAD_MAX: usize = 16_384;

/// Who waits for what.
#[derive(Debug, Default)]
struct Desk {
    ticket: u64,
    waiting: HashMap<u64, Waiting>,
    /// Whom outcomes of a job go to, and how many are still to come.
    listening: HashMap<u32, Listening>,
    /// Why no more answers come, once that is so.
    over: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Result<SubmitReply, Refused>>,
    outcomes: Option<mpsc::Sender<TaskResult>>,
}

#[derive(Debug)]
struct Listening {
    outcomes: mpsc::Sender<TaskResult>,
    left: u64,
}

impl Client {
    /// Opens a stream for many submissions. Needs an operator, and runs a task of the runtime.
    ///
    /// # Errors
    /// Where the node cannot be asked or refuses it.
    pub async fn session(&self) -> Result<Session, CallError> {
        let (requests, queue) = mpsc::channel(SESSION_QUEUE_MAX);
        // Without a deadline: the stream lasts as long as it is wanted.
        let replies = self.pieces(self.node().session(ReceiverStream::new(queue)).await)?;
        let desk = Arc::new(Mutex::new(Desk::default()));
        drop(tokio::spawn(read(replies, Arc::clone(&desk))));
        Ok(Session { requests, desk, client: self.clone() })
    }
}

impl Session {
    /// Submits a job; one of more than [`WHOLE_BYTES_MAX`] goes in chunks, as by
    /// [`Client::submit`], and only its end on the stream. Several may be under way at a time.
    ///
    /// # Errors
    /// Where the job is refused, or the stream has ended: nobody knows then whether the node took
    /// it, and with an idempotency key it may be repeated.
    pub async fn submit(
        &self,
        submission: impl Into<SubmitRequest>,
    ) -> Result<SubmitReply, CallError> {
        self.send(submission.into(), None).await
    }

    /// Submits a job whose outcomes are wanted too.
    ///
    /// # Errors
    /// As [`Session::submit`].
    ///
    /// The outcomes have to be read: see [`OUTCOMES_UNREAD_MAX`].
    pub async fn run(&self, submission: impl Into<SubmitRequest>) -> Result<Accepted, CallError> {
        let (sender, outcomes) = mpsc::channel(OUTCOMES_UNREAD_MAX);
        let reply = self.send(submission.into(), Some(sender)).await?;
        Ok(Accepted { reply, outcomes })
    }

    async fn send(
        &self,
        submit: SubmitRequest,
        outcomes: Option<mpsc::Sender<TaskResult>>,
    ) -> Result<SubmitReply, CallError> {
        let wants = outcomes.is_some();
        let (submit, staged) = match chunks::bytes(&submit) {
            0..=WHOLE_BYTES_MAX => (Some(submit), String::new()),
            _ => (None, self.client.stage(submit).await?),
        };
        let (answer, answered) = oneshot::channel();
        let ticket = self.desk().enter(Waiting { answer, outcomes }).map_err(|w| self.broken(w))?;
        let request = SessionRequest { ticket, submit, outcomes: wants, staged };
        if self.requests.send(request).await.is_err() {
            return Err(self.broken(self.why()));
        }
        match answered.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(self.broken(self.why())),
        }
    }

    fn broken(&self, why: String) -> CallError {
        CallError::Broken { address: self.client.address().clone(), why }
    }

    fn why(&self) -> String {
        self.desk().over.clone().unwrap_or_else(|| ENDED.to_owned())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }
}

const ENDED: &str = "the node ended the session";

impl Accepted {
    /// The next outcome, in the order in which tasks end; none after the last, or when the session
    /// ended before it: count them where that matters.
    pub async fn next(&mut self) -> Option<TaskResult> {
        self.outcomes.recv().await
    }
}

/// Reads answers until there are no more.
async fn read(mut replies: Streamed<SessionReply>, desk: Arc<Mutex<Desk>>) {
    let why = loop {
        let mut reply = match replies.next().await {
            Ok(Some(reply)) => reply,
            Ok(None) => break ENDED.to_owned(),
            Err(error) => break error.to_string(),
        };
        let outcomes = std::mem::take(&mut reply.outcomes);
        lock(&desk).take(reply);
        for outcome in outcomes {
            let listener = lock(&desk).listener(&outcome);
            if let Some(listener) = listener {
                // Who no longer listens has dropped the other end.
                drop(listener.send(outcome).await);
            }
        }
    };
    lock(&desk).end(why);
}

/// What one who panicked left is still in order: every change is a single step.
fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A number for one who waits; why nobody answers, where that is so.
    fn enter(&mut self, waiting: Waiting) -> Result<u64, String> {
        if let Some(why) = &self.over {
            return Err(why.clone());
        }
        self.ticket += 1;
        self.waiting.insert(self.ticket, waiting);
        Ok(self.ticket)
    }

    fn take(&mut self, reply: SessionReply) {
        for accepted in reply.accepted {
            let Some(waiting) = self.waiting.remove(&accepted.ticket) else { continue };
            let reply = accepted.reply.unwrap_or_default();
            if let (Some(outcomes), true) = (waiting.outcomes, reply.tasks > 0) {
                self.listening.insert(reply.job, Listening { outcomes, left: reply.tasks });
            }
            // Who no longer waits has dropped the other end.
            drop(waiting.answer.send(Ok(reply)));
        }
        for refused in reply.refused {
            let Some(waiting) = self.waiting.remove(&refused.ticket) else { continue };
            let problem = refused.problem.unwrap_or_default();
            drop(waiting.answer.send(Err(Refused::of_problem(problem))));
        }
    }

    /// Whom an outcome goes to.
    fn listener(&mut self, outcome: &TaskResult) -> Option<mpsc::Sender<TaskResult>> {
        let listening = self.listening.get_mut(&outcome.job)?;
        if outcome.more {
            return Some(listening.outcomes.clone());
        }
        listening.left -= 1;
        match listening.left {
            0 => self.listening.remove(&outcome.job).map(|listening| listening.outcomes),
            _ => Some(listening.outcomes.clone()),
        }
    }

    /// Lets all who wait know that nothing more comes.
    fn end(&mut self, why: String) {
        self.over = Some(why);
        self.waiting.clear();
        self.listening.clear();
    }
}
