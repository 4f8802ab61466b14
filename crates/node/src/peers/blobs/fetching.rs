//! Fetching results of other members: once for all who want the same, gone on with where it was cut
//! off, from the member that made them or any that has a copy. What it takes of memory does not
//! grow with what is fetched.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bary_model::payload::Kept;
use bary_ports::store::StoreError;
use bary_store::shelf::{Draft, Shelf};
use bary_transport::mesh::shelf::{FetchError, PARTS_AHEAD_MAX};
use tokio::sync::mpsc;

use super::Blobs;
use crate::peers::holders::Holder;
use crate::serve::log::Level;

/// How many results are fetched at a time.
pub(super) const FETCHES_MAX: usize = 16;
/// How often fetching is tried in a row without a byte that comes.
const TRIES_MAX: u32 = 5;
/// How long after the first failure it is tried again; twice as long after each more.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// How many members are asked whether they have a copy.
const ASKED_MAX: usize = 16;
/// From which size on it is told how long a fetch took.
const TOLD_BYTES_MIN: u64 = 64 << 20;

/// Why bytes did not come.
#[derive(Clone, Debug)]
pub(super) enum Lack {
    /// Who has them is not there, or broke off.
    Away(Box<str>),
    /// Nobody has them any more.
    Gone(Box<str>),
    /// They cannot be kept here.
    Own(Box<str>),
}

impl From<Lack> for StoreError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Away(why) => Self::Away(why),
            Lack::Gone(why) => Self::Gone(why),
            Lack::Own(why) => Self::Disk(std::io::Error::other(String::from(why))),
        }
    }
}

impl From<StoreError> for Lack {
    fn from(error: StoreError) -> Self {
        Self::Own(error.to_string().into())
    }
}

impl Blobs {
    /// Has bytes of another member come, and waits until they are on the shelf of what was fetched.
    pub(super) fn fetch(&self, kept: &Kept) -> Result<(), Lack> {
        let stopped = || Lack::Away("this member stops".into());
        let (say, said) = channel();
        let mut flights = self.flights();
        let waiting = flights.entry(*kept).or_default();
        waiting.push(say);
        let is_first = waiting.len() == 1;
        drop(flights);
        if is_first {
            let blobs = self.itself.upgrade().ok_or_else(stopped)?;
            let kept = *kept;
            drop(self.on.spawn(async move {
                // It is closed with the process.
                let place = blobs.places.acquire().await;
                let fetching = blobs.itself.clone();
                let fetch = move || match fetching.upgrade() {
                    Some(blobs) => blobs.bring(&kept, &blobs.fetched),
                    None => Err(stopped()),
                };
                let fetched = tokio::task::spawn_blocking(fetch).await;
                drop(place);
                let fetched = fetched.unwrap_or_else(|_| Err(stopped()));
                let waiting = blobs.flights().remove(&kept).unwrap_or_default();
                // Whoever waited may have gone.
                waiting.into_iter().for_each(|one| drop(one.send(fetched.clone())));
            }));
        }
        said.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Brings bytes onto a shelf here. Blocks until they are there, or cannot be had now.
    pub(super) fn bring(&self, kept: &Kept, onto: &Shelf) -> Result<(), Lack> {
        if onto.has(kept) {
            return Ok(());
        }
        let began = Instant::now();
        let mut draft = onto.draft(kept)?;
        let mut tries = 0;
        loop {
            let before = draft.len();
            let lack = match self.pull(kept, &mut draft) {
                Ok(()) => match draft.finish() {
                    Ok(()) => {
                        self.tell_span(kept, began);
                        return Ok(());
                    }
                    Err(StoreError::Spoilt { .. }) => {
                        draft = onto.draft(kept)?;
                        Lack::Away("what came of it was damaged".into())
                    }
                    Err(error) => return Err(error.into()),
                },
                Err(lack) => lack,
            };
            tries = if draft.len() > before { 1 } else { tries + 1 };
            let Lack::Away(_) = &lack else { return Err(lack) };
            if tries >= TRIES_MAX || !self.is_there(kept.member) {
                return Err(lack);
            }
            std::thread::sleep(WAIT_MIN * 2_u32.pow(tries - 1));
        }
    }

    fn is_there(&self, member: u64) -> bool {
        self.peers.upgrade().is_some_and(|peers| matches!(peers.holder(member), Holder::There(_)))
    }

    fn tell_span(&self, kept: &Kept, began: Instant) {
        let (bytes, seconds) = (kept.blob.len, began.elapsed().as_secs_f64());
        if bytes >= TOLD_BYTES_MIN {
            let text = format!("fetched a result of {bytes} bytes in {seconds:.3} s");
            self.log.say(Level::Info, &text, &[]);
        }
    }

    /// Takes what is lacking from the member that made it, or else from any that has it.
    fn pull(&self, kept: &Kept, draft: &mut Draft<'_>) -> Result<(), Lack> {
        if draft.len() == kept.blob.len {
            return Ok(());
        }
        let Some(peers) = self.peers.upgrade() else {
            return Err(Lack::Away("this member stops".into()));
        };
        let mut lack = match peers.holder(kept.member) {
            _ if kept.member == self.me => Lack::Gone("its file was lost or damaged here".into()),
            Holder::There(name) => match self.pull_from(kept.member, kept, draft)? {
                Ok(()) => return Ok(()),
                Err(FetchError::Missing) => Lack::Gone(format!("{name} has it no more").into()),
                Err(error) => Lack::Away(format!("{name} broke off: {error}").into()),
            },
            Holder::Away(why) => Lack::Away(why.into()),
            Holder::Removed(why) => Lack::Gone(why.into()),
        };
        let near = peers.nearest();
        let others = near.iter().copied().filter(|member| *member != kept.member);
        for member in others.take(ASKED_MAX) {
            match self.pull_from(member, kept, draft)? {
                Ok(()) => return Ok(()),
                Err(FetchError::Missing) => {}
                // It may have a copy, so that it is not known that nobody has.
                Err(error) => {
                    if let Lack::Gone(why) = lack {
                        lack = Lack::Away(format!("{why}; a member broke off: {error}").into());
                    }
                }
            }
        }
        Err(match lack {
            // Nobody knows what they have.
            Lack::Gone(why) if near.len() + 1 < peers.members().len() => {
                Lack::Away(format!("{why}; a member that is away may have a copy").into())
            }
            lack => lack,
        })
    }

    /// Takes what is lacking from a member.
    fn pull_from(
        &self,
        member: u64,
        kept: &Kept,
        draft: &mut Draft<'_>,
    ) -> Result<Result<(), FetchError>, Lack> {
        let (into, mut coming) = mpsc::channel(PARTS_AHEAD_MAX);
        let (mesh, wanted, at) = (self.mesh.clone(), *kept, draft.len());
        let fetching = self.on.spawn(async move { mesh.fetch(member, &wanted, at, into).await });
        while let Some(part) = coming.blocking_recv() {
            draft.take(&part)?;
        }
        drop(coming);
        let fetched = self.on.block_on(fetching);
        let broke = |_| FetchError::Refused("this member stops".into());
        Ok(match fetched.map_err(broke).and_then(|fetched| fetched) {
            Ok(()) if draft.len() < kept.blob.len => {
                Err(FetchError::Refused("it ended before its end".into()))
            }
            fetched => fetched,
        })
    }
}
