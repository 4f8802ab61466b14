//! Results that are too large to ride along stay with the member that made them. What is told to
//! other members names where in the cluster they are, once they are on the disk; whoever reads them
//! has them fetched then, and what was read of late is kept here as well.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::payload::{BlobRef, Kept, Payload};
use bary_ports::store::{Store, StoreError};
use bary_ports::transport::Inbox;
use bary_store::durable::DurableStore;
use bary_store::shelf::{Shelf, ShelfConfig};
use bary_transport::mesh::Mesh;
use bary_transport::mesh::shelf::{CopyState, Keeps};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::roster::Peers;
use crate::journal::releases::Releases;
use crate::serve::log::Log;

pub(crate) mod copying;
pub(crate) mod keeping;

mod fetching;
mod giving_back;
mod plan;
mod telling;

use copying::Wanted;
use fetching::Lack;
use keeping::Keeping;
use telling::{Telling, Whom};

/// The directory of results in a state that were fetched from other members; nothing is lost with
/// it.
const FETCHED: &str = "fetched";
/// The directory of results in a state that other members made, and that are kept here as well.
const COPIES: &str = "copies";

/// The limits of results in a cluster as the documentation lists them: name, default and meaning.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    (
        "fetched_bytes_max",
        "4 GiB",
        "bytes of other members' results that were read here; the longest unread go first",
    ),
    ("copies_bytes_max", "64 GiB", "bytes of other members' results that are kept here as well"),
    ("fetches_max", "16", "results of other members that are fetched at a time"),
    ("fetch_tries_max", "5", "tries in a row to fetch a result without a byte that comes"),
    (
        "copies_wanted_max",
        "65,536",
        "results that wait to be copied; of one more there is no copy, or with replicas later",
    ),
    (
        "copies_unheard_max",
        "65,536",
        "copies that a member which is away is to give back; it keeps one more for good",
    ),
    (
        "copy_holders_asked_max",
        "16",
        "members that are asked for a copy of a result, the nearest first",
    ),
];

/// Most bytes of results that were fetched to be read, and may be read again.
pub(crate) const FETCHED_BYTES_MAX: u64 = 4 << 30;
/// Most bytes of results of other members that are kept here as well.
pub(crate) const COPIES_BYTES_MAX: u64 = 64 << 30;

/// Those who wait for what comes at the moment.
type Flights = BTreeMap<Kept, Vec<Sender<Result<(), Lack>>>>;

