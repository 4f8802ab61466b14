//! What members of a group ask each other, as the one who answers sees it.

use std::io;

use bytes::Bytes;
use openraft::Raft;
use openraft::type_config::alias::SnapshotOf;
use serde::Serialize;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::sync::Mutex;

use crate::machine::Machine;
use crate::packed::Packed;
use crate::proposal::Types;
use crate::sending::{Part, PartAnswer, Question};

/// Answers other members.
pub(crate) struct Answering {
    raft: Raft<Types, Machine>,
    machine: Machine,
    /// A journal that comes, and how much of it has.
    incoming: Mutex<Option<(Packed, File, u64)>>,
}

/// An answer as it goes back: what it is, or why there is none.
fn told<T: Serialize, E: std::fmt::Display>(answer: Result<T, E>) -> Bytes {
    let answer = answer.map_err(|error| error.to_string());
    // What these types are made of is always written.
    postcard::to_allocvec(&answer).unwrap_or_default().into()
}

impl Answering {
    pub(crate) fn new(raft: Raft<Types, Machine>, machine: Machine) -> Self {
        Self { raft, machine, incoming: Mutex::default() }
    }

    pub(crate) async fn answer(&self, question: &[u8]) -> Bytes {
        match postcard::from_bytes(question) {
            Ok(Question::Append(request)) => told(self.raft.append_entries(request).await),
            Ok(Question::Vote(request)) => told(self.raft.vote(request).await),
            Ok(Question::WouldVote(request)) => told(self.raft.pre_vote(request).await),
            Ok(Question::TakeLead(request)) => {
                told(self.raft.handle_transfer_leader(request).await)
            }
            Ok(Question::Part(part)) => told(self.take(part).await),
            Err(error) => told::<(), _>(Err(error)),
        }
    }

    /// Takes a part of a whole journal; the one that it begins with drops what came before.
    async fn take(&self, part: Part) -> io::Result<PartAnswer> {
        let mut incoming = self.incoming.lock().await;
        if part.at == 0 {
            let packed = self.machine.incoming(part.reign);
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(true).write(true).open(packed.path()).await?;
            *incoming = Some((packed, file, 0));
        }
        let Some((packed, mut file, at)) = incoming.take().filter(|(.., at)| *at == part.at) else {
            return Err(io::Error::other("it is not the part that was to come"));
        };
        file.seek(io::SeekFrom::Start(at)).await?;
        file.write_all(&part.bytes).await?;
        if !part.last {
            *incoming = Some((packed, file, at + part.bytes.len() as u64));
            return Ok(PartAnswer::Next);
        }
        file.flush().await?;
        file.sync_all().await?;
        drop((file, incoming));
        let snapshot = SnapshotOf::<Types, Packed> { meta: part.meta, snapshot: packed };
        let taken = self.raft.install_full_snapshot(part.vote, snapshot).await;
        taken.map(PartAnswer::Over).map_err(io::Error::other)
    }
}
