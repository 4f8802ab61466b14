//! Bytes that other members of a cluster made: each in a file of its own, which is named after
//! where they were made and what they are, and appears when all of them have come and are right.
//! What has come of others waits in a draft, and is gone on with.
//!
//! A shelf has a limit in bytes. Where it is for what may come again, the longest unread go first;
//! else nothing more is taken.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::payload::{BlobRef, Kept};
use bary_ports::store::StoreError;
use bytes::Bytes;

use crate::segment::read_exact_at;

/// What the name of a file ends with of which not all bytes have come.
const DRAFT: &str = ".part";
const WHOLE: &str = ".kept";
/// How much is moved at a time between a disk and a reader.
const COPY_BYTES: usize = 256 << 10;

/// How a shelf is kept.
#[derive(Clone, Copy, Debug)]
pub struct ShelfConfig {
    /// Bytes of all that is on it, drafts included.
    pub bytes_max: u64,
    /// Whether what was not read for longest goes where there is no room.
    pub passing: bool,
}

/// Keeps bytes of other members in a directory.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    config: ShelfConfig,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is there, and when it was last read, as a count of reads.
    all: BTreeMap<Kept, u64>,
    reads: u64,
    bytes: u64,
}

/// Bytes that come.
#[derive(Debug)]
pub struct Draft<'a> {
    shelf: &'a Shelf,
    kept: Kept,
    path: PathBuf,
    file: File,
    hasher: blake3::Hasher,
    len: u64,
}

