//! Bytes that members keep, for other members: read part by part, no faster than they are taken
//! in, from any place on; and what is said of them. Whoever reads checks what has come.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bary_model::payload::{BlobRef, Kept};
use bary_ports::store::StoreError;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::mesh::dial::{DialError, channel};
use crate::mesh::proto::shelf_client::ShelfClient;
use crate::mesh::proto::shelf_server::{Shelf, ShelfServer};
use crate::mesh::proto::{
    CopyReply, CopyRequest, FetchPart, FetchRequest, Kept as Told, ReleaseReply, ReleaseRequest,
};
use crate::mesh::{Inner, Mesh};

/// Bytes of one part.
pub const PART_BYTES: usize = 256 << 10;
/// Parts that are on their way inside a process before they are taken in.
pub const PARTS_AHEAD_MAX: usize = 8;
/// How many results one request may speak of.
pub const RESULTS_AT_ONCE_MAX: usize = 1_024;
/// How long a member may take for the next part, or for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why bytes were not fetched, or something was not said.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The member was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where the member is.
    #[error("the member is not known")]
    Unknown,
    /// The member has them not.
    #[error("the member does not have them")]
    Missing,
    /// The member broke off, or refused.
    #[error("the member did not give them: {0}")]
    Refused(Box<str>),
}

/// What a member that is asked to keep a copy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// It has it on its disk.
    There,
    /// It will fetch it. One of an older version never says more.
    Coming,
    /// It has no room for it.
    Full,
    /// Too many wait there.
    Refused,
}

impl CopyState {
    fn byte(self) -> u8 {
        match self {
            Self::There => 1,
            Self::Coming => 2,
            Self::Full => 3,
            Self::Refused => 4,
        }
    }

    fn of(byte: u8) -> Self {
        match byte {
            1 => Self::There,
            2 => Self::Coming,
            3 => Self::Full,
            // Whatever a newer one says, it does not say that it has it.
            _ => Self::Refused,
        }
    }
}

/// What a member keeps, and does with it for others.
pub trait Keeps: Send + Sync + 'static {
    /// At most so many of some bytes, from a place on; none at their end. Blocks for the disk.
    ///
    /// # Errors
    /// Where they are not here, or the disk fails.
    fn part(&self, kept: &Kept, at: u64, most: usize) -> Result<Bytes, StoreError>;

    /// Nobody reads these any more. Blocks for the disk.
    fn release(&self, kept: &[Kept]);

    /// A member wants copies of these to be here; what there is of each.
    fn copy(&self, kept: &[Kept]) -> Vec<CopyState>;
}

/// What answers members.
pub fn router(keeps: Arc<dyn Keeps>) -> Router {
    tonic::service::Routes::new(ShelfServer::new(Keeper(keeps))).into_axum_router()
}

impl Mesh {
    /// Reads bytes that a member keeps from a place on, into a channel; whoever has its other end
    /// takes them in as fast as it can, and breaks it off by dropping that.
    ///
    /// # Errors
    /// See [`FetchError`]. What has come by then is good.
    pub async fn fetch(
        &self,
        from: u64,
        kept: &Kept,
        at: u64,
        into: mpsc::Sender<Bytes>,
    ) -> Result<(), FetchError> {
        let fetched = self.0.fetch(from, kept, at, into).await;
        self.0.noted(from, fetched).await
    }

    /// Tells a member that nobody reads these any more, at most [`RESULTS_AT_ONCE_MAX`]. It may be
    /// said again.
    ///
    /// # Errors
    /// See [`FetchError`]. It is unknown whether the member heard it.
    pub async fn release(&self, at: u64, kept: &[Kept]) -> Result<(), FetchError> {
        let request = ReleaseRequest { kept: kept.iter().map(told).collect() };
        let said = self.0.say(at, async |mut client| client.release(request).await).await;
        self.0.noted(at, said.map(drop)).await
    }

    /// Asks a member to keep copies of these, at most [`RESULTS_AT_ONCE_MAX`]; what it has of each.
    ///
    /// # Errors
    /// See [`FetchError`]. It may be asked again.
    pub async fn copy(&self, at: u64, kept: &[Kept]) -> Result<Vec<CopyState>, FetchError> {
        let request = CopyRequest { kept: kept.iter().map(told).collect() };
        let said = self.0.say(at, async |mut client| client.copy(request).await).await;
        self.0.noted(at, said.map(|reply| states(&reply, kept.len()))).await
    }
}

