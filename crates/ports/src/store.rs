//! Keeping bytes that are too large to ride along, until their readers are done.

use std::io::{Read, Write};
use std::path::PathBuf;

use bary_model::payload::{BlobRef, Kept, Payload};
use bytes::Bytes;

/// Why bytes could not be kept or read. Nothing was changed in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is full; the caller may retry when blobs have been released.
    #[error("the store is full: {limit} bytes (limit store_bytes_max)")]
    Full {
        /// The limit.
        limit: u64,
    },
    /// There is no such blob: it was released, or never kept here.
    #[error("blob {0} is not in the store")]
    Missing(u64),
    /// A file of the store is missing, or not what was written, so that what it held is lost.
    #[error("`{}` {what}; restore it from a copy", file.display())]
    Spoilt {
        /// The file.
        file: PathBuf,
        /// What is wrong, as what the file does.
        what: String,
    },
    /// The disk under the store failed.
    #[error("the store's file failed: {0}")]
    Disk(#[from] std::io::Error),
    /// No file can be made or written in the store's directory: it is missing, or its disk full.
    /// The caller may retry when there is space.
    #[error("the store cannot write in `{}`: {source}", dir.display())]
    Dir {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// They are kept by another member, which is not there now. The caller may retry when it is.
    #[error("{0}")]
    Away(Box<str>),
    /// They were kept by another member, and are there no more, nor anywhere else.
    #[error("{0}")]
    Gone(Box<str>),
    /// What a blob was read to does not take it; some of it may have been taken. The store is as
    /// it was.
    #[error("the bytes could not be written: {0}")]
    Sink(#[source] std::io::Error),
}

/// Keeps blobs. Blobs are immutable; each is released once by whoever is its last reader.
pub trait Store: Send + Sync {
    /// Keeps `bytes`.
    ///
    /// # Errors
    /// Where it is full or its disk fails; nothing is kept then.
    fn put(&self, bytes: &[u8]) -> Result<BlobRef, StoreError>;

    /// Keeps the next `len` bytes of `from`, as [`Store::put`]. Stores that hold large blobs on
    /// disk do not bring all of it into memory.
    ///
    /// # Errors
    /// Also where `from` fails or ends before; nothing is kept then.
    fn put_from(&self, from: &mut dyn Read, len: u64) -> Result<BlobRef, StoreError> {
        let mut bytes = Vec::new();
        from.take(len).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != len {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        self.put(&bytes)
    }

    /// Reads a blob, whole.
    ///
    /// # Errors
    /// Where there is no such blob or the disk fails.
    fn get(&self, blob: BlobRef) -> Result<Bytes, StoreError>;

    /// Reads a blob into `to`, from its beginning to its end. Stores that hold large blobs on disk
    /// do not bring all of it into memory.
    ///
    /// # Errors
    /// As [`Store::get`], and [`StoreError::Sink`] where `to` fails.
    fn read_to(&self, blob: BlobRef, to: &mut dyn Write) -> Result<(), StoreError> {
        to.write_all(&self.get(blob)?).map_err(StoreError::Sink)
    }

    /// Reads bytes that a member of the cluster keeps into `to`, from their beginning to their end,
    /// and only once all have been checked. Blocks while they come. A store that knows no members
    /// has none.
    ///
    /// # Errors
    /// As [`Store::read_to`], and where they cannot be had, now or ever.
    fn read_kept_to(&self, kept: &Kept, _to: &mut dyn Write) -> Result<(), StoreError> {
        Err(StoreError::Missing(kept.blob.id))
    }

    /// Bytes that a member of the cluster keeps are to be kept at so many members; that is done in
    /// the background, as far as members and limits allow. A store that knows no members has none.
    fn copy_kept(&self, _kept: &Kept, _copies: u8) {}

    /// Nobody reads bytes any more that a member of the cluster keeps. A store that knows no
    /// members has none.
    fn release_kept(&self, _kept: &Kept) {}

    /// Nobody reads a blob any more: a store that keeps nothing longer than it must forgets it.
    /// Unknown ones are ignored.
    fn release(&self, blob: BlobRef);

    /// A payload of these bytes: none, inline, or kept here.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn payload(&self, bytes: Bytes) -> Result<Payload, StoreError> {
        Ok(match bytes.len() {
            0 => Payload::Empty,
            1..=Payload::INLINE_MAX => Payload::Inline(bytes),
            _ => Payload::Stored(self.put(&bytes)?),
        })
    }

    /// The bytes of a payload, wherever they are.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn read(&self, payload: &Payload) -> Result<Bytes, StoreError> {
        match payload {
            Payload::Empty => Ok(Bytes::new()),
            Payload::Inline(bytes) => Ok(bytes.clone()),
            Payload::Stored(blob) => self.get(*blob),
            Payload::Kept(kept) => {
                let mut bytes = Vec::new();
                self.read_kept_to(kept, &mut bytes)?;
                Ok(bytes.into())
            }
        }
    }

    /// Reads the bytes of a payload into `to`, wherever they are.
    ///
    /// # Errors
    /// As [`Store::read_to`].
    fn read_payload_to(&self, payload: &Payload, to: &mut dyn Write) -> Result<(), StoreError> {
        match payload {
            Payload::Empty => Ok(()),
            Payload::Inline(bytes) => to.write_all(bytes).map_err(StoreError::Sink),
            Payload::Stored(blob) => self.read_to(*blob, to),
            Payload::Kept(kept) => self.read_kept_to(kept, to),
        }
    }

    /// A payload's bytes are to be kept at so many members, as [`Store::copy_kept`], where a member
    /// keeps them.
    fn copy_payload(&self, payload: &Payload, copies: u8) {
        if let Payload::Kept(kept) = payload {
            self.copy_kept(kept, copies);
        }
    }

    /// Releases a payload's bytes, wherever they are kept.
    fn release_payload(&self, payload: &Payload) {
        match payload {
            Payload::Stored(blob) => self.release(*blob),
            Payload::Kept(kept) => self.release_kept(kept),
            Payload::Empty | Payload::Inline(_) => {}
        }
    }
}
