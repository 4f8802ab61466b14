//! Submissions that come in chunks: announced, brought, and taken in as a whole.

use std::sync::Arc;
use std::time::Instant;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::extend_request::More;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{
    BeginRequest, ChunkRequest, CommitRequest, ExtendRequest, StagedReply, SubmitReply,
    SubmitRequest,
};
use bary_api::verb::Verb;
use bary_engine::input::Request;

use crate::service::caller::Caller;
use crate::service::staging::{Staged, unknown};
use crate::service::{Inner, Service, jobs, keys};

impl Service {
    /// Announces a submission that comes in chunks; repeated, it says how much has come.
    ///
    /// # Errors
    /// Where it cannot be, there is no room, or another one has the id.
    pub async fn begin(
        &self,
        caller: &Caller,
        request: BeginRequest,
    ) -> Result<StagedReply, Refused> {
        let leave = self.admit(caller, Verb::Begin, request.id.as_str())?;
        if let Some(submit) = &request.submit {
            self.0.check_durability(&submit.durability)?;
        }
        let begun = self.0.staging.begin(&caller.name, request, &self.0.limits, Instant::now());
        let (bytes, is_first) = leave.settle(begun)?;
        if is_first {
            self.watch_staged();
        }
        Ok(self.0.staged(bytes))
    }

    /// Brings the next bytes of an announced submission.
    ///
    /// # Errors
    /// Where none was announced, bytes are missing before these, or they are too many.
    pub async fn chunk(
        &self,
        caller: &Caller,
        request: ChunkRequest,
    ) -> Result<StagedReply, Refused> {
        let leave = self.admit(caller, Verb::Chunk, request.id.as_str())?;
        let ChunkRequest { id, offset, data } = request;
        let added = self.0.staging.chunk(&caller.name, &id, offset, &data, Instant::now());
        leave.settle(added.map(|bytes| self.0.staged(bytes)))
    }

    /// Takes in what has come whole; repeated, it gives the first answer again.
    ///
    /// # Errors
    /// As [`Service::submit`], or where bytes are missing. What may be tried again is kept.
    pub async fn commit(
        &self,
        caller: &Caller,
        request: CommitRequest,
    ) -> Result<SubmitReply, Refused> {
        let leave = self.admit(caller, Verb::Commit, request.id.as_str())?;
        // A caller that goes away meanwhile will ask again what came of it.
        let (service, caller) = (self.clone(), caller.clone());
        let committed = async move { service.take_in(&caller, &request.id).await };
        let lost = |_| Err(Refused::new(Kind::Internal, "the submission was not taken in"));
        leave.settle(tokio::spawn(committed).await.unwrap_or_else(lost))
    }

    async fn take_in(&self, caller: &Caller, id: &str) -> Result<SubmitReply, Refused> {
        keys::check(id)?;
        let (inner, name) = (&self.0, &*caller.name);
        let Some(staged) = inner.staging.find(name, id) else {
            return inner.first_answer(name, id).await;
        };
        let _turn = staged.turn.lock().await;
        if !inner.staging.has(name, id, &staged) {
            return inner.first_answer(name, id).await;
        }
        let done = match whole(Arc::clone(&staged)).await {
            // Some of it is missing, which may still come.
            Err(refused) if refused.kind == Kind::Conflict => return Err(refused),
            Err(refused) => Err(refused),
            Ok(request) if staged.job > 0 => self.add(caller, staged.job, request).await,
            Ok(request) => self.submit_admitted(caller, request).await,
        };
        // No key keeps what may have been added from being added once more.
        let again = |refused: &Refused| match staged.job {
            0 => may_be_repeated(refused),
            _ => refused.kind == Kind::Full,
        };
        if !done.as_ref().is_err_and(again) {
            inner.staging.remove(name, id);
        }
        done
    }

    /// Adds what has come to an open job, and remembers the answer.
    async fn add(
        &self,
        caller: &Caller,
        job: u32,
        request: SubmitRequest,
    ) -> Result<SubmitReply, Refused> {
        let SubmitRequest { job: content, idempotency_key: id, .. } = request;
        let more = content.map(|content| match content {
            Job::Spec(spec) => More::Spec(spec),
            Job::File(text) => More::File(text),
            Job::Tasks(tasks) => More::Tasks(tasks),
        });
        let tasks = self.0.extend(ExtendRequest { job, more }).await?.tasks;
        let reply = self.0.accepted(jobs::no(job)?, tasks);
        self.0.staging.answer(&caller.name, &id, reply.clone());
        Ok(reply)
    }

    /// What has come whole of a submission, for a session, which commits it by itself.
    ///
    /// # Errors
    /// Where none has begun, bytes are missing, or they add to a job.
    pub(super) async fn staged(&self, caller: &Caller, id: &str) -> Result<SubmitRequest, Refused> {
        let staged = self.0.staging.find(&caller.name, id).ok_or_else(|| unknown(id))?;
        if staged.job > 0 {
            let title = format!("`{id}` adds to a job, which a session does not");
            return Err(Refused::new(Kind::Invalid, title).help("commit it by itself"));
        }
        whole(staged).await
    }

    /// Drops what is abandoned, for as long as there is anything.
    fn watch_staged(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                let Some(inner) = inner.upgrade() else { return };
                let (span, now) = (inner.limits.staged_span, Instant::now());
                let Some(due) = inner.staging.drop_abandoned(span, now) else { return };
                drop(inner);
                tokio::time::sleep_until(due.into()).await;
            }
        });
    }
}

impl Inner {
    fn staged(&self, bytes: u64) -> StagedReply {
        StagedReply { bytes, lifetime: self.limits.staged_span.as_secs_f64() }
    }

    /// What was answered to a submission that was committed before.
    async fn first_answer(&self, caller: &str, id: &str) -> Result<SubmitReply, Refused> {
        if let Some(reply) = self.staging.answered(caller, id) {
            return Ok(reply);
        }
        let key = keys::number(id, caller);
        match self.ask_for_job(Request::Repeat(key), None).await {
            Ok(job) => {
                let tasks = self.board.read().job(job).map_or(0, |row| row.tasks);
                Ok(self.accepted(job, tasks))
            }
            Err(refused) if refused.kind == Kind::NotFound => Err(unknown(id)),
            Err(refused) => Err(refused),
        }
    }
}

/// The whole of what has come; large ones take a while to read.
async fn whole(staged: Arc<Staged>) -> Result<SubmitRequest, Refused> {
    let read = tokio::task::spawn_blocking(move || staged.whole()).await;
    read.unwrap_or_else(|_| Err(Refused::new(Kind::Internal, "the submission was not read")))
}

/// Whether the same submission may be accepted later.
pub(super) fn may_be_repeated(refused: &Refused) -> bool {
    matches!(refused.kind, Kind::Full | Kind::Unavailable | Kind::TimedOut | Kind::Internal)
}
