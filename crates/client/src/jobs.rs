//! Calls about jobs: submitting, steering, listing, waiting.

use std::time::Duration;

use bary_api::chunks;
#[cfg(doc)]
use bary_api::chunks::SUBMISSION_BYTES_MAX;
use bary_api::v1::{
    CancelRequest, ChangedReply, ExtendReply, ExtendRequest, Job, JobsRequest, ListJobsReply,
    ListJobsRequest, ListTasksReply, ListTasksRequest, PruneRequest, SetPriorityRequest,
    SubmitReply, SubmitRequest, WaitReply, WaitRequest,
};

use crate::call::CallError;
use crate::chunked::WHOLE_BYTES_MAX;
use crate::client::Client;

/// The longest that one call of [`Client::wait`] lets a node wait.
pub const WAIT_SPAN_MAX: Duration = Duration::from_secs(300);

/// How much longer than the node the caller waits for its answer.
const WAIT_SLACK: Duration = Duration::from_secs(30);

impl Client {
    /// Submits a job; the reply is a promise. One of more than [`WHOLE_BYTES_MAX`] goes in chunks,
    /// up to [`SUBMISSION_BYTES_MAX`], and survives a connection that breaks. Needs an operator.
    ///
    /// # Errors
    /// Where the job is refused: then nothing of it was kept. A call that broke may have been
    /// done; with an idempotency key it may be repeated.
    pub async fn submit(
        &self,
        submission: impl Into<SubmitRequest>,
    ) -> Result<SubmitReply, CallError> {
        let request = submission.into();
        match chunks::bytes(&request) {
            0..=WHOLE_BYTES_MAX => self.answer(self.node().submit(self.ask(request)).await),
            _ => self.submit_in_chunks(request).await,
        }
    }

    /// Adds tasks to an open job. More than [`WHOLE_BYTES_MAX`] go in chunks, up to
    /// [`SUBMISSION_BYTES_MAX`]. Needs an operator.
    ///
    /// # Errors
    /// Where the job is not open, or the tasks are refused: then none of them was added. A call
    /// that broke may have been done: how many tasks the job has tells.
    pub async fn extend(&self, more: ExtendRequest) -> Result<ExtendReply, CallError> {
        match chunks::bytes(&more) {
            0..=WHOLE_BYTES_MAX => self.answer(self.node().extend(self.ask(more)).await),
            _ => self.extend_in_chunks(more).await,
        }
    }

    /// Says that no more tasks will be added to jobs. Needs an operator.
    ///
    /// # Errors
    /// Where one of them is not open; none was changed.
    pub async fn close(&self, jobs: JobsRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().close(self.ask(jobs)).await)
    }

    /// Ends jobs: what waits does not run, what runs is stopped unless it is left to its end. Needs
    /// an operator.
    ///
    /// # Errors
    /// Where one of them is not there; none was changed. One that has ended stays as it is.
    pub async fn cancel(&self, request: CancelRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().cancel(self.ask(request)).await)
    }

    /// Keeps what has not started of jobs from starting. Needs an operator.
    ///
    /// # Errors
    /// Where one of them is not there or has ended; none was changed.
    pub async fn hold(&self, jobs: JobsRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().hold(self.ask(jobs)).await)
    }

    /// Lets held jobs go on. Needs an operator.
    ///
    /// # Errors
    /// Where one of them is not there; none was changed.
    pub async fn release(&self, jobs: JobsRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().release(self.ask(jobs)).await)
    }

    /// Puts jobs ahead of others, or behind. Needs an operator.
    ///
    /// # Errors
    /// Where one of them is not there or has ended; none was changed.
    pub async fn set_priority(
        &self,
        request: SetPriorityRequest,
    ) -> Result<ChangedReply, CallError> {
        self.answer(self.node().set_priority(self.ask(request)).await)
    }

    /// Runs what did not succeed of finished jobs once more. Needs an operator.
    ///
    /// # Errors
    /// Where one of them has not finished, or nothing of it failed; none was changed.
    pub async fn retry(&self, jobs: JobsRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().retry(self.ask(jobs)).await)
    }

    /// Forgets finished jobs and what they left behind; the reply lists them. Needs an admin.
    ///
    /// # Errors
    /// Where a job that was named has not finished; none was forgotten.
    pub async fn prune(&self, request: PruneRequest) -> Result<ChangedReply, CallError> {
        self.answer(self.node().prune(self.ask(request)).await)
    }

    /// Jobs, filtered and sorted.
    ///
    /// # Errors
    /// Where a condition or the column is none, or a job that was named is not there.
    pub async fn list_jobs(&self, request: ListJobsRequest) -> Result<ListJobsReply, CallError> {
        self.answer(self.node().list_jobs(self.ask(request)).await)
    }

    /// Tasks of one job.
    ///
    /// # Errors
    /// Where a condition or the column is none, or the job or a task is not there.
    pub async fn list_tasks(&self, request: ListTasksRequest) -> Result<ListTasksReply, CallError> {
        self.answer(self.node().list_tasks(self.ask(request)).await)
    }

    /// Waits until jobs have ended, but no longer than `span` and [`WAIT_SPAN_MAX`]; the reply says
    /// whether they have, and how far they are.
    ///
    /// # Errors
    /// Where a job is not there.
    pub async fn wait(&self, jobs: &[u32], span: Duration) -> Result<WaitReply, CallError> {
        // Zero means 30 seconds there.
        let span = span.clamp(Duration::from_millis(1), WAIT_SPAN_MAX);
        let request = WaitRequest { jobs: jobs.to_vec(), timeout: span.as_secs_f64() };
        self.answer(self.node().wait(self.ask_within(request, span + WAIT_SLACK)).await)
    }

    /// Waits until jobs have ended, however long that takes; how they ended.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub async fn finish(&self, jobs: &[u32]) -> Result<Vec<Job>, CallError> {
        loop {
            let reply = self.wait(jobs, WAIT_SPAN_MAX).await?;
            if reply.done {
                return Ok(reply.jobs);
            }
        }
    }
}
