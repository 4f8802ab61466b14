//! Peer frames as bytes: what one node sends another at a time.

use bary_model::message::Frame;

use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`decode`] reads.
pub const KNOWN: u8 = 2;
/// The oldest version that [`decode`] reads.
pub const OLDEST: u8 = 2;
/// The version that [`encode`] writes.
pub const WRITTEN: u8 = 2;

/// Adds a frame to `out`.
///
/// # Errors
/// Where its message holds what no reader takes; `out` is then as it was.
pub fn encode(frame: &Frame, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    codec::write(WRITTEN, frame, out)
}

/// The frame that bytes are.
///
/// # Errors
/// Where they are none, or of a later version.
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    let (_only, rest) = codec::version(bytes, OLDEST, KNOWN)?;
    codec::read(rest)
}
