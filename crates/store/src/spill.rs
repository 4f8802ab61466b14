//! A store that keeps blobs in memory up to a limit and the rest in unlinked files.
//!
//! It promises what the port does, as long as the process lives. It fails where its directory's
//! disk does; what was kept before can still be read then.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::payload::BlobRef;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

use crate::segment::{Extent, Segments};

/// How much a store keeps, and where.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The most bytes kept in memory; more go to disk. Defaults to 64 MiB.
    pub memory_bytes_max: u64,
    /// The most bytes kept in all; a store with more is full. Defaults to 64 GiB.
    pub store_bytes_max: u64,
    /// After how many bytes a new file is begun. Released space comes back a file at a time, so
    /// that a smaller number frees sooner and opens more files. Defaults to 64 MiB.
    pub segment_bytes_max: u64,
    /// The directory of the files, which have no names in it. Defaults to the system's.
    pub dir: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            store_bytes_max: 64 << 30,
            segment_bytes_max: 64 << 20,
            dir: std::env::temp_dir(),
        }
    }
}

/// The store's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("memory_bytes_max", "64 MiB", "bytes of results in memory before they go to files"),
    ("store_bytes_max", "64 GiB", "bytes of results in all; a task that gives more fails"),
    ("segment_bytes_max", "64 MiB", "bytes of one file of results"),
];

/// Keeps blobs in memory, then on disk.
pub struct SpillStore {
    config: StoreConfig,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: HashMap<u64, Place>,
    next: u64,
    memory: u64,
    total: u64,
    segments: Segments,
}

#[derive(Clone)]
enum Place {
    Memory(Bytes),
    Disk(Extent),
}

/// Where a new blob may go; its room is taken already.
enum Room {
    Memory,
    Disk(Extent),
}

/// Why bytes did not get from a reader to disk.
enum CopyError {
    Source(io::Error),
    Disk(io::Error),
}

/// How much is moved at a time between a disk and a reader or a writer.
const COPY_BYTES: usize = 256 * 1024;

impl std::fmt::Debug for SpillStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpillStore").field("config", &self.config).finish_non_exhaustive()
    }
}

impl SpillStore {
    /// An empty store. Its first file is made when memory is full.
    #[must_use]
    pub fn new(config: StoreConfig) -> Self {
        Self { config, state: Mutex::default() }
    }

    /// How many bytes are kept, in memory and in all.
    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        let state = self.state();
        (state.memory, state.total)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, len: u64) -> Result<Room, StoreError> {
        let mut state = self.state();
        let limit = self.config.store_bytes_max;
        if len > limit.saturating_sub(state.total) {
            return Err(StoreError::Full { limit });
        }
        let in_memory = len <= self.config.memory_bytes_max.saturating_sub(state.memory);
        let room = if in_memory {
            state.memory += len;
            Room::Memory
        } else {
            let StoreConfig { segment_bytes_max, dir, .. } = &self.config;
            let extent = state.segments.reserve(len, *segment_bytes_max, dir);
            Room::Disk(extent.map_err(|source| self.unwritten(source))?)
        };
        state.total += len;
        Ok(room)
    }

    fn unwritten(&self, source: io::Error) -> StoreError {
        StoreError::Dir { dir: self.config.dir.clone(), source }
    }

    fn place(&self, blob: BlobRef) -> Result<Place, StoreError> {
        self.state().blobs.get(&blob.id).cloned().ok_or(StoreError::Missing(blob.id))
    }

    fn keep(&self, place: Place) -> BlobRef {
        let mut state = self.state();
        let blob = BlobRef { id: state.next, len: place.len() };
        state.next += 1;
        state.blobs.insert(blob.id, place);
        blob
    }

    fn free(&self, place: &Place) {
        let mut state = self.state();
        state.total -= place.len();
        match place {
            Place::Memory(bytes) => state.memory -= bytes.len() as u64,
            Place::Disk(extent) => state.segments.release(extent),
        }
    }

    /// Gives back the room of a blob that could not be read from its source.
    fn free_room(&self, room: &Room, len: u64) {
        let mut state = self.state();
        state.total -= len;
        match room {
            Room::Memory => state.memory -= len,
            Room::Disk(extent) => state.segments.release(extent),
        }
    }
}

impl Place {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(extent) => extent.len,
        }
    }
}

impl Store for SpillStore {
    fn put(&self, bytes: &[u8]) -> Result<BlobRef, StoreError> {
        let len = bytes.len() as u64;
        let place = match self.room(len)? {
            Room::Memory => Place::Memory(Bytes::copy_from_slice(bytes)),
            Room::Disk(extent) => {
                // The disk is written without the lock, so that others are not held up.
                if let Err(error) = extent.write(0, bytes) {
                    self.free_room(&Room::Disk(extent), len);
                    return Err(self.unwritten(error));
                }
                Place::Disk(extent)
            }
        };
        Ok(self.keep(place))
    }

    fn put_from(&self, from: &mut dyn Read, len: u64) -> Result<BlobRef, StoreError> {
        let room = self.room(len)?;
        let read = match &room {
            Room::Memory => read_all(from, len)
                .map(|bytes| Place::Memory(bytes.into()))
                .map_err(CopyError::Source),
            Room::Disk(extent) => copy(from, extent).map(|()| Place::Disk(extent.clone())),
        };
        read.map(|place| self.keep(place)).map_err(|error| {
            self.free_room(&room, len);
            match error {
                CopyError::Source(error) => error.into(),
                CopyError::Disk(error) => self.unwritten(error),
            }
        })
    }

    fn get(&self, blob: BlobRef) -> Result<Bytes, StoreError> {
        match self.place(blob)? {
            Place::Memory(bytes) => Ok(bytes),
            Place::Disk(extent) => Ok(extent.read()?.into()),
        }
    }

    fn read_to(&self, blob: BlobRef, to: &mut dyn Write) -> Result<(), StoreError> {
        // The lock is given back first: a writer may take its time.
        match self.place(blob)? {
            Place::Memory(bytes) => to.write_all(&bytes).map_err(StoreError::Sink),
            Place::Disk(extent) => copy_out(&extent, to),
        }
    }

    fn release(&self, blob: BlobRef) {
        let place = self.state().blobs.remove(&blob.id);
        if let Some(place) = place {
            self.free(&place);
        }
    }
}

fn read_all(from: &mut dyn Read, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn copy_out(extent: &Extent, to: &mut dyn Write) -> Result<(), StoreError> {
    let mut part = vec![0; COPY_BYTES];
    let mut at = 0;
    while at < extent.len {
        let left = usize::try_from(extent.len - at).unwrap_or(usize::MAX).min(COPY_BYTES);
        extent.read_part(at, &mut part[..left])?;
        to.write_all(&part[..left]).map_err(StoreError::Sink)?;
        at += left as u64;
    }
    Ok(())
}

fn copy(from: &mut dyn Read, extent: &Extent) -> Result<(), CopyError> {
    let mut part = vec![0; COPY_BYTES];
    let mut at = 0;
    while at < extent.len {
        let left = usize::try_from(extent.len - at).unwrap_or(usize::MAX).min(COPY_BYTES);
        from.read_exact(&mut part[..left]).map_err(CopyError::Source)?;
        extent.write(at, &part[..left]).map_err(CopyError::Disk)?;
        at += left as u64;
    }
    Ok(())
}
