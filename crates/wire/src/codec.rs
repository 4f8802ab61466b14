//! How every encoded thing is written and read: one byte that is its version, then postcard
//! (<https://postcard.jamesmunns.com/wire-format>).
//!
//! Each kind has two versions: `KNOWN`, the newest that this code reads, and `WRITTEN`, the oldest
//! that any reader still in use has. A change of an encoding raises `KNOWN` and keeps the way to
//! read the old one; `WRITTEN` follows when no older reader is left. Versions below `OLDEST` were
//! never released, and are refused by name.
//!
//! A decoder needs memory in proportion to the bytes that it is given: where a length is claimed,
//! room is made ahead for at most 1 MiB (the limit is serde's), and no type holds itself.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why something cannot be written. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// It holds a value that no reader would take, such as a spec without tasks.
    #[error("it holds a value that no reader takes")]
    Refused(#[source] postcard::Error),
}

/// Why bytes cannot be read. Nothing was made of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There is not even a version, or it is 0, which none is.
    #[error("there is no version at its start")]
    NoVersion,
    /// A later release wrote it; this one does not know how.
    #[error("it has version {found}, this release reads up to version {known}")]
    Newer {
        /// The version that it has.
        found: u8,
        /// The newest that this code reads.
        known: u8,
    },
    /// A release before the first wrote it; this one does not know how.
    #[error("it has version {found}, this release reads from version {oldest} on")]
    Older {
        /// The version that it has.
        found: u8,
        /// The oldest that this code reads.
        oldest: u8,
    },
    /// It ends early, or holds a value that no constructor makes.
    #[error("it is damaged")]
    Malformed(#[source] postcard::Error),
    /// Something follows it.
    #[error("{bytes} bytes follow its end")]
    Trailing {
        /// How many bytes.
        bytes: usize,
    },
}

/// Adds a value with its version to `out`, which stays as it was where that fails.
pub(crate) fn write<T: Serialize>(
    version: u8,
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let before = out.len();
    out.push(version);
    let written = postcard::serialize_with_flavor(value, Tail(out));
    if written.is_err() {
        out.truncate(before);
    }
    written.map_err(EncodeError::Refused)
}

/// The version that bytes begin with, and what follows it.
pub(crate) fn version(bytes: &[u8], oldest: u8, known: u8) -> Result<(u8, &[u8]), DecodeError> {
    match bytes.split_first() {
        None | Some((0, _)) => Err(DecodeError::NoVersion),
        Some((&found, _)) if found > known => Err(DecodeError::Newer { found, known }),
        Some((&found, _)) if found < oldest => Err(DecodeError::Older { found, oldest }),
        Some((&found, rest)) => Ok((found, rest)),
    }
}

/// The one value that bytes are.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(DecodeError::Malformed)?;
    if rest.is_empty() { Ok(value) } else { Err(DecodeError::Trailing { bytes: rest.len() }) }
}

/// Adds whole slices to a vector; postcard's own way adds byte by byte.
struct Tail<'a>(&'a mut Vec<u8>);

impl Flavor for Tail<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
