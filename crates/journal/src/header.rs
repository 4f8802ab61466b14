//! The first 64 bytes of a segment and of a snapshot. Their layout stays the same for ever, so that
//! an older program can name the version that it does not know.
//!
//! `magic 8, version 4, reserved 4, log id 8, number 8, lsn 8, body length 8, body checksum 4,
//! zeros 8, checksum of all these 4`.

use bary_model::id::Lsn;

/// How long a header is.
pub(crate) const HEADER_BYTES: usize = 64;
/// The newest format that this program writes and reads.
pub(crate) const VERSION: u32 = 1;

/// Numbers of segments and batches stay below this, so that there is always a next one.
pub(crate) const NUMBER_MAX: u64 = 1 << 63;

const SUMMED: usize = HEADER_BYTES - 4;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Segment,
    Snapshot,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Segment => b"BARYSEGM",
            Self::Snapshot => b"BARYSNAP",
        }
    }
}

/// A file's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) version: u32,
    /// Drawn when the log was made; all files of one log bear it.
    pub(crate) log: u64,
    /// A segment's number; 0 for a snapshot.
    pub(crate) number: u64,
    /// A segment's first batch, a snapshot's last.
    pub(crate) lsn: Lsn,
    /// A snapshot's length; 0 for a segment, whose frames say their own.
    pub(crate) body_bytes: u64,
    /// A snapshot's checksum.
    pub(crate) body_sum: u32,
}

impl Header {
    pub(crate) fn segment(log: u64, number: u64, first: Lsn) -> Self {
        let kind = Kind::Segment;
        Self { kind, version: VERSION, log, number, lsn: first, body_bytes: 0, body_sum: 0 }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(self.kind.magic());
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.log.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.lsn.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.body_sum.to_le_bytes());
        let sum = crc32c::crc32c(&bytes[..SUMMED]);
        bytes[SUMMED..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a header of this kind; `None` where there is no sound one.
    pub(crate) fn decode(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        if &bytes[..8] != kind.magic() || u32_at(bytes, SUMMED) != crc32c::crc32c(&bytes[..SUMMED])
        {
            return None;
        }
        let header = Self {
            kind,
            version: u32_at(bytes, 8),
            log: u64_at(bytes, 16),
            number: u64_at(bytes, 24),
            lsn: Lsn(u64_at(bytes, 32)),
            body_bytes: u64_at(bytes, 40),
            body_sum: u32_at(bytes, 48),
        };
        header.can_be().then_some(header)
    }

    /// Whether a log could have come to have it. Batches are numbered from 1.
    fn can_be(&self) -> bool {
        let first = u64::from(self.kind == Kind::Segment);
        self.number < NUMBER_MAX && (first..NUMBER_MAX).contains(&self.lsn.0)
    }

    /// What the checksums of a segment's frames start from. It keeps apart the frames of a file
    /// that was a segment before, and is known without the header.
    pub(crate) fn salt(&self) -> u32 {
        let mut named = [0; 24];
        named[..8].copy_from_slice(&self.log.to_le_bytes());
        named[8..16].copy_from_slice(&self.number.to_le_bytes());
        named[16..].copy_from_slice(&self.lsn.0.to_le_bytes());
        crc32c::crc32c(&named)
    }
}

/// The 4 bytes at `at`, which must be there.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The 8 bytes at `at`, which must be there.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::{HEADER_BYTES, Header, Kind, NUMBER_MAX};
    use bary_model::id::Lsn;

    #[test]
    fn a_header_is_read_as_it_was_written_and_no_bit_of_it_may_change() {
        let header = Header::segment(0xfeed, 3, Lsn(77));
        let bytes = header.encode();
        assert_eq!(Header::decode(Kind::Segment, &bytes), Some(header));
        assert_eq!(Header::decode(Kind::Snapshot, &bytes), None);
        assert_eq!(Header::decode(Kind::Segment, &bytes[..63]), None);
        for bit in 0..HEADER_BYTES * 8 {
            let mut spoiled = bytes;
            spoiled[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(Kind::Segment, &spoiled), None, "bit {bit}");
        }
    }

    #[test]
    fn numbers_that_no_log_comes_to_are_refused() {
        let at_most = NUMBER_MAX - 1;
        for (number, lsn, good) in [
            (1, 1, true),
            (at_most, at_most, true),
            (1, 0, false),
            (1, NUMBER_MAX, false),
            (NUMBER_MAX, 1, false),
            (u64::MAX, u64::MAX, false),
        ] {
            let bytes = Header::segment(7, number, Lsn(lsn)).encode();
            let read = Header::decode(Kind::Segment, &bytes);
            assert_eq!(read.is_some(), good, "number {number}, batch {lsn}");
        }
    }

    #[test]
    fn each_segment_salts_its_frames_in_its_own_way() {
        let salts = [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)]
            .map(|(log, number, first)| Header::segment(log, number, Lsn(first)).salt());
        for (at, salt) in salts.iter().enumerate() {
            assert!(!salts[..at].contains(salt), "{salts:?}");
        }
    }
}
