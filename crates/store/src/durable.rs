//! A store that keeps blobs in named files, so that a later process reads them.
//!
//! A blob is safe from a crash once [`DurableStore::sync`] has come back; whoever writes down a
//! reference to it syncs first. Each life of a process writes files of its own, after those that it
//! found. Each blob follows its length and BLAKE3, which reading checks. What is released one by
//! one is only counted; what nobody can ask for any more is discarded together. Where the disk is
//! full, writers wait for space until they are told to give up.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bary_model::payload::{BlobRef, Kept};
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

use crate::segment::{read_exact_at, write_all_at};

mod discard;

/// After how many bytes a new file of blobs is begun.
pub const BLOB_FILE_BYTES_MAX: u64 = 256 << 20;

/// The durable store's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] =
    &[("blob_file_bytes_max", "256 MiB", "bytes of one file of large results under --state")];

/// What comes before each blob: its length and its hash.
const HEAD_BYTES: u64 = 8 + 32;
/// A blob's name is its file's number and where in it the head is.
const OFFSET_BITS: u32 = 40;
/// How much is moved at a time between a disk and a reader or a writer.
const COPY_BYTES: usize = 256 * 1024;
/// How long a writer waits before it tries a full disk again.
const FULL_WAIT: Duration = Duration::from_millis(200);

/// Hears that writers wait for space, and that they no longer do.
pub type Told = Box<dyn Fn(bool) + Send>;

/// Keeps blobs in the files of a directory.
pub struct DurableStore {
    dir: PathBuf,
    state: Mutex<State>,
    /// How many bytes readers have given back.
    released: AtomicU64,
    /// Whether writers no longer wait for space.
    gave_up: AtomicBool,
    /// Who hears that some wait, and whether they do.
    waiting: Mutex<(Option<Told>, bool)>,
}

impl std::fmt::Debug for DurableStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DurableStore").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    /// The files of this life and those of earlier ones that were read, by number.
    open: std::collections::BTreeMap<u64, Arc<File>>,
    /// The number and the end of the file that is written, where there is one.
    newest: Option<(u64, u64)>,
    /// The number of the next file.
    next: u64,
    /// Files that were written and are not synced.
    dirty: Vec<u64>,
    /// Whether a file was made whose name is not synced.
    unnamed: bool,
}

/// Where a blob goes.
struct Place {
    id: u64,
    file: Arc<File>,
    offset: u64,
}

