//! A directory of flat files, below the journal: the same journal runs on real and simulated ones.
//!
//! What is written or named is safe from a crash only once it has been synced. Until then any part
//! of it may be there or not, whatever the order in which it was written.

use std::io;

pub mod memory;

/// One file of a disk, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
}

/// Why an operation on a disk did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// There is no space for it. Nothing was changed; the caller may try again when there is.
    #[error("there is no space for `{name}`")]
    Full {
        /// The file that wanted space.
        name: String,
    },
    /// There is no file of that name. Nothing was changed.
    #[error("there is no file `{name}`")]
    Missing {
        /// The name.
        name: String,
    },
    /// There is a file of that name already. Nothing was changed.
    #[error("there is a file `{name}` already")]
    Exists {
        /// The name.
        name: String,
    },
    /// The system refused. Nobody knows what was changed, and after a failed sync nobody knows
    /// what is durable: what was written must not be relied upon, even if a later sync succeeds.
    #[error("cannot {act} `{name}`: {cause}")]
    Failed {
        /// What was tried, as a verb.
        act: &'static str,
        /// The file.
        name: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A directory of flat files. One owner at a time; no call blocks on another process.
pub trait Disk: Send {
    /// The files that are there, by name.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    fn names(&self) -> Result<Vec<Listed>, DiskError>;

    /// Reads from `offset` until `into` is full or the file ends; gives how many bytes it read.
    ///
    /// # Errors
    /// Where there is no such file, or it cannot be read.
    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError>;

    /// Makes a file of `len` zeros and takes the space for them.
    ///
    /// # Errors
    /// Where there is such a file, no space (no file is left behind), or the system refuses.
    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError>;

    /// Writes all of `bytes` from `offset` on. A file that was shorter becomes longer; a write
    /// into space that was taken needs none.
    ///
    /// # Errors
    /// Where there is no such file, no space (the bytes may be there in part), or the system
    /// refuses.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Makes durable what was written to a file. Its name may need [`Disk::sync_names`].
    ///
    /// # Errors
    /// Where there is no such file, or the system cannot say that all of it is durable.
    fn sync(&mut self, name: &str) -> Result<(), DiskError>;

    /// Makes durable which names there are, and what they stand for.
    ///
    /// # Errors
    /// Where the system cannot say that they are durable.
    fn sync_names(&mut self) -> Result<(), DiskError>;

    /// Cuts a file to `len` bytes, or fills it up with zeros to as many.
    ///
    /// # Errors
    /// Where there is no such file, no space (nothing was changed), or the system refuses.
    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError>;

    /// Gives a file another name at once; a file that had that name is gone.
    ///
    /// # Errors
    /// Where there is no such file, or the system refuses.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file; its space is free again.
    ///
    /// # Errors
    /// Where there is no such file, or the system refuses.
    fn remove(&mut self, name: &str) -> Result<(), DiskError>;
}
