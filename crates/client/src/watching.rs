//! Calls that look at what happens and at what tasks leave: events, output, results, reasons.

use bary_api::v1::{
    Event, EventsRequest, LogChunk, LogsRequest, ResultsRequest, TaskResult, WhyReply, WhyRequest,
};

use crate::call::CallError;
use crate::client::Client;
use crate::streamed::Streamed;

impl Client {
    /// What happens, after what is still remembered of what happened before.
    ///
    /// # Errors
    /// Where a job is not there or a kind is none.
    pub async fn events(&self, request: EventsRequest) -> Result<Streamed<Event>, CallError> {
        self.pieces(self.node().events(self.ask(request)).await)
    }

    /// What tasks print, in pieces.
    ///
    /// # Errors
    /// Where the job or a task is not there, or its output is no longer kept.
    pub async fn logs(&self, request: LogsRequest) -> Result<Streamed<LogChunk>, CallError> {
        self.pieces(self.node().logs(self.ask(request)).await)
    }

    /// What tasks of a job gave, as far as they have ended: all of them where `tasks` is empty.
    ///
    /// # Errors
    /// Where the job or a task is not there.
    pub async fn results(
        &self,
        job: u32,
        tasks: &[&str],
    ) -> Result<Streamed<TaskResult>, CallError> {
        let tasks = tasks.iter().map(|task| (*task).to_owned()).collect();
        self.results_of(ResultsRequest { job, tasks, follow: false }).await
    }

    /// What tasks gave; where it is said so, those that have not ended are waited for.
    ///
    /// # Errors
    /// As [`Client::results`].
    pub async fn results_of(
        &self,
        request: ResultsRequest,
    ) -> Result<Streamed<TaskResult>, CallError> {
        self.pieces(self.node().results(self.ask(request)).await)
    }

    /// Why a task waits, runs where it runs, or ended as it did.
    ///
    /// # Errors
    /// Where there is no such task.
    pub async fn why(&self, job: u32, task: &str) -> Result<WhyReply, CallError> {
        let request = WhyRequest { job, task: task.to_owned() };
        self.answer(self.node().why(self.ask(request)).await)
    }
}
