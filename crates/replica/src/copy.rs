//! The journal under a copy, as it is given.

use std::io;
use std::path::Path;

use bary_model::id::Lsn;
use bytes::Bytes;

/// A journal that takes the batches that were agreed on. All of it may block.
pub trait Copy: Send + Sync + 'static {
    /// The number of the batch that it takes next.
    fn next(&self) -> Lsn;

    /// Takes a batch, which has the next number. It need not be durable.
    ///
    /// # Errors
    /// Where it takes no more.
    fn append(&self, lsn: Lsn, batch: &Bytes) -> io::Result<()>;

    /// Returns once all that was taken is durable.
    ///
    /// # Errors
    /// Where that cannot be.
    fn sync(&self) -> io::Result<()>;

    /// Writes all that it holds into a file; batches that are taken meanwhile may be in it.
    ///
    /// # Errors
    /// Where that cannot be written.
    fn pack(&self, into: &Path) -> io::Result<()>;

    /// Holds what another one has packed, in place of what it held, and durable.
    ///
    /// # Errors
    /// Where that cannot be read or written; it may hold nothing then.
    fn unpack(&self, from: &Path) -> io::Result<()>;
}