impl DurableStore {
    /// The store of a directory, which is made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made or read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut next = 1;
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".blobs")?.parse().ok());
            next = next.max(number.map_or(0, |number: u64| number + 1));
        }
        let state = Mutex::new(State { next, ..State::default() });
        let (gave_up, waiting) = (AtomicBool::new(false), Mutex::new((None, false)));
        Ok(Self { dir: dir.to_owned(), state, released: AtomicU64::new(0), gave_up, waiting })
    }

    /// Makes durable all that was put so far.
    ///
    /// # Errors
    /// Where the system cannot say that it is; nobody knows what of it is then.
    pub fn sync(&self) -> io::Result<()> {
        let (files, unnamed) = {
            let mut state = self.state();
            let dirty = std::mem::take(&mut state.dirty);
            let files: Vec<_> = dirty.iter().filter_map(|n| state.open.get(n).cloned()).collect();
            (files, std::mem::take(&mut state.unnamed))
        };
        for file in files {
            file.sync_data()?;
        }
        if unnamed { sync_directory(&self.dir) } else { Ok(()) }
    }

    /// Has `told` hear, from now on, when writers begin to wait for space and when they go on.
    pub fn tell(&self, told: Told) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(told);
    }

    fn set_waiting(&self, waits: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut waiting.1, waits) != waits
            && let Some(told) = &waiting.0
        {
            told(waits);
        }
    }

    /// How many bytes of blobs nobody in this process reads any more. They take space until nothing
    /// durable names them either, and they are discarded.
    #[must_use]
    pub fn released(&self) -> u64 {
        self.released.load(Ordering::Relaxed)
    }

    /// Lets nobody wait for space any more: what finds the disk full from now on fails.
    pub fn give_up(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }

    /// The hash of a blob, as it was kept.
    ///
    /// # Errors
    /// Where there is no such blob.
    pub fn hash(&self, blob: BlobRef) -> Result<[u8; 32], StoreError> {
        self.find(blob).map(|(.., hash)| *hash.as_bytes())
    }

    /// At most so many of the bytes that a cluster knows by this name, from a place on; none at
    /// their end. They are not checked, which whoever has all of them does.
    ///
    /// # Errors
    /// Where they are not here, or the disk fails.
    pub fn part(&self, kept: &Kept, at: u64, most: usize) -> Result<Bytes, StoreError> {
        let (file, offset, hash) = self.find(kept.blob)?;
        if hash != kept.hash {
            return Err(StoreError::Missing(kept.blob.id));
        }
        let left = kept.blob.len.saturating_sub(at);
        let mut part = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(most)];
        read_exact_at(&file, &mut part, offset + at).map_err(|_| self.damaged(kept.blob))?;
        Ok(part.into())
    }

    /// Copies a blob to another store, under a name of its own there.
    ///
    /// # Errors
    /// Where it is not what was kept, or cannot be written.
    pub fn copy(&self, blob: BlobRef, to: &Self) -> Result<BlobRef, StoreError> {
        let (file, offset, hash) = self.find(blob)?;
        let place = to.place(blob.len).map_err(|cause| to.unwritten(cause))?;
        let (mut hasher, mut at) = (blake3::Hasher::new(), HEAD_BYTES);
        let damaged = || self.damaged(blob);
        parts(&file, offset, blob.len, &damaged, |part| {
            hasher.update(part);
            to.write(&place, at, part).map_err(|cause| to.unwritten(cause))?;
            at += part.len() as u64;
            Ok(())
        })?;
        if hasher.finalize() == hash { to.seal(&place, blob.len, hash) } else { Err(damaged()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self, source: io::Error) -> StoreError {
        StoreError::Dir { dir: self.dir.clone(), source }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:06}.blobs"))
    }

    /// Sets room aside for a blob.
    fn place(&self, len: u64) -> io::Result<Place> {
        let mut state = self.state();
        let need = HEAD_BYTES + len;
        let fits = |(_, end): &(u64, u64)| *end == 0 || end + need <= BLOB_FILE_BYTES_MAX;
        let (number, offset) = match state.newest.filter(fits) {
            Some(newest) => newest,
            None => {
                let number = state.next;
                let options = OpenOptions::new().read(true).write(true).create_new(true).clone();
                let file = options.open(self.path(number))?;
                state.open.insert(number, Arc::new(file));
                (state.next, state.unnamed) = (number + 1, true);
                (number, 0)
            }
        };
        state.newest = Some((number, offset + need));
        let file = Arc::clone(&state.open[&number]);
        Ok(Place { id: number << OFFSET_BITS | offset, file, offset })
    }

    /// Writes at a place; waits for space where there is none.
    fn write(&self, place: &Place, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut waited = false;
        loop {
            match write_all_at(&place.file, bytes, place.offset + at) {
                Err(cause) if is_full(&cause) && !self.gave_up.load(Ordering::Relaxed) => {
                    waited = true;
                    self.set_waiting(true);
                    std::thread::sleep(FULL_WAIT);
                }
                written => {
                    if waited {
                        self.set_waiting(false);
                    }
                    return written;
                }
            }
        }
    }

    /// Writes the head last: it says what the bytes are.
    fn seal(&self, place: &Place, len: u64, hash: blake3::Hash) -> Result<BlobRef, StoreError> {
        let mut head = Vec::with_capacity(HEAD_BYTES as usize);
        head.extend_from_slice(&len.to_le_bytes());
        head.extend_from_slice(hash.as_bytes());
        self.write(place, 0, &head).map_err(|cause| self.unwritten(cause))?;
        let mut state = self.state();
        let number = place.id >> OFFSET_BITS;
        if !state.dirty.contains(&number) {
            state.dirty.push(number);
        }
        Ok(BlobRef { id: place.id, len })
    }

    /// The file of a blob and its hash, where it has the length that it should.
    fn find(&self, blob: BlobRef) -> Result<(Arc<File>, u64, blake3::Hash), StoreError> {
        let (number, offset) = (blob.id >> OFFSET_BITS, blob.id & ((1 << OFFSET_BITS) - 1));
        let file = self.file(number).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => self.spoilt(blob, "is not there"),
            _ => cause.into(),
        })?;
        let mut head = [0; HEAD_BYTES as usize];
        read_exact_at(&file, &mut head, offset).map_err(|_| self.damaged(blob))?;
        let (len, hash) = head.split_at(8);
        let hash = <[u8; 32]>::try_from(hash).map_err(|_| self.damaged(blob))?;
        if len != blob.len.to_le_bytes() {
            return Err(self.damaged(blob));
        }
        Ok((file, offset + HEAD_BYTES, blake3::Hash::from_bytes(hash)))
    }

    /// The bytes of a blob are not those that were kept.
    fn damaged(&self, blob: BlobRef) -> StoreError {
        let offset = blob.id & ((1 << OFFSET_BITS) - 1);
        self.spoilt(blob, &format!("is damaged at offset {offset}"))
    }

    fn spoilt(&self, blob: BlobRef, what: &str) -> StoreError {
        let file = self.path(blob.id >> OFFSET_BITS);
        StoreError::Spoilt { file, what: what.to_owned() }
    }

    fn file(&self, number: u64) -> io::Result<Arc<File>> {
        let mut state = self.state();
        if let Some(file) = state.open.get(&number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(self.path(number))?);
        state.open.insert(number, Arc::clone(&file));
        Ok(file)
    }
}

