//! Bytes that tasks give and take: small ones ride along, larger ones stay in a store.

use bytes::Bytes;

/// What a task gave: nothing, a few bytes, or a reference to a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// No bytes at all.
    #[default]
    Empty,
    /// At most [`Payload::INLINE_MAX`] bytes.
    Inline(Bytes),
    /// Bytes kept by the store of the node that made them.
    Stored(BlobRef),
}

/// Where a store keeps some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRef {
    /// The store's name for the bytes.
    pub id: u64,
    /// How many bytes.
    pub len: u64,
}

impl Payload {
    /// The most bytes that ride along in messages and records.
    pub const INLINE_MAX: usize = 256;

    /// How many bytes it stands for.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Stored(blob) => blob.len,
        }
    }

    /// Whether it stands for no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
