//! A snapshot that somebody else writes beside a log that goes on: to the file [`DRAFT`] of the
//! log's directory, from its first byte to its last, made durable, and then adopted by the log.
//! One that is never adopted is removed when the log is opened.

use bary_model::id::Lsn;

use crate::header::{HEADER_BYTES, Header, Kind, VERSION};
use crate::name;

/// The file's name.
pub const DRAFT: &str = name::DRAFT;
/// Where in the file the state begins; the header comes before it.
pub const STATE_AT: usize = HEADER_BYTES;

/// What the header says of a state that is written piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    bytes: u64,
    sum: u32,
}

impl Sum {
    /// Takes in the next piece.
    pub fn take_in(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.sum = crc32c::crc32c_append(self.sum, piece);
    }

    /// How many bytes the state has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The header of the snapshot of all batches up to `lsn` of the log with this id.
    #[must_use]
    pub fn header(&self, log: u64, lsn: Lsn) -> [u8; STATE_AT] {
        let (kind, version, number) = (Kind::Snapshot, VERSION, 0);
        let (body_bytes, body_sum) = (self.bytes, self.sum);
        Header { kind, version, log, number, lsn, body_bytes, body_sum }.encode()
    }
}

#[cfg(test)]
mod tests {
    use bary_model::id::Lsn;

    use super::Sum;
    use crate::snapshot;

    #[test]
    fn pieces_make_the_header_of_the_whole() {
        let mut sum = Sum::default();
        for piece in [&b"a sta"[..], b"", b"te"] {
            sum.take_in(piece);
        }
        assert_eq!(sum.header(7, Lsn(9)), snapshot::header(7, Lsn(9), b"a state"));
        assert_eq!(sum.bytes(), 7);
    }
}
