//! Submissions that are too large for one message: announced, brought in chunks, and committed. A
//! connection that breaks costs only what was on its way.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use bary_api::chunks;
use bary_api::problem::{Kind, Refused};
use bary_api::v1::{
    BeginRequest, ChunkRequest, CommitRequest, StagedReply, SubmitReply, SubmitRequest,
};
use bytes::Bytes;

use crate::call::CallError;
use crate::client::Client;

/// The largest submission that goes in one message, in bytes.
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
        mut submit: SubmitRequest,
    ) -> Result<SubmitReply, CallError> {
        let nothing = || Refused::new(Kind::TooLarge, "what is said of the job is too large");
        let (format, data) = chunks::split(&mut submit).ok_or_else(nothing)?;
        if submit.idempotency_key.is_empty() {
            submit.idempotency_key = minted();
        }
        let begin = BeginRequest {
            id: submit.idempotency_key.clone(),
            submit: Some(submit),
            format: format.word().to_owned(),
            bytes: data.len() as u64,
        };
        let mut breaks = 0;
        loop {
            match self.bring(&begin, &data).await {
                Err(CallError::Broken { .. } | CallError::Unreachable(_))
                    if breaks < BREAKS_MAX =>
                {
                    breaks += 1;
                    tokio::time::sleep(AGAIN_SPAN).await;
                }
                done => return done,
            }
        }
    }

    /// Brings what has not come, and commits; all of it may be repeated.
    async fn bring(&self, begin: &BeginRequest, data: &Bytes) -> Result<SubmitReply, CallError> {
        let id = || begin.id.clone();
        let mut there = self.begin(begin.clone()).await?.bytes;
        while let Some(rest) = rest(data, there) {
            let request = ChunkRequest { id: id(), offset: there, data: rest };
            there = self.chunk(request).await?.bytes;
        }
        self.commit(CommitRequest { id: id() }).await
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