impl Inner {
    async fn fetch(
        &self,
        from: u64,
        kept: &Kept,
        at: u64,
        into: mpsc::Sender<Bytes>,
    ) -> Result<(), FetchError> {
        let asked = FetchRequest { kept: Some(told(kept)), at };
        let mut parts = self.say(from, async |mut client| client.fetch(asked).await).await?;
        loop {
            let next = tokio::time::timeout(PATIENCE, parts.next()).await;
            match next.map_err(|_| FetchError::Refused("nothing came for 30 s".into()))? {
                None => return Ok(()),
                Some(part) => {
                    if into.send(part.map_err(refused)?.bytes).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Says something to a member, and hears the answer.
    async fn say<T>(
        &self,
        to: u64,
        say: impl AsyncFnOnce(ShelfClient<Channel>) -> Result<Response<T>, Status>,
    ) -> Result<T, FetchError> {
        let client = ShelfClient::new(self.ask(to).await?);
        let said = tokio::time::timeout(PATIENCE, say(client)).await;
        let said = said.map_err(|_| FetchError::Refused("no answer came for 30 s".into()))?;
        said.map(Response::into_inner).map_err(refused)
    }

    /// Has the next request go over another connection where this one may have ended.
    async fn noted<T>(&self, member: u64, done: Result<T, FetchError>) -> Result<T, FetchError> {
        if matches!(done, Err(FetchError::Refused(_) | FetchError::Dial(_))) {
            self.asking.lock().await.remove(&member);
        }
        done
    }

    /// A connection to ask a member over; one that was made before where there is one.
    pub(super) async fn ask(&self, member: u64) -> Result<Channel, FetchError> {
        // Whoever wants another member does not wait until this one is reached.
        let known = self.asking.lock().await.get(&member).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let addresses = self.members().get(&member).map(|known| known.addresses.clone());
        let addresses = addresses.ok_or(FetchError::Unknown)?;
        let (at, tls) = self.reach(member, &addresses).await?;
        let made = channel(tls, &self.limits).await;
        let made = made.map_err(|cause| DialError::Protocol { at, cause })?;
        self.asking.lock().await.insert(member, made.clone());
        Ok(made)
    }
}

/// What a member says of each of so many.
fn states(reply: &CopyReply, asked: usize) -> Vec<CopyState> {
    let CopyReply { taken, each } = reply;
    if each.len() == asked {
        return each.iter().map(|byte| CopyState::of(*byte)).collect();
    }
    let state = |at| if at < *taken as usize { CopyState::Coming } else { CopyState::Refused };
    (0..asked).map(state).collect()
}

fn refused(status: Status) -> FetchError {
    match status.code() {
        Code::NotFound => FetchError::Missing,
        _ => FetchError::Refused(status.message().into()),
    }
}

fn told(kept: &Kept) -> Told {
    let Kept { member, blob: BlobRef { id, len }, hash } = *kept;
    Told { member, id, len, hash: Bytes::copy_from_slice(&hash) }
}

fn read(told: Option<&Told>) -> Result<Kept, Status> {
    let wrong = || Status::invalid_argument("it is not said what is meant");
    let told = told.ok_or_else(wrong)?;
    let hash = told.hash.as_ref().try_into().map_err(|_| wrong())?;
    Ok(Kept { member: told.member, blob: BlobRef { id: told.id, len: told.len }, hash })
}

fn read_all(told: &[Told]) -> Result<Vec<Kept>, Status> {
    if told.len() > RESULTS_AT_ONCE_MAX {
        return Err(Status::out_of_range("one request speaks of too many results"));
    }
    told.iter().map(|told| read(Some(told))).collect()
}

/// Answers members.
struct Keeper(Arc<dyn Keeps>);

#[tonic::async_trait]
impl Shelf for Keeper {
    type FetchStream = ReceiverStream<Result<FetchPart, Status>>;

    async fn fetch(
        &self,
        call: Request<FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let FetchRequest { kept, mut at } = call.into_inner();
        let kept = read(kept.as_ref())?;
        let (parts, coming) = mpsc::channel(PARTS_AHEAD_MAX);
        let keeps = Arc::clone(&self.0);
        let give = move || {
            while at < kept.blob.len {
                let part = keeps.part(&kept, at, PART_BYTES);
                let part = part.map_err(|error| Status::not_found(error.to_string()));
                at += part.as_ref().map_or(0, |part| part.len() as u64);
                let is_over = part.as_ref().is_ok_and(Bytes::is_empty) || part.is_err();
                // Whoever asked may have gone.
                if parts.blocking_send(part.map(|bytes| FetchPart { bytes })).is_err() || is_over {
                    return;
                }
            }
        };
        drop(tokio::task::spawn_blocking(give));
        Ok(Response::new(ReceiverStream::new(coming)))
    }

    async fn release(
        &self,
        call: Request<ReleaseRequest>,
    ) -> Result<Response<ReleaseReply>, Status> {
        let kept = read_all(&call.get_ref().kept)?;
        let keeps = Arc::clone(&self.0);
        let released = tokio::task::spawn_blocking(move || keeps.release(&kept)).await;
        released.map_err(|_| Status::internal("the member is at fault"))?;
        Ok(Response::new(ReleaseReply {}))
    }

    async fn copy(&self, call: Request<CopyRequest>) -> Result<Response<CopyReply>, Status> {
        let kept = read_all(&call.get_ref().kept)?;
        let keeps = Arc::clone(&self.0);
        let states = tokio::task::spawn_blocking(move || keeps.copy(&kept)).await;
        let states = states.map_err(|_| Status::internal("the member is at fault"))?;
        let is_taken = |state: &&CopyState| matches!(state, CopyState::There | CopyState::Coming);
        let taken = states.iter().take_while(is_taken).count() as u32;
        let each: Vec<u8> = states.into_iter().map(CopyState::byte).collect();
        Ok(Response::new(CopyReply { taken, each: each.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_says_of_copies_is_understood_of_older_and_newer_ones() {
        use CopyState::{Coming, Full, Refused, There};
        let each = [There, Coming, Full, Refused];
        let bytes: Vec<u8> = each.into_iter().map(CopyState::byte).collect();
        let reply = |taken, each: &[u8]| CopyReply { taken, each: each.to_vec().into() };
        assert_eq!(states(&reply(2, &bytes), 4), each);
        assert_eq!(states(&reply(2, &[]), 3), [Coming, Coming, Refused], "an older one");
        assert_eq!(states(&reply(1, &[9]), 1), [Refused], "a newer one");
    }
}
