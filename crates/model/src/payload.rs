//! Bytes that tasks give and take: small ones ride along, larger ones stay in a store.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a task gave: nothing, a few bytes, or a reference to where they are. A reference without a
/// member means the store of whoever has it, so that it is named anew before it goes elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// No bytes at all.
    #[default]
    Empty,
    /// At most [`Payload::INLINE_MAX`] bytes.
    #[serde(with = "inline")]
    Inline(Bytes),
    /// Bytes kept by the own store.
    Stored(BlobRef),
    /// Bytes kept by the store of a member of the cluster.
    Kept(Box<Kept>),
}

/// Where in a cluster some bytes are, and what they are. No two results that any member ever made
/// have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// The number of the member that made them.
    pub member: u64,
    /// What its store calls them.
    pub blob: BlobRef,
    /// The BLAKE3 hash of all of them.
    pub hash: [u8; 32],
}

/// Where a store keeps some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
            Self::Kept(kept) => kept.blob.len,
        }
    }

    /// Whether it stands for no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How inline bytes are written and read: no more than may ride along.
mod inline {
    use bytes::Bytes;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Payload;

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        if bytes.len() > Payload::INLINE_MAX {
            return Err(S::Error::custom("too many bytes to ride along"));
        }
        bytes.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let bytes = Bytes::deserialize(from)?;
        if bytes.len() > Payload::INLINE_MAX {
            return Err(D::Error::custom("too many bytes to ride along"));
        }
        Ok(bytes)
    }
}