impl Store for DurableStore {
    fn put(&self, bytes: &[u8]) -> Result<BlobRef, StoreError> {
        let len = bytes.len() as u64;
        let place = self.place(len).map_err(|cause| self.unwritten(cause))?;
        self.write(&place, HEAD_BYTES, bytes).map_err(|cause| self.unwritten(cause))?;
        self.seal(&place, len, blake3::hash(bytes))
    }

    fn put_from(&self, from: &mut dyn Read, len: u64) -> Result<BlobRef, StoreError> {
        let place = self.place(len).map_err(|cause| self.unwritten(cause))?;
        let mut hasher = blake3::Hasher::new();
        let mut part = vec![0; COPY_BYTES];
        let mut at = 0;
        while at < len {
            let left = part_of(len - at);
            from.read_exact(&mut part[..left])?;
            hasher.update(&part[..left]);
            let written = self.write(&place, HEAD_BYTES + at, &part[..left]);
            written.map_err(|cause| self.unwritten(cause))?;
            at += left as u64;
        }
        self.seal(&place, len, hasher.finalize())
    }

    fn get(&self, blob: BlobRef) -> Result<Bytes, StoreError> {
        let (file, offset, hash) = self.find(blob)?;
        let len =
            usize::try_from(blob.len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let mut bytes = vec![0; len];
        read_exact_at(&file, &mut bytes, offset).map_err(|_| self.damaged(blob))?;
        if blake3::hash(&bytes) == hash { Ok(bytes.into()) } else { Err(self.damaged(blob)) }
    }

    fn read_to(&self, blob: BlobRef, to: &mut dyn Write) -> Result<(), StoreError> {
        let (file, offset, hash) = self.find(blob)?;
        // What is not what was written is not handed on, not even its beginning.
        let mut hasher = blake3::Hasher::new();
        let each = |part: &[u8]| {
            hasher.update(part);
            Ok(())
        };
        let damaged = || self.damaged(blob);
        parts(&file, offset, blob.len, &damaged, each)?;
        if hasher.finalize() != hash {
            return Err(damaged());
        }
        let give = |part: &[u8]| to.write_all(part).map_err(StoreError::Sink);
        parts(&file, offset, blob.len, &damaged, give)
    }

    fn release(&self, blob: BlobRef) {
        self.released.fetch_add(HEAD_BYTES + blob.len, Ordering::Relaxed);
    }
}

/// Hands on a blob part by part.
fn parts(
    file: &File,
    offset: u64,
    len: u64,
    damaged: &dyn Fn() -> StoreError,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut part = vec![0; COPY_BYTES];
    let mut at = 0;
    while at < len {
        let left = part_of(len - at);
        let read = read_exact_at(file, &mut part[..left], offset + at);
        read.map_err(|_| damaged())?;
        each(&part[..left])?;
        at += left as u64;
    }
    Ok(())
}

fn part_of(left: u64) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(COPY_BYTES)
}

fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(unix)]
fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Elsewhere directories cannot be synced; their systems write names through.
#[cfg(not(unix))]
fn sync_directory(_dir: &Path) -> io::Result<()> {
    Ok(())
}
