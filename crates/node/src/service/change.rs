//! Steering jobs: close, cancel, hold, release, priority, retry, prune.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{CancelRequest, ChangedReply, JobsRequest, PruneRequest, SetPriorityRequest};
use bary_api::verb::Verb;
use bary_engine::input::{Reply, Request};
use bary_model::id::JobNo;
use bary_model::outcome::Stopped;
use bary_model::time::Span;

use crate::board::job::JobRow;
use crate::service::caller::Caller;
use crate::service::{Inner, Service, jobs};

impl Service {
    /// Says that no more tasks will be added to jobs.
    ///
    /// # Errors
    /// Where one is not there or not open; those before it are closed by then.
    pub async fn close(
        &self,
        caller: &Caller,
        asked: JobsRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit_why(caller, Verb::Close, numbers(&asked.jobs), &asked.reason)?;
        leave.settle(self.0.change(&asked.jobs, Request::Close).await)
    }

    /// Ends jobs: what waits does not run, and what runs is stopped unless it is left to its end.
    ///
    /// # Errors
    /// Where one is not there; nothing is changed then.
    pub async fn cancel(
        &self,
        caller: &Caller,
        asked: CancelRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit_why(caller, Verb::Cancel, numbers(&asked.jobs), &asked.reason)?;
        let (running, reason) = (!asked.keep_running, reason(&asked.reason));
        let cancel = |job| match (running, reason.clone()) {
            (true, reason) => Request::CancelRun { job, reason, ran: self.0.runs(job) },
            (false, reason) => Request::Cancel { job, running, reason },
        };
        leave.settle(self.0.change(&asked.jobs, cancel).await)
    }

    /// Keeps what has not started of jobs from starting.
    ///
    /// # Errors
    /// Where one is not there or has finished; those before it are held by then.
    pub async fn hold(&self, caller: &Caller, asked: JobsRequest) -> Result<ChangedReply, Refused> {
        self.set_held(caller, Verb::Hold, asked, true).await
    }

    /// Lets held jobs go on.
    ///
    /// # Errors
    /// Where one is not there or has finished; those before it are released by then.
    pub async fn release(
        &self,
        caller: &Caller,
        asked: JobsRequest,
    ) -> Result<ChangedReply, Refused> {
        self.set_held(caller, Verb::Release, asked, false).await
    }

    async fn set_held(
        &self,
        caller: &Caller,
        verb: Verb,
        asked: JobsRequest,
        held: bool,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit_why(caller, verb, numbers(&asked.jobs), &asked.reason)?;
        let reason = reason(&asked.reason);
        let hold = |job| Request::Hold { job, held, reason: reason.clone() };
        leave.settle(self.0.change(&asked.jobs, hold).await)
    }

    /// Puts jobs ahead of others, or behind.
    ///
    /// # Errors
    /// Where one is not there or has finished; those before it are changed by then.
    pub async fn set_priority(
        &self,
        caller: &Caller,
        asked: SetPriorityRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave =
            self.admit_why(caller, Verb::SetPriority, numbers(&asked.jobs), &asked.reason)?;
        let priority = asked.priority;
        let prioritise = |job| Request::Prioritise { job, priority };
        leave.settle(self.0.change(&asked.jobs, prioritise).await)
    }

    /// Runs what did not succeed of finished jobs once more.
    ///
    /// # Errors
    /// Where one is not there or has not finished; those before it run again by then.
    pub async fn retry(
        &self,
        caller: &Caller,
        asked: JobsRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit_why(caller, Verb::Retry, numbers(&asked.jobs), &asked.reason)?;
        leave.settle(self.0.change(&asked.jobs, Request::Retry).await)
    }

    /// Forgets finished jobs and what they left behind.
    ///
    /// # Errors
    /// Where one that was named is not there or has not finished; those before it are forgotten by
    /// then.
    pub async fn prune(
        &self,
        caller: &Caller,
        asked: PruneRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit(caller, Verb::Prune, numbers(&asked.jobs))?;
        leave.settle(self.0.prune(&asked).await)
    }
}

impl Inner {
    /// Asks the same of each job, one after another. All must be there before any is changed.
    async fn change(
        &self,
        shown: &[u32],
        request: impl Fn(JobNo) -> Request,
    ) -> Result<ChangedReply, Refused> {
        let asked = self.named(shown)?;
        let mut over = Vec::new();
        for &job in &asked {
            if let Reply::Over { .. } = self.ask(request(job)).await? {
                over.push(jobs::shown_no(job));
            }
        }
        let note = match over.as_slice() {
            [] => String::new(),
            over => format!("nothing was left to do for {}", numbers(over)),
        };
        Ok(ChangedReply { jobs: jobs::all(&self.board.read(), &asked), note, left: 0 })
    }

    /// Jobs that are there, by the numbers that people know.
    pub(super) fn named(&self, shown: &[u32]) -> Result<Vec<JobNo>, Refused> {
        if shown.is_empty() {
            return Err(Refused::new(Kind::Invalid, "no job is named"));
        }
        let books = self.board.read();
        shown.iter().map(|&no| jobs::row(&books, no).map(|row| row.no)).collect()
    }

    /// What of a job runs now.
    fn runs(&self, job: JobNo) -> Vec<Stopped> {
        self.board.read().job(job).map_or_else(Vec::new, JobRow::runs)
    }

    async fn prune(&self, asked: &PruneRequest) -> Result<ChangedReply, Refused> {
        let named = match asked.jobs.as_slice() {
            [] => None,
            shown => Some(self.named(shown)?),
        };
        let age = Span::from_secs_f64(asked.older_than);
        let chosen: Vec<JobNo> = match &named {
            Some(named) if age == Span::ZERO => named.clone(),
            Some(named) => self.finished(named.iter().copied(), age),
            None => {
                let end = self.board.read().end();
                self.finished((0..end.0).map(JobNo), age)
            }
        };
        let shown = jobs::all(&self.board.read(), &chosen);
        let count = chosen.len();
        if !asked.dry_run {
            for job in chosen {
                self.ask(Request::Forget(job)).await?;
            }
        }
        let would = if asked.dry_run { "would be forgotten" } else { "forgotten" };
        Ok(ChangedReply { jobs: shown, note: format!("{count} jobs {would}"), left: 0 })
    }

    /// Those of some jobs that finished so long ago.
    fn finished(&self, among: impl Iterator<Item = JobNo>, age: Span) -> Vec<JobNo> {
        /// How many jobs are looked at before the board goes on.
        const AT_ONCE: usize = 1_024;
        let mut among = among.peekable();
        let mut old = Vec::new();
        while among.peek().is_some() {
            let books = self.board.read();
            let now = books.clock.now();
            old.extend(among.by_ref().take(AT_ONCE).filter(|job| {
                let finished = books.job(*job).and_then(|row| row.finished);
                finished.is_some_and(|at| now.since(at) >= age)
            }));
        }
        old
    }
}

/// A reason that somebody gave.
pub(super) fn reason(text: &str) -> Option<Box<str>> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(Into::into)
}

/// The numbers of jobs as a text, the first of them where they are many.
pub(super) fn numbers(jobs: &[u32]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = jobs.iter().take(SHOWN).map(ToString::to_string).collect();
    match (jobs.len(), jobs.len().saturating_sub(SHOWN)) {
        (0, _) => "jobs".to_owned(),
        (_, 0) => format!("jobs {}", shown.join(",")),
        (_, more) => format!("jobs {} and {more} more", shown.join(",")),
    }
}
