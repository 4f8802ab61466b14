//! The file `manifest` of a backup: every other file with its length and its hash, and a hash of
//! the list itself. A backup of which any bit has changed since it was made shows by it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use blake3::Hash;

/// The file's name.
pub(crate) const NAME: &str = "manifest";
/// What it begins with.
const MAGIC: &str = "bary-backup";
/// The version that is written and the newest that is read.
const VERSION: u32 = 1;
/// How much of a file is read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// What is in a backup, by the paths within it, whose parts are divided by `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) files: BTreeMap<String, Filed>,
}

/// A file of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filed {
    pub(crate) bytes: u64,
    pub(crate) hash: Hash,
}

/// Why a backup is not what its manifest says. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is none: it is no backup, or one that was never finished.
    #[error("it has no manifest, so that it is no finished backup")]
    Missing,
    /// A newer program made it.
    #[error("it is of a newer version of bary: version {0}")]
    Newer(u32),
    /// The list is not as it was written.
    #[error("its manifest is damaged")]
    Damaged,
    /// A file of it is not as it was written.
    #[error("`{0}` is not what was copied")]
    Changed(String),
    /// A file of it is gone.
    #[error("`{0}` is missing")]
    Gone(String),
    /// The system refused.
    #[error("`{name}` cannot be read: {cause}")]
    Refused {
        /// The file.
        name: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl Manifest {
    /// The one of a directory.
    pub(crate) fn of(dir: &Path) -> Result<Self, ManifestError> {
        match fs::read(dir.join(NAME)) {
            Ok(bytes) => Self::parse(&String::from_utf8(bytes).unwrap_or_default()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(ManifestError::Missing),
            Err(cause) => Err(ManifestError::Refused { name: NAME.to_owned(), cause }),
        }
    }

    /// Holds every file of a directory against it.
    pub(crate) fn verify(&self, dir: &Path) -> Result<(), ManifestError> {
        for (name, filed) in &self.files {
            let found = hash(&dir.join(name)).map_err(|cause| match cause.kind() {
                io::ErrorKind::NotFound => ManifestError::Gone(name.clone()),
                _ => ManifestError::Refused { name: name.clone(), cause },
            })?;
            if found != *filed {
                return Err(ManifestError::Changed(name.clone()));
            }
        }
        Ok(())
    }

    /// How many bytes all files have.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|filed| filed.bytes).sum()
    }

    /// It as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{MAGIC} {VERSION}\n");
        for (name, Filed { bytes, hash }) in &self.files {
            text.push_str(&format!("file {bytes} {} {name}\n", hash.to_hex()));
        }
        let sum = blake3::hash(text.as_bytes());
        text.push_str(&format!("end {}\n", sum.to_hex()));
        text
    }

    fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut lines = text.lines();
        let version = lines.next().and_then(|line| line.strip_prefix(MAGIC)?.strip_prefix(' '));
        let version: u32 = version.and_then(|v| v.parse().ok()).ok_or(ManifestError::Damaged)?;
        if version > VERSION {
            return Err(ManifestError::Newer(version));
        }
        let files = lines.filter_map(|line| {
            let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
            let bytes = words.next()?.parse().ok()?;
            let hash = Hash::from_hex(words.next()?).ok()?;
            Some((words.next()?.to_owned(), Filed { bytes, hash }))
        });
        let read = Self { files: files.collect() };
        // Whatever was passed over, or written in another way, shows here.
        if read.text() == text { Ok(read) } else { Err(ManifestError::Damaged) }
    }
}

/// The length and the hash of a file.
fn hash(path: &Path) -> io::Result<Filed> {
    let mut file = fs::File::open(path)?;
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(Filed { bytes, hash: hasher.finalize() });
        }
        hasher.update(&piece[..read]);
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bit_of_it_may_change() {
        let filed = Filed { bytes: 3, hash: blake3::hash(b"abc") };
        let files = BTreeMap::from([("state".to_owned(), filed), ("a b".to_owned(), filed)]);
        let manifest = Manifest { files };
        let text = manifest.text();
        assert_eq!(Manifest::parse(&text).ok(), Some(manifest));
        for bit in 0..text.len() * 8 {
            let mut spoiled = text.clone().into_bytes();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            let spoiled = String::from_utf8(spoiled).unwrap_or_default();
            assert!(Manifest::parse(&spoiled).is_err(), "bit {bit}");
        }
        let newer = Manifest::parse("bary-backup 2\nwhat comes then\n");
        assert!(matches!(newer, Err(ManifestError::Newer(2))));
    }
}
