//! Asking the home: a request goes in under a ticket, and its answer comes back among the news,
//! when everything that it brought about can be read on the board.

use std::sync::atomic::Ordering;

use bary_api::problem::{Kind, Refused};
use bary_engine::input::{Refusal, Reply, Request};
use bary_model::id::JobNo;
use tokio::sync::oneshot;

use crate::board::{Asked, Room};
use crate::replicas::journal::DEPOSED;
use crate::service::{Ending, Inner, Service, jobs, refusal};

impl Service {
    /// Passes through the home: all that it had acknowledged before can be read on the board then.
    ///
    /// # Errors
    /// Where it does not answer.
    pub(crate) async fn pass_home(&self) -> Result<(), Refused> {
        self.0.cluster.confirm().await?;
        // Whatever it answers, it has looked at what is true, and changed nothing.
        match self.0.ask(Request::Repeat(NOBODYS_KEY)).await {
            Err(refused) if refused.kind != Kind::NotFound => Err(refused),
            _ => Ok(()),
        }
    }
}

/// Seconds after which a member whose shard another has taken over may have it again.
const DEPOSED_SECONDS: f64 = 1.0;

/// A key under which nothing was submitted.
const NOBODYS_KEY: u128 = 0;

impl Inner {
    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    /// Where it was refused; where no answer came in time it may still be done.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Refused> {
        self.ask_in(0, request, None).await
    }

    /// As [`Inner::ask`], of the node of this number.
    pub(super) async fn ask_node(&self, node: usize, request: Request) -> Result<Reply, Refused> {
        self.ask_in(node, request, None).await
    }

    /// The room is given back with the answer.
    pub(super) async fn ask_in(
        &self,
        node: usize,
        request: Request,
        room: Option<Room>,
    ) -> Result<Reply, Refused> {
        let (answer, answered) = oneshot::channel();
        let ticket = self.post(node, request, Asked::Once(answer, room))?;
        match tokio::time::timeout(self.limits.request_timeout, answered).await {
            Ok(Ok(Reply::Refused(Refusal::NoSuchJob(job)))) => {
                Err(jobs::unknown(jobs::shown_no(job), &self.board.read().home))
            }
            Ok(Ok(Reply::Refused(refusal))) => Err(refusal::told(&refusal)),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.stopped()),
            Err(_) => {
                self.board.expect_no_more(ticket);
                let title = "the node did not answer in time (limit request_timeout)";
                Err(Refused::new(Kind::TimedOut, title).help("it may still be done: look again"))
            }
        }
    }

    /// Asks for something; the answer goes where `asked` says. While everything waits for space on
    /// the disk, what would take more of it is refused at once: its answer would wait too.
    pub(super) fn post(&self, node: usize, request: Request, asked: Asked) -> Result<u64, Refused> {
        if adds(&request) && self.board.is_stuck() {
            return Err(refusal::told(&Refusal::NoRoom));
        }
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.board.expect(ticket, asked);
        if self.cluster.ask_node(node, ticket, request).is_err() {
            self.board.expect_no_more(ticket);
            return Err(self.stopped());
        }
        Ok(ticket)
    }

    /// As [`Inner::ask`], for a request that is answered by a job's number.
    pub(super) async fn ask_for_job(
        &self,
        request: Request,
        room: Option<Room>,
    ) -> Result<JobNo, Refused> {
        match self.ask_in(0, request, room).await? {
            Reply::Accepted(job) => Ok(job),
            Reply::Done | Reply::Over { .. } | Reply::Refused(_) => {
                Err(Refused::new(Kind::Internal, "the home gave the job no number"))
            }
        }
    }

    /// Why nothing is done any more.
    pub(super) fn stopped(&self) -> Refused {
        let why = self.board.read().over.clone();
        let why = why.unwrap_or_else(|| "the node is stopping".into());
        let ending = self.ending.borrow().clone();
        if &*why == DEPOSED || matches!(ending, Some(Ending::Failed(why)) if &*why == DEPOSED) {
            let help = "it may have been done; this member comes again by itself: ask again then";
            let refused = Refused::new(Kind::Unavailable, DEPOSED);
            return refused.help(help).retry_after(DEPOSED_SECONDS);
        }
        Refused::new(Kind::Unavailable, why).help("start it again: bary up")
    }
}

/// Whether a request brings tasks.
fn adds(request: &Request) -> bool {
    matches!(request, Request::Submit(_) | Request::SubmitAfter { .. } | Request::Extend { .. })
}
