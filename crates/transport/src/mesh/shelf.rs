//! Reads bytes that another member keeps: part by part, no faster than they are taken in, and whole
//! or not at all.

use std::io::{self, Read, Write};
use std::sync::Arc;

use axum::Router;
use bary_model::payload::BlobRef;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::mesh::dial::{DialError, channel};
use crate::mesh::proto::shelf_client::ShelfClient;
use crate::mesh::proto::shelf_server::{Shelf, ShelfServer};
use crate::mesh::proto::{FetchPart, FetchRequest};
use crate::mesh::{Inner, Mesh};

/// Bytes of one part.
const PART_BYTES: usize = 256 << 10;
/// Parts that are on their way inside a process before they are taken in.
const PARTS_AHEAD_MAX: usize = 8;

/// Why bytes were not fetched. Nothing of them is kept.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The member was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where the member is.
    #[error("the member is not known")]
    Unknown,
    /// The member has them not, or broke off.
    #[error("the member did not give them: {0}")]
    Refused(Box<str>),
    /// They could not be kept here, or were not what their hash says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What answers members that fetch from a store.
pub fn router(store: Arc<dyn Store>) -> Router {
    tonic::service::Routes::new(ShelfServer::new(Keeper(store))).into_axum_router()
}

impl Mesh {
    /// Reads bytes that a member keeps into a store here; what that one calls them.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn fetch(
        &self,
        member: u64,
        blob: BlobRef,
        into: Arc<dyn Store>,
    ) -> Result<BlobRef, FetchError> {
        let fetched = self.0.fetch(member, blob, into).await;
        if matches!(fetched, Err(FetchError::Refused(_) | FetchError::Dial(_))) {
            self.0.asking.lock().await.remove(&member);
        }
        fetched
    }
}

impl Inner {
    async fn fetch(
        &self,
        member: u64,
        blob: BlobRef,
        into: Arc<dyn Store>,
    ) -> Result<BlobRef, FetchError> {
        let mut client = ShelfClient::new(self.ask(member).await?);
        let refused = |status: Status| FetchError::Refused(status.message().into());
        let asked = FetchRequest { id: blob.id, len: blob.len };
        let mut parts = client.fetch(asked).await.map_err(refused)?.into_inner();
        let (ahead, coming) = mpsc::channel(PARTS_AHEAD_MAX);
        let len = blob.len;
        let keep = move || {
            let mut bytes = Parts { coming, part: Bytes::new(), hasher: blake3::Hasher::new() };
            into.put_from(&mut Whole { bytes: &mut bytes, left: len }, len)
        };
        let kept = tokio::task::spawn_blocking(keep);
        while let Some(part) = parts.next().await {
            let Ok(part) = part else { break };
            if ahead.send(part).await.is_err() {
                break;
            }
        }
        drop(ahead);
        let broke = |_| FetchError::Refused("keeping them failed".into());
        Ok(kept.await.map_err(broke)??)
    }

    /// A connection to ask a member over; one that was made before where there is one.
    pub(super) async fn ask(&self, member: u64) -> Result<Channel, FetchError> {
        let mut asking = self.asking.lock().await;
        if let Some(channel) = asking.get(&member) {
            return Ok(channel.clone());
        }
        let addresses = self.members().get(&member).map(|known| known.addresses.clone());
        let addresses = addresses.ok_or(FetchError::Unknown)?;
        let (at, tls) = self.reach(member, &addresses).await?;
        let made = channel(tls, &self.limits).await;
        let made = made.map_err(|cause| DialError::Protocol { at, cause })?;
        asking.insert(member, made.clone());
        Ok(made)
    }
}

/// What has come of some bytes, as a reader.
struct Parts {
    coming: mpsc::Receiver<FetchPart>,
    part: Bytes,
    hasher: blake3::Hasher,
}

/// Reads so many bytes; the last ones only once the hash of all is right.
struct Whole<'a> {
    bytes: &'a mut Parts,
    left: u64,
}

impl Parts {
    /// The next part that has bytes, where one comes.
    fn next(&mut self) -> io::Result<()> {
        while self.part.is_empty() {
            let next = self.coming.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)?;
            self.hasher.update(&next.bytes);
            self.part = next.bytes;
        }
        Ok(())
    }

    /// That nothing follows but the hash of what came.
    fn check(&mut self) -> io::Result<()> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        if !self.part.is_empty() {
            return Err(wrong("more bytes came than were wanted"));
        }
        let last = self.coming.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)?;
        let hash = self.hasher.finalize();
        if !last.bytes.is_empty() || last.hash != hash.as_bytes()[..] {
            return Err(wrong("the bytes are not those that the member keeps"));
        }
        Ok(())
    }
}

impl Read for Whole<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        self.bytes.next()?;
        let most = self.bytes.part.len().min(to.len());
        let some = self.bytes.part.split_to(most);
        to[..most].copy_from_slice(&some);
        self.left = self.left.saturating_sub(most as u64);
        if self.left == 0 {
            self.bytes.check()?;
        }
        Ok(most)
    }
}

/// Answers members that fetch.
struct Keeper(Arc<dyn Store>);

/// Where what is read goes: parts for a member.
struct Out {
    parts: mpsc::Sender<Result<FetchPart, Status>>,
    hasher: blake3::Hasher,
}

impl Out {
    fn send(&self, part: FetchPart) -> io::Result<()> {
        let sent = self.parts.blocking_send(Ok(part));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = bytes.len().min(PART_BYTES);
        let part = Bytes::copy_from_slice(&bytes[..most]);
        self.hasher.update(&part);
        self.send(FetchPart { bytes: part, hash: Bytes::new() })?;
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tonic::async_trait]
impl Shelf for Keeper {
    type FetchStream = ReceiverStream<Result<FetchPart, Status>>;

    async fn fetch(
        &self,
        call: Request<FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let FetchRequest { id, len } = call.into_inner();
        let (parts, coming) = mpsc::channel(PARTS_AHEAD_MAX);
        let store = Arc::clone(&self.0);
        let give = move || {
            let mut out = Out { parts, hasher: blake3::Hasher::new() };
            let given = store.read_to(BlobRef { id, len }, &mut out);
            let hash = Bytes::copy_from_slice(out.hasher.finalize().as_bytes());
            let last = match given {
                Ok(()) => Ok(FetchPart { bytes: Bytes::new(), hash }),
                Err(error) => Err(Status::not_found(error.to_string())),
            };
            // Whoever asked may have gone.
            drop(out.parts.blocking_send(last));
        };
        drop(tokio::task::spawn_blocking(give));
        Ok(Response::new(ReceiverStream::new(coming)))
    }
}