impl Shelf {
    /// The shelf of a directory, which is made where it is missing. What it has stays, also where
    /// that is more than it may have from now on.
    ///
    /// # Errors
    /// Where it cannot be made or read.
    pub fn open(dir: &Path, config: ShelfConfig) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut state = State::default();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            let Some((kept, whole)) = name.to_str().and_then(read_name) else { continue };
            if whole {
                state.all.insert(kept, 0);
                state.bytes += kept.blob.len;
            } else if config.passing {
                fs::remove_file(dir.join(name))?;
            }
        }
        Ok(Self { dir: dir.to_owned(), config, state: Mutex::new(state) })
    }

    /// Whether bytes are here.
    #[must_use]
    pub fn has(&self, kept: &Kept) -> bool {
        self.state().all.contains_key(kept)
    }

    /// Whether so many more bytes may be put on it without another giving way.
    #[must_use]
    pub fn has_room(&self, len: u64) -> bool {
        self.state().bytes.saturating_add(len) <= self.config.bytes_max
    }

    /// Begins to take bytes in, or goes on with what has come of them. One at a time may take in
    /// the same.
    ///
    /// # Errors
    /// Where there is no room for them, or the disk fails.
    pub fn draft(&self, kept: &Kept) -> Result<Draft<'_>, StoreError> {
        self.make_room(kept.blob.len)?;
        let path = self.dir.join(name(kept, DRAFT));
        let failed = |source| StoreError::Dir { dir: self.dir.clone(), source };
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&path).map_err(failed)?;
        let (mut hasher, mut len) = (blake3::Hasher::new(), 0);
        let mut part = vec![0; COPY_BYTES];
        loop {
            match file.read(&mut part)? {
                0 => break,
                read => {
                    hasher.update(&part[..read]);
                    len += read as u64;
                }
            }
        }
        let mut draft = Draft { shelf: self, kept: *kept, path, file, hasher, len };
        if draft.len > kept.blob.len {
            draft.begin_anew()?;
        }
        Ok(draft)
    }

    /// Reads bytes into `to`, and nothing of them where they are not what was kept.
    ///
    /// # Errors
    /// Where they are not here, or the disk or `to` fails.
    pub fn read_to(&self, kept: &Kept, to: &mut dyn Write) -> Result<(), StoreError> {
        let mut file = self.file(kept)?;
        self.noted(kept);
        let mut hasher = blake3::Hasher::new();
        let mut part = vec![0; COPY_BYTES];
        loop {
            match file.read(&mut part)? {
                0 => break,
                read => hasher.update(&part[..read]),
            };
        }
        if hasher.finalize() != kept.hash {
            self.remove(kept);
            let (file, what) = (self.dir.join(name(kept, WHOLE)), "was damaged".to_owned());
            return Err(StoreError::Spoilt { file, what });
        }
        file.seek(SeekFrom::Start(0))?;
        loop {
            match file.read(&mut part)? {
                0 => return Ok(()),
                read => to.write_all(&part[..read]).map_err(StoreError::Sink)?,
            }
        }
    }

    /// At most so many of the bytes, from a place on; none at their end. They are not checked.
    ///
    /// # Errors
    /// Where they are not here, or the disk fails.
    pub fn part(&self, kept: &Kept, at: u64, most: usize) -> Result<Bytes, StoreError> {
        let file = self.file(kept)?;
        let left = kept.blob.len.saturating_sub(at);
        let mut part = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(most)];
        read_exact_at(&file, &mut part, at)?;
        Ok(part.into())
    }

    /// Gives back the space of bytes; those that are not here are ignored. Who reads them at that
    /// moment reads on.
    pub fn remove(&self, kept: &Kept) {
        let mut state = self.state();
        if state.all.remove(kept).is_some() {
            state.bytes = state.bytes.saturating_sub(kept.blob.len);
        }
        for ending in [WHOLE, DRAFT] {
            // What cannot be removed now takes space until it is.
            drop(fs::remove_file(self.dir.join(name(kept, ending))));
        }
    }

    fn file(&self, kept: &Kept) -> Result<File, StoreError> {
        File::open(self.dir.join(name(kept, WHOLE))).map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return error.into();
            }
            self.remove(kept);
            StoreError::Missing(kept.blob.id)
        })
    }

    fn noted(&self, kept: &Kept) {
        let mut state = self.state();
        state.reads += 1;
        let now = state.reads;
        if let Some(read) = state.all.get_mut(kept) {
            *read = now;
        }
    }

    /// Has what was not read for longest go until so many bytes have room.
    fn make_room(&self, len: u64) -> Result<(), StoreError> {
        while !self.has_room(len) {
            let state = self.state();
            let oldest = state.all.iter().min_by_key(|(_, read)| **read).map(|(kept, _)| *kept);
            drop(state);
            match oldest.filter(|_| self.config.passing) {
                Some(oldest) => self.remove(&oldest),
                // One that is larger than all may be is read once, and goes with the next.
                None if self.config.passing => return Ok(()),
                None => return Err(StoreError::Full { limit: self.config.bytes_max }),
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft<'_> {
    /// How many bytes have come: where to go on.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes in the bytes that follow.
    ///
    /// # Errors
    /// Where they are too many, or the disk fails; the draft can be gone on with.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.len + bytes.len() as u64 > self.kept.blob.len {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too many bytes came").into());
        }
        let failed = |source| StoreError::Dir { dir: self.shelf.dir.clone(), source };
        self.file.write_all(bytes).map_err(failed)?;
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what has come.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn begin_anew(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.hasher, self.len) = (blake3::Hasher::new(), 0);
        Ok(())
    }

    /// Puts the bytes on the shelf, where they are what they should be; else forgets them. What is
    /// not passing is on the disk by then.
    ///
    /// # Errors
    /// Where they are others, or not all, or the disk fails.
    pub fn finish(self) -> Result<(), StoreError> {
        let Self { shelf, kept, path, file, hasher, len } = self;
        if len != kept.blob.len || hasher.finalize() != kept.hash {
            // What cannot be removed is begun anew.
            drop(fs::remove_file(&path));
            return Err(StoreError::Spoilt { file: path, what: "is not what was wanted".into() });
        }
        if !shelf.config.passing {
            file.sync_all()?;
        }
        fs::rename(&path, shelf.dir.join(name(&kept, WHOLE)))?;
        if !shelf.config.passing {
            sync_directory(&shelf.dir)?;
        }
        let mut state = shelf.state();
        state.reads += 1;
        let now = state.reads;
        if state.all.insert(kept, now).is_none() {
            state.bytes += len;
        }
        Ok(())
    }
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

fn name(kept: &Kept, ending: &str) -> String {
    let hash = blake3::Hash::from_bytes(kept.hash).to_hex();
    format!("{:x}-{:x}-{:x}-{hash}{ending}", kept.member, kept.blob.id, kept.blob.len)
}

/// What a file is of, and whether it is whole.
fn read_name(name: &str) -> Option<(Kept, bool)> {
    let (rest, whole) = match name.strip_suffix(WHOLE) {
        Some(rest) => (rest, true),
        None => (name.strip_suffix(DRAFT)?, false),
    };
    let mut parts = rest.split('-');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let (member, id, len) = (number()?, number()?, number()?);
    let hash = *blake3::Hash::from_hex(parts.next()?).ok()?.as_bytes();
    parts.next().is_none().then_some((Kept { member, blob: BlobRef { id, len }, hash }, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: &[u8], id: u64) -> Kept {
        let blob = BlobRef { id, len: bytes.len() as u64 };
        Kept { member: 5, blob, hash: *blake3::hash(bytes).as_bytes() }
    }

    fn take(shelf: &Shelf, bytes: &[u8], id: u64) -> Result<Kept, StoreError> {
        let kept = kept(bytes, id);
        let mut draft = shelf.draft(&kept)?;
        draft.take(bytes)?;
        draft.finish().map(|()| kept)
    }

    fn read(shelf: &Shelf, kept: &Kept) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        shelf.read_to(kept, &mut bytes).ok().map(|()| bytes)
    }

    const LASTING: ShelfConfig = ShelfConfig { bytes_max: 1_000, passing: false };

    #[test]
    fn what_was_cut_off_goes_on_where_it_was_also_in_a_later_life() {
        let dir = tempfile::tempdir().expect("there is room");
        let (first, second) = ([1; 300], [2; 100]);
        let wanted = kept(&[&first[..], &second].concat(), 7);
        {
            let shelf = Shelf::open(dir.path(), LASTING).expect("it can be made");
            let mut draft = shelf.draft(&wanted).expect("there is room");
            draft.take(&first).expect("there is room");
        }
        let shelf = Shelf::open(dir.path(), LASTING).expect("it is there");
        assert!(!shelf.has(&wanted));
        let mut draft = shelf.draft(&wanted).expect("there is room");
        assert_eq!(draft.len(), 300);
        draft.take(&second).expect("there is room");
        draft.finish().expect("they are right");
        assert_eq!(read(&shelf, &wanted), Some([&first[..], &second].concat()));
        assert_eq!(shelf.part(&wanted, 299, 5).ok().as_deref(), Some(&[1, 2, 2, 2, 2][..]));
        let later = Shelf::open(dir.path(), LASTING).expect("it is there");
        assert!(later.has(&wanted));
        later.remove(&wanted);
        assert_eq!((read(&later, &wanted), later.state().bytes), (None, 0));
    }

    #[test]
    fn what_is_not_right_is_never_there() {
        let dir = tempfile::tempdir().expect("there is room");
        let shelf = Shelf::open(dir.path(), LASTING).expect("it can be made");
        let wanted = kept(&[3; 50], 7);
        for (bytes, is_taken) in [(&[4; 50][..], true), (&[3; 49], true), (&[3; 51], false)] {
            let mut draft = shelf.draft(&wanted).expect("there is room");
            assert_eq!(draft.take(bytes).is_ok(), is_taken);
            assert!(draft.finish().is_err());
            assert!(!shelf.has(&wanted));
        }
        let there = take(&shelf, &[3; 50], 7).expect("they are right");
        let file = dir.path().join(name(&there, WHOLE));
        fs::write(&file, [3, 4]).expect("it is there");
        assert_eq!(read(&shelf, &there), None, "it was damaged");
        assert!(!shelf.has(&there), "it is fetched again");
    }

    #[test]
    fn one_has_its_limit_and_the_other_gives_way() {
        let dir = tempfile::tempdir().expect("there is room");
        let lasting = Shelf::open(&dir.path().join("a"), LASTING).expect("it can be made");
        take(&lasting, &[1; 600], 1).expect("there is room");
        assert_eq!([400, 401].map(|len| lasting.has_room(len)), [true, false]);
        assert!(matches!(take(&lasting, &[2; 600], 2), Err(StoreError::Full { limit: 1_000 })));
        let passing = ShelfConfig { passing: true, ..LASTING };
        let passing = Shelf::open(&dir.path().join("b"), passing).expect("it can be made");
        let all = [1, 2, 3].map(|id| take(&passing, &[id; 300], id.into()).expect("room is made"));
        assert!(read(&passing, &all[0]).is_some());
        take(&passing, &[4; 300], 4).expect("room is made");
        assert_eq!(all.map(|kept| passing.has(&kept)), [true, false, true]);
        take(&passing, &[5; 2_000], 5).expect("one that is larger than all may be is read once");
        assert_eq!(all.map(|kept| passing.has(&kept)), [false; 3]);
    }
}
