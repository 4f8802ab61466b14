//! The ledger at one moment as bytes. What decodes may still contradict itself: the ledger holds
//! it against itself when it is restored.

use bary_ledger::snapshot::Snapshot;

use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`decode`] reads.
pub const KNOWN: u8 = 2;
/// The oldest version that [`decode`] reads.
pub const OLDEST: u8 = 2;
/// The version that [`encode`] writes.
pub const WRITTEN: u8 = 2;

/// Adds a snapshot to `out`.
///
/// # Errors
/// Where it holds what no reader takes; `out` is then as it was.
pub fn encode(snapshot: &Snapshot, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    codec::write(WRITTEN, snapshot, out)
}

/// The snapshot that bytes are.
///
/// # Errors
/// Where they are none, or of a later version.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, DecodeError> {
    let (_only, rest) = codec::version(bytes, OLDEST, KNOWN)?;
    codec::read(rest)
}
