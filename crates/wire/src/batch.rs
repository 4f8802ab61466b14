//! One journal batch: the records that became durable together, and the reign that wrote them.

use bary_ledger::record::Record;
use bary_model::id::Epoch;
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`decode`] reads.
pub const KNOWN: u8 = 1;
/// The version that [`encode`] writes.
pub const WRITTEN: u8 = 1;

/// The records of one append.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Batch {
    /// The reign that wrote them; a reader ignores what is below the last `Opened`.
    pub epoch: Epoch,
    /// The records, in order.
    pub records: Vec<Record>,
}

/// A batch whose records are somebody else's.
#[derive(Serialize)]
struct Written<'a> {
    epoch: Epoch,
    records: &'a [Record],
}

/// Adds a batch to `out`.
///
/// # Errors
/// Where a record holds what no reader takes; `out` is then as it was.
pub fn encode(epoch: Epoch, records: &[Record], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    codec::write(WRITTEN, &Written { epoch, records }, out)
}

/// The batch that bytes are.
///
/// # Errors
/// Where they are none, or of a later version.
pub fn decode(bytes: &[u8]) -> Result<Batch, DecodeError> {
    let (_only, rest) = codec::version(bytes, KNOWN)?;
    codec::read(rest)
}