/// The results of this member, and those of others as they are read.
pub(crate) struct Blobs {
    me: u64,
    own: Arc<DurableStore>,
    fetched: Shelf,
    copies: Shelf,
    mesh: Mesh,
    peers: Weak<Peers>,
    on: Handle,
    log: Log,
    telling: SyncSender<Telling>,
    /// What comes at the moment, and who waits for it.
    flights: Mutex<Flights>,
    places: Semaphore,
    /// What is to be kept here as well, or elsewhere.
    wanted: Mutex<Wanted>,
    /// The homes here whose jobs several members keep.
    homes: Mutex<Vec<Weak<Keeping>>>,
    /// What nobody here reads any more, and whose member has not heard so.
    releases: Arc<Releases>,
    /// Itself, for what goes on beside its callers.
    itself: Weak<Self>,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Blobs {
    /// The results of a state, whose member knows these others.
    pub(super) fn open(
        peers: &Arc<Peers>,
        own: Arc<DurableStore>,
        releases: Arc<Releases>,
        state: &Path,
    ) -> io::Result<Arc<Self>> {
        let passing = ShelfConfig { bytes_max: FETCHED_BYTES_MAX, passing: true };
        let lasting = ShelfConfig { bytes_max: COPIES_BYTES_MAX, passing: false };
        let fetched = Shelf::open(&state.join(FETCHED), passing)?;
        let copies = Shelf::open(&state.join(COPIES), lasting)?;
        let (me, mesh, log) = (peers.me(), peers.mesh().clone(), peers.log);
        let telling = telling::start(me, Arc::clone(&own), mesh.clone(), log)?;
        Ok(Arc::new_cyclic(|itself| Self {
            me,
            own,
            fetched,
            copies,
            mesh,
            peers: Arc::downgrade(peers),
            on: peers.on.clone(),
            log,
            telling,
            flights: Mutex::default(),
            places: Semaphore::new(fetching::FETCHES_MAX),
            wanted: Mutex::default(),
            homes: Mutex::default(),
            releases,
            itself: itself.clone(),
        }))
    }

    /// Tells a node of another member what refers to results of this one, once they are on the
    /// disk. Where too much waits for that it is lost, and links say it again.
    pub(super) fn tell(&self, from: NodeId, to: NodeId, frame: &Frame) {
        // As said above.
        let to = Whom::There(to);
        drop(self.telling.try_send(Telling { from, to, frame: frame.clone() }));
    }

    /// As [`Blobs::tell`], a node of this process that has no store.
    pub(crate) fn tell_here(&self, from: NodeId, frame: &Frame, to: Arc<dyn Inbox>) {
        let to = Whom::Here(to);
        // As said above.
        drop(self.telling.try_send(Telling { from, to, frame: frame.clone() }));
    }

    /// Has a payload mean the same to all members.
    pub(crate) fn name(&self, payload: &mut Payload) {
        telling::name((self.me, &self.own), payload);
    }

    /// Where bytes of another member are here, if anywhere.
    fn shelf_of(&self, kept: &Kept) -> Option<&Shelf> {
        [&self.copies, &self.fetched].into_iter().find(|shelf| shelf.has(kept))
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peers {
    /// The results of a state, and those of the others as they are read.
    pub(crate) fn blobs(
        self: &Arc<Self>,
        own: Arc<DurableStore>,
        releases: Arc<Releases>,
        state: &Path,
    ) -> io::Result<Arc<Blobs>> {
        Blobs::open(self, own, releases, state)
    }

    /// The results of this member, once it has any.
    pub(crate) fn results(&self) -> Option<&Arc<Blobs>> {
        self.inside.get().map(|inside| &inside.blobs)
    }

    /// Tells a node of another member what refers to results of this one.
    pub(super) fn tell_of_results(&self, from: NodeId, to: NodeId, frame: &Frame) {
        if let Some(inside) = self.inside.get() {
            inside.blobs.tell(from, to, frame);
        }
    }
}

impl Store for Blobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobRef, StoreError> {
        self.own.put(bytes)
    }

    fn put_from(&self, from: &mut dyn Read, len: u64) -> Result<BlobRef, StoreError> {
        self.own.put_from(from, len)
    }

    fn get(&self, blob: BlobRef) -> Result<Bytes, StoreError> {
        self.own.get(blob)
    }

    fn read_to(&self, blob: BlobRef, to: &mut dyn Write) -> Result<(), StoreError> {
        self.own.read_to(blob, to)
    }

    fn read_kept_to(&self, kept: &Kept, to: &mut dyn Write) -> Result<(), StoreError> {
        if kept.member == self.me && self.own.hash(kept.blob).is_ok_and(|hash| hash == kept.hash) {
            return self.own.read_to(kept.blob, to);
        }
        if let Some(shelf) = self.shelf_of(kept) {
            match shelf.read_to(kept, to) {
                // It has just gone, or was damaged: it is fetched once more.
                Err(StoreError::Missing(_) | StoreError::Spoilt { .. }) => {}
                read => return read,
            }
        }
        self.fetch(kept)?;
        match self.fetched.read_to(kept, to) {
            Err(StoreError::Missing(_)) => {
                let why = "what was fetched of it had to give way at once; try again";
                Err(StoreError::Away(why.into()))
            }
            read => read,
        }
    }

    fn release(&self, blob: BlobRef) {
        self.own.release(blob);
    }

    fn copy_kept(&self, kept: &Kept, copies: u8) {
        self.want(*kept, copies, None);
    }

    /// Nothing is given back yet: something durable may refer to it still.
    fn release_kept(&self, kept: &Kept) {
        self.unwant(kept);
        self.own.release(kept.blob);
    }
}

impl Keeps for Blobs {
    fn part(&self, kept: &Kept, at: u64, most: usize) -> Result<Bytes, StoreError> {
        if kept.member == self.me {
            return self.own.part(kept, at, most);
        }
        let shelf = self.shelf_of(kept).ok_or(StoreError::Missing(kept.blob.id))?;
        shelf.part(kept, at, most)
    }

    fn release(&self, kept: &[Kept]) {
        self.give_back(kept);
    }

    fn copy(&self, kept: &[Kept]) -> Vec<CopyState> {
        kept.iter().map(|kept| self.copy_state(kept)).collect()
    }
}
