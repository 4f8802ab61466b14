//! One journal batch: the records that became durable together, the reign that wrote them, and the
//! moment of the calendar at which they were written. Version 3 does not say the moment; version 5
//! is written only where a record refers to bytes that a member of a cluster keeps.

use bary_ledger::record::Record;
use bary_model::id::Epoch;
use bary_model::payload::Payload;
use bary_model::time::Wall;
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`decode`] reads.
pub const KNOWN: u8 = 5;
/// The oldest version that [`decode`] reads.
pub const OLDEST: u8 = 3;
/// The version that [`encode`] writes of a batch whose moment is known.
pub const WRITTEN: u8 = 4;
/// The version of a batch whose moment is not known.
const TIMELESS: u8 = 3;
/// The version of a batch that refers to bytes which a member of a cluster keeps.
const REFERRING: u8 = 5;

/// The records of one append.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The reign that wrote them; a reader ignores what is below the last `Opened`.
    pub epoch: Epoch,
    /// When they were written, as the calendar of their writer had it; it is no earlier than that
    /// of any batch before. `None` where the writer did not say.
    pub at: Option<Wall>,
    /// The records, in order.
    pub records: Vec<Record>,
}

/// A batch of version 3, whose records may be somebody else's.
#[derive(Serialize, Deserialize)]
struct Timeless<R> {
    epoch: Epoch,
    records: R,
}

/// A batch of version 4.
#[derive(Serialize, Deserialize)]
struct Timed<R> {
    at: Wall,
    epoch: Epoch,
    records: R,
}

/// A batch of version 5.
#[derive(Serialize, Deserialize)]
struct Referring<R> {
    at: Option<Wall>,
    epoch: Epoch,
    records: R,
}

/// Adds a batch to `out`.
///
/// # Errors
/// Where a record holds what no reader takes; `out` is then as it was.
pub fn encode(
    epoch: Epoch,
    at: Option<Wall>,
    records: &[Record],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let is_kept = |payload: &Payload| matches!(payload, Payload::Kept(_));
    if records.iter().any(|record| record.any_payload(is_kept)) {
        return codec::write(REFERRING, &Referring { at, epoch, records }, out);
    }
    match at {
        Some(at) => codec::write(WRITTEN, &Timed { at, epoch, records }, out),
        None => codec::write(TIMELESS, &Timeless { epoch, records }, out),
    }
}

/// The batch that bytes are.
///
/// # Errors
/// Where they are none, or of a later version.
pub fn decode(bytes: &[u8]) -> Result<Batch, DecodeError> {
    let (version, rest) = codec::version(bytes, OLDEST, KNOWN)?;
    if version == TIMELESS {
        let Timeless { epoch, records } = codec::read(rest)?;
        return Ok(Batch { epoch, at: None, records });
    }
    if version == REFERRING {
        let Referring { at, epoch, records } = codec::read(rest)?;
        return Ok(Batch { epoch, at, records });
    }
    let Timed { at, epoch, records } = codec::read(rest)?;
    Ok(Batch { epoch, at: Some(at), records })
}
