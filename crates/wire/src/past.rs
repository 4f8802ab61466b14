//! What stands in a log for all its batches up to a number: those that still count, one after
//! another, each with its length before it. A reader takes them in as if they were in the log.

use bary_ledger::record::Record;
use bary_model::id::Epoch;
use bary_model::time::Wall;

use crate::batch::{self, Batch};
use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`read`] reads.
pub const KNOWN: u8 = 1;
/// The oldest version that [`read`] reads.
pub const OLDEST: u8 = 1;
/// The version that [`begin`] writes.
pub const WRITTEN: u8 = 1;

/// How long the length before a batch is.
const LENGTH_BYTES: usize = 4;

/// Adds the beginning to `out`; batches follow.
pub fn begin(out: &mut Vec<u8>) {
    out.push(WRITTEN);
}

/// Adds a batch to `out`.
///
/// # Errors
/// Where a record holds what no reader takes; `out` is then as it was.
pub fn add(
    epoch: Epoch,
    at: Option<Wall>,
    records: &[Record],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let before = out.len();
    out.extend([0; LENGTH_BYTES]);
    let encoded = batch::encode(epoch, at, records, out);
    match u32::try_from(out.len() - before - LENGTH_BYTES) {
        Ok(length) if encoded.is_ok() => {
            out[before..before + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        }
        _ => out.truncate(before),
    }
    encoded
}

/// The batches that bytes are, in their order.
///
/// # Errors
/// Where they are none, or of a later version. A batch that is none is the last that is given.
pub fn read(bytes: &[u8]) -> Result<Batches<'_>, DecodeError> {
    let (_only, rest) = codec::version(bytes, OLDEST, KNOWN)?;
    Ok(Batches { rest })
}

/// The batches of bytes that are read.
#[derive(Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((length, rest)) = self.rest.split_first_chunk::<LENGTH_BYTES>() else {
            return self.end_early();
        };
        let Some((batch, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        else {
            return self.end_early();
        };
        let batch = batch::decode(batch);
        self.rest = if batch.is_ok() { rest } else { &[] };
        Some(batch)
    }
}

impl Batches<'_> {
    fn end_early(&mut self) -> Option<Result<Batch, DecodeError>> {
        self.rest = &[];
        Some(Err(DecodeError::Malformed(postcard::Error::DeserializeUnexpectedEnd)))
    }
}
