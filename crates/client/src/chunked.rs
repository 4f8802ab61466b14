//! Submissions that are too large for one message: announced, brought in chunks, and committed. A
//! connection that breaks costs only what was on its way.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use bary_api::chunks::{self, IN_PARTS, SUBMISSION_BYTES_MAX};
use bary_api::problem::{Kind, Refused};
use bary_api::v1::extend_request::More;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{
    BeginRequest, ChunkRequest, CommitRequest, ExtendReply, ExtendRequest, StagedReply,
    SubmitReply, SubmitRequest,
};
use bytes::Bytes;

use crate::call::CallError;
use crate::client::Client;

/// The largest submission that goes in one message, in bytes; what adds to a job is one too.
pub const WHOLE_BYTES_MAX: usize = 4 << 20;
/// How many bytes each chunk has.
const CHUNK_BYTES: usize = 4 << 20;
/// How often a connection may break before the submission is given up on.
const BREAKS_MAX: u32 = 3;
/// How long to wait before a node is asked again.
const AGAIN_SPAN: Duration = Duration::from_millis(500);

impl Client {
    /// Announces a submission in chunks, or asks how much of it has come. Needs an operator.
    ///
    /// # Errors
    /// Where it cannot be, there is no room, or another one has the id.
    pub async fn begin(&self, request: BeginRequest) -> Result<StagedReply, CallError> {
        self.answer(self.node().begin(self.ask(request)).await)
    }

    /// Brings the next bytes of an announced submission. Needs an operator.
    ///
    /// # Errors
    /// Where none was announced, or bytes before these are missing.
    pub async fn chunk(&self, request: ChunkRequest) -> Result<StagedReply, CallError> {
        self.answer(self.node().chunk(self.ask(request)).await)
    }

    /// Takes in a submission that has come whole; repeated, the first answer comes again. Needs an
    /// operator.
    ///
    /// # Errors
    /// As [`Client::submit`], or where bytes are missing.
    pub async fn commit(&self, request: CommitRequest) -> Result<SubmitReply, CallError> {
        self.answer(self.node().commit(self.ask(request)).await)
    }

    pub(crate) async fn submit_in_chunks(
        &self,
        submit: SubmitRequest,
    ) -> Result<SubmitReply, CallError> {
        let parts = Parts::of(submit)?;
        let mut breaks = Breaks::default();
        loop {
            let done = match self.bring(&parts).await {
                Ok(()) => self.commit(parts.commit()).await,
                Err(error) => Err(error),
            };
            match done {
                Err(error) if breaks.pause(&error).await => {}
                done => return done,
            }
        }
    }

    /// Adds to a job in chunks. A restarted node does not know whether it has done so; what was
    /// committed is therefore never brought once more.
    pub(crate) async fn extend_in_chunks(
        &self,
        more: ExtendRequest,
    ) -> Result<ExtendReply, CallError> {
        let job = more.more.map(|more| match more {
            More::Spec(spec) => Job::Spec(spec),
            More::File(text) => Job::File(text),
            More::Tasks(tasks) => Job::Tasks(tasks),
        });
        let parts = Parts::of(SubmitRequest { job, ..SubmitRequest::default() })?;
        let begin = BeginRequest { job: more.job, ..parts.begin };
        let parts = Parts { begin, ..parts };
        self.bring_whole(&parts).await?;
        let (mut breaks, mut broken) = (Breaks::default(), None);
        loop {
            let error = match self.commit(parts.commit()).await {
                Ok(reply) => return Ok(ExtendReply { tasks: reply.tasks }),
                Err(error) => error,
            };
            if !breaks.pause(&error).await {
                // A node that has forgotten it, or that has gone, tells nothing of the first time.
                let knows = |refused: &Refused| refused.kind != Kind::NotFound;
                let told = matches!(&error, CallError::Refused(refused) if knows(refused));
                return Err(broken.filter(|_| !told).unwrap_or(error));
            }
            let breaks_off = broken.is_none() && matches!(error, CallError::Broken { .. });
            broken = if breaks_off { Some(error) } else { broken };
        }
    }

