//! What members of a group ask each other, as the one who asks sees it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use openraft::AnyError;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::raft::{TransferLeaderRequest, TransferLeaderResponse};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf, VoteOf};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::carrier::Carrier;
use crate::limits::{PART_BYTES, Patience};
use crate::packed::Packed;
use crate::proposal::Types;

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<Types>),
    WouldVote(VoteRequest<Types>),
    TakeLead(TransferLeaderRequest<Types>),
    Part(Part),
}

/// A part of a whole journal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) vote: VoteOf<Types>,
    pub(crate) meta: SnapshotMetaOf<Types>,
    pub(crate) reign: u64,
    /// Where it begins.
    pub(crate) at: u64,
    pub(crate) bytes: Bytes,
    /// Whether it is the last one.
    pub(crate) last: bool,
}

/// What a part is answered with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PartAnswer {
    /// The next one is to come.
    Next,
    /// The journal was taken over, or is not wanted.
    Over(SnapshotResponse<Types>),
}

/// Finds the way to other members.
pub(crate) struct Ways {
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) patience: Patience,
}

impl RaftNetworkFactory<Types> for Ways {
    type Network = Way;

    async fn new_client(&mut self, target: u64, _: &openraft::EmptyNode) -> Way {
        Way { carrier: Arc::clone(&self.carrier), member: target, patience: self.patience }
    }
}

/// The way to a member.
pub(crate) struct Way {
    carrier: Arc<dyn Carrier>,
    member: u64,
    patience: Patience,
}

/// Why there is no answer.
enum Lack {
    /// The member is not reached.
    Unreached(String),
    /// What came is none.
    Wrong(AnyError),
}

impl From<Lack> for RPCError<Types> {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Unreached(why) => Self::Unreachable(Unreachable::from_string(why)),
            Lack::Wrong(error) => Self::Network(NetworkError::new(&error)),
        }
    }
}

impl From<Lack> for StreamingError<Types> {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Unreached(why) => Self::Unreachable(Unreachable::from_string(why)),
            Lack::Wrong(error) => Self::Network(NetworkError::new(&error)),
        }
    }
}

impl Way {
    /// Asks the member, and waits for so long as it may be silent.
    async fn ask<T: DeserializeOwned>(&self, question: &Question) -> Result<T, Lack> {
        let wrong = |error: &str| Lack::Wrong(AnyError::error(error));
        let bytes = postcard::to_allocvec(question).map_err(|error| wrong(&error.to_string()))?;
        let wait = match question {
            Question::Vote(_) | Question::WouldVote(_) | Question::TakeLead(_) => {
                self.patience.silence_min
            }
            // Much has to be sent and synced there.
            Question::Append(_) | Question::Part(_) => self.patience.silence_max * PATIENT,
        };
        let answer = timeout(wait, self.carrier.ask(self.member, bytes.into())).await;
        let answer = answer.map_err(|_| Lack::Unreached("there is no answer".to_owned()))?;
        let answer = answer.map_err(Lack::Unreached)?;
        let answer: Result<T, String> =
            postcard::from_bytes(&answer).map_err(|error| wrong(&error.to_string()))?;
        answer.map_err(|error| wrong(&error))
    }
}

/// How many times as long a member has for what it must write to its disk.
const PATIENT: u32 = 8;

impl RaftNetworkV2<Types> for Way {
    type SnapshotData = Packed;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        Ok(self.ask(&Question::Append(request)).await?)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        Ok(self.ask(&Question::Vote(request)).await?)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types>,
        _: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        Ok(self.ask(&Question::WouldVote(request)).await?)
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types>,
        _: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        Ok(self.ask(&Question::TakeLead(request)).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<Types>,
        snapshot: SnapshotOf<Types, Packed>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let sending = self.send(vote, snapshot);
        tokio::select! {
            sent = sending => sent,
            closed = cancel => Err(closed.into()),
        }
    }
}

impl Way {
    /// Sends a whole journal, part by part.
    async fn send(
        &self,
        vote: VoteOf<Types>,
        snapshot: SnapshotOf<Types, Packed>,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let wrong = |error: io::Error| StreamingError::from(Lack::Wrong(AnyError::new(&error)));
        let (meta, packed) = (snapshot.meta, Arc::new(snapshot.snapshot));
        let making = Arc::clone(&packed);
        let made = tokio::task::spawn_blocking(move || making.make()).await;
        made.map_err(io::Error::other).flatten().map_err(wrong)?;
        let mut file = tokio::fs::File::open(packed.path()).await.map_err(wrong)?;
        let len = file.metadata().await.map_err(wrong)?.len();
        let mut at = 0;
        loop {
            let mut bytes = Vec::with_capacity(PART_BYTES);
            (&mut file).take(PART_BYTES as u64).read_to_end(&mut bytes).await.map_err(wrong)?;
            let (begin, bytes) = (at, Bytes::from(bytes));
            at += bytes.len() as u64;
            if bytes.is_empty() && at < len {
                return Err(wrong(io::ErrorKind::UnexpectedEof.into()));
            }
            let (reign, last) = (packed.reign(), at >= len);
            let part = Part { vote, meta: meta.clone(), reign, at: begin, bytes, last };
            if let PartAnswer::Over(response) = self.ask(&Question::Part(part)).await? {
                return Ok(response);
            }
            if last {
                let text = "it was sent whole, and not taken over";
                return Err(Lack::Wrong(AnyError::error(text)).into());
            }
        }
    }
}
