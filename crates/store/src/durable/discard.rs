//! Giving back the space of blobs that nobody can ask for any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;

use bary_model::payload::BlobRef;

use super::{DurableStore, HEAD_BYTES, OFFSET_BITS};

impl DurableStore {
    /// Gives back the space of blobs of which no reference is left. What cannot be given back now
    /// stays for good: it is only space.
    pub fn discard(&self, blobs: &[BlobRef]) {
        let mut files: BTreeMap<u64, BTreeSet<(u64, u64)>> = BTreeMap::new();
        for blob in blobs {
            let offset = blob.id & ((1 << OFFSET_BITS) - 1);
            files.entry(blob.id >> OFFSET_BITS).or_default().insert((offset, blob.len));
        }
        for (number, parts) in files {
            // As said above.
            drop(self.discard_of(number, &parts));
        }
    }

    fn discard_of(&self, number: u64, parts: &BTreeSet<(u64, u64)>) -> io::Result<()> {
        let path = self.path(number);
        let file = OpenOptions::new().write(true).open(&path)?;
        let is_written = self.state().newest.is_some_and(|(newest, _)| newest == number);
        let all: u64 = parts.iter().map(|(_, len)| HEAD_BYTES + len).sum();
        let mut is_empty = all == file.metadata()?.len();
        if !is_empty || is_written {
            for (offset, len) in stretches(parts) {
                punch(&file, offset, len)?;
            }
            is_empty = holds_nothing(&file)?;
        }
        if !is_empty || is_written {
            return Ok(());
        }
        let mut state = self.state();
        state.open.remove(&number);
        // The newest name stays, so that no later life gives it to other bytes.
        if number + 1 == state.next { file.set_len(0) } else { fs::remove_file(path) }
    }
}

/// Where blobs and their heads lie, neighbours together: only whole blocks are given back.
fn stretches(parts: &BTreeSet<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for &(offset, len) in parts {
        let len = HEAD_BYTES + len;
        match all.last_mut() {
            Some((first, before)) if *first + *before == offset => *before += len,
            _ => all.push((offset, len)),
        }
    }
    all
}

/// Takes the space of a part of a file away; it reads as zeros from then on.
#[cfg(target_os = "linux")]
fn punch(file: &File, offset: u64, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};

    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, hole, offset, len)?)
}

/// Elsewhere space is given back when all of a file is wanted no more.
#[cfg(not(target_os = "linux"))]
fn punch(_file: &File, _offset: u64, _len: u64) -> io::Result<()> {
    Ok(())
}

/// Whether all space of a file was taken away.
#[cfg(target_os = "linux")]
fn holds_nothing(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    Ok(file.metadata()?.blocks() == 0)
}

/// Elsewhere nothing is taken away bit by bit.
#[cfg(not(target_os = "linux"))]
fn holds_nothing(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use bary_ports::store::Store;

    use super::*;

    #[test]
    fn what_is_discarded_gives_its_space_back_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().expect("there is room");
        let store = DurableStore::open(dir.path()).expect("it can be made");
        let mut blobs: Vec<BlobRef> = Vec::new();
        for number in 0..200_u8 {
            blobs.push(store.put(&[number; 1_000]).expect("there is room"));
        }
        store.sync().expect("the disk works");
        let gone: Vec<BlobRef> = blobs.drain(50..150).collect();
        store.discard(&gone);
        for blob in &blobs {
            assert_eq!(store.get(*blob).expect("it is kept").len(), 1_000);
        }
        assert!(cfg!(not(target_os = "linux")) || store.get(gone[9]).is_err());
        drop(store);
        let later = DurableStore::open(dir.path()).expect("it is there");
        let new = later.put(b"of a later life").expect("there is room");
        let all: Vec<BlobRef> = blobs.into_iter().chain(gone).collect();
        later.discard(&all);
        let files = fs::read_dir(dir.path()).expect("it is there").count();
        assert_eq!(files, 1, "the first file is gone");
        assert_eq!(later.get(new).expect("it is kept"), &b"of a later life"[..]);
        assert!(later.get(all[0]).is_err());
    }
}