    /// Brings a submission in chunks and leaves it to the caller to commit it; its id.
    pub(crate) async fn stage(&self, submit: SubmitRequest) -> Result<String, CallError> {
        let parts = Parts::of(submit)?;
        self.bring_whole(&parts).await?;
        Ok(parts.begin.id)
    }

    /// As [`Client::bring`], over connections that break.
    async fn bring_whole(&self, parts: &Parts) -> Result<(), CallError> {
        let mut breaks = Breaks::default();
        loop {
            match self.bring(parts).await {
                Err(error) if breaks.pause(&error).await => {}
                done => return done,
            }
        }
    }

    /// Brings what has not come; all of it may be repeated.
    async fn bring(&self, Parts { begin, data }: &Parts) -> Result<(), CallError> {
        let mut there = self.begin(begin.clone()).await?.bytes;
        while let Some(rest) = rest(data, there) {
            let request = ChunkRequest { id: begin.id.clone(), offset: there, data: rest };
            there = self.chunk(request).await?.bytes;
        }
        Ok(())
    }
}

/// A submission on its way in chunks.
struct Parts {
    begin: BeginRequest,
    data: Bytes,
}

impl Parts {
    /// # Errors
    /// Where it is not its job that makes it large, or no node takes as much.
    fn of(mut submit: SubmitRequest) -> Result<Self, Refused> {
        let nothing = || Refused::new(Kind::TooLarge, "what is said of the job is too large");
        let (format, data) = chunks::split(&mut submit).ok_or_else(nothing)?;
        if data.len() > SUBMISSION_BYTES_MAX {
            let title = format!(
                "the job has {} bytes, of {SUBMISSION_BYTES_MAX} that a submission may have \
                 (submissions_bytes_max)",
                data.len()
            );
            return Err(Refused::new(Kind::TooLarge, title).help(IN_PARTS));
        }
        let named = Some(std::mem::take(&mut submit.idempotency_key)).filter(|key| !key.is_empty());
        let id = named.unwrap_or_else(minted);
        let (format, bytes) = (format.word().to_owned(), data.len() as u64);
        Ok(Self { begin: BeginRequest { id, submit: Some(submit), format, bytes, job: 0 }, data })
    }

    fn commit(&self) -> CommitRequest {
        CommitRequest { id: self.begin.id.clone() }
    }
}

/// How often a connection has broken.
#[derive(Default)]
struct Breaks(u32);

impl Breaks {
    /// Waits before something is done again; whether it should be.
    async fn pause(&mut self, error: &CallError) -> bool {
        let broken = matches!(error, CallError::Broken { .. } | CallError::Unreachable(_));
        if !broken || self.0 == BREAKS_MAX {
            return false;
        }
        self.0 += 1;
        tokio::time::sleep(AGAIN_SPAN).await;
        true
    }
}

/// The chunk after so many bytes; none after the last.
fn rest(data: &Bytes, there: u64) -> Option<Bytes> {
    let start = usize::try_from(there).ok().filter(|start| *start < data.len())?;
    Some(data.slice(start..data.len().min(start + CHUNK_BYTES)))
}

/// An id that no other submission has: 128 bits that the standard library draws.
fn minted() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;

    #[test]
    fn what_goes_in_chunks_may_be_sent_from_any_thread() {
        fn goes(_: impl Send) {}
        fn all(client: Client, session: Session) {
            goes(async move {
                drop(client.submit(SubmitRequest::default()).await);
                drop(client.extend(ExtendRequest::default()).await);
                drop(session.run(SubmitRequest::default()).await);
            });
        }
        // That it compiles is what it is about.
        let _: fn(Client, Session) = all;
    }

    #[test]
    fn chunks_are_all_of_it_in_order() {
        let data = Bytes::from(vec![7; 2 * CHUNK_BYTES + 1]);
        let sizes = [0, CHUNK_BYTES, 2 * CHUNK_BYTES, data.len()];
        let sizes = sizes.map(|at| rest(&data, at as u64).map(|chunk| chunk.len()));
        assert_eq!(sizes, [Some(CHUNK_BYTES), Some(CHUNK_BYTES), Some(1), None]);
        assert_eq!(rest(&data, u64::MAX), None);
        assert_ne!(minted(), minted());
    }
}
