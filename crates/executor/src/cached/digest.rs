//! What files hold, as hashes. One that has not changed since it was hashed is not read again.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::run::locked;

/// Most hashes of files that are remembered; then all are forgotten.
const REMEMBERED_MAX: usize = 4_096;
/// A file that was changed so shortly before it was hashed may change again and look the same.
const SETTLED: Duration = Duration::from_secs(2);
/// How much of a file is read at a time.
const READ_BYTES: usize = 256 << 10;

/// Hashes of files, by their paths.
#[derive(Debug, Default)]
pub(super) struct Digests {
    known: Mutex<HashMap<PathBuf, (Stamp, blake3::Hash)>>,
}

/// What tells that a file has changed, without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
    /// The file itself and when the system last touched it, where systems say so.
    place: (u64, u64, i64, i64),
}

/// The hash of what a path leads to, and the files that were read for it.
pub(super) struct Digest {
    pub(super) hash: blake3::Hash,
    pub(super) files: Vec<(PathBuf, Stamp)>,
}

impl Stamp {
    /// The stamp of a file or directory that is there.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::read(&fs::metadata(path)?))
    }

    fn read(meta: &Metadata) -> Self {
        Self { bytes: meta.len(), changed: meta.modified().ok(), place: place(meta) }
    }

    fn is_settled(&self) -> bool {
        let age = self.changed.and_then(|changed| changed.elapsed().ok());
        age.is_some_and(|age| age >= SETTLED)
    }
}

#[cfg(unix)]
fn place(meta: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn place(_meta: &Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}

impl Digests {
    /// Hashes a file, or a directory with all that is in it. Goes on as long as it is wanted.
    ///
    /// # Errors
    /// Where something cannot be read, or nobody wants it any more.
    pub(super) fn of(&self, path: &Path, wanted: &dyn Fn() -> bool) -> io::Result<Digest> {
        let mut hasher = blake3::Hasher::new();
        let mut files = Vec::new();
        self.add(path, wanted, &mut hasher, &mut files)?;
        Ok(Digest { hash: hasher.finalize(), files })
    }

    fn add(
        &self,
        path: &Path,
        wanted: &dyn Fn() -> bool,
        hasher: &mut blake3::Hasher,
        files: &mut Vec<(PathBuf, Stamp)>,
    ) -> io::Result<()> {
        let meta = fs::metadata(path)?;
        let stamp = Stamp::read(&meta);
        files.push((path.to_owned(), stamp.clone()));
        if !meta.is_dir() {
            hasher.update(b"f").update(self.file(path, stamp, wanted)?.as_bytes());
            return Ok(());
        }
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        hasher.update(b"d").update(&(entries.len() as u64).to_le_bytes());
        for entry in entries {
            hasher.update(&said(entry.file_name().as_encoded_bytes()));
            if entry.file_type()?.is_symlink() {
                // A link stays a link where it is brought in.
                let target = fs::read_link(entry.path())?;
                hasher.update(b"l").update(&said(target.as_os_str().as_encoded_bytes()));
            } else {
                self.add(&entry.path(), wanted, hasher, files)?;
            }
        }
        Ok(())
    }

    fn file(
        &self,
        path: &Path,
        stamp: Stamp,
        wanted: &dyn Fn() -> bool,
    ) -> io::Result<blake3::Hash> {
        if let Some((before, hash)) = locked(&self.known).get(path)
            && *before == stamp
        {
            return Ok(*hash);
        }
        let mut file = File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut part = vec![0; READ_BYTES];
        loop {
            if !wanted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match file.read(&mut part)? {
                0 => break,
                read => hasher.update(&part[..read]),
            };
        }
        let hash = hasher.finalize();
        if stamp.is_settled() {
            let mut known = locked(&self.known);
            if known.len() >= REMEMBERED_MAX {
                known.clear();
            }
            known.insert(path.to_owned(), (stamp, hash));
        }
        Ok(hash)
    }
}

/// Bytes with their number before them.
fn said(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_what_is_there_now() {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let (file, digests) = (dir.path().join("a"), Digests::default());
        let hash = |path: &Path| digests.of(path, &|| true).map(|digest| digest.hash).ok();
        assert_eq!(hash(&file), None);
        fs::write(&file, "one").expect("it can be written");
        let (one, all) = (hash(&file), hash(dir.path()));
        assert_eq!((hash(&file), one.is_some()), (one, true));
        fs::write(&file, "two").expect("it can be written");
        assert_ne!(hash(&file), one);
        assert_ne!(hash(dir.path()), all);
        fs::write(&file, "one").expect("it can be written");
        assert_eq!((hash(&file), hash(dir.path())), (one, all));
        fs::rename(&file, dir.path().join("b")).expect("it can be renamed");
        assert_ne!(hash(dir.path()), all);
        assert!(digests.of(dir.path(), &|| false).is_err(), "nobody wants it");
    }

    #[test]
    fn a_file_that_rests_is_read_once() {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let (path, digests) = (dir.path().join("a"), Digests::default());
        fs::write(&path, "one").expect("it can be written");
        digests.of(&path, &|| true).expect("it can be read");
        assert!(locked(&digests.known).is_empty(), "it may change again within a tick");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        let file = File::options().write(true).open(&path).expect("it is there");
        file.set_modified(long_ago).expect("it can be set");
        let first = digests.of(&path, &|| true).expect("it can be read").hash;
        let again = digests.of(&path, &|| false).expect("it is not read").hash;
        assert_eq!(first, again);
    }
}
