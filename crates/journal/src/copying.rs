//! What whoever copies the files of a log that is being written has to know of them.
//!
//! A segment but the last, and a snapshot, never change. The last segment is read while it grows:
//! beyond its first frame that is not whole yet there may be later ones that are, which would pass
//! for damage in the copy. All that was durable before the reading began comes before that.

use bary_model::id::Lsn;

use crate::name;
use crate::segment;

/// A file that belongs in a copy of a log; set-aside space and drafts do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFile {
    /// The segment of this number. The one of the highest number grows.
    Segment(u64),
    /// The snapshot of all batches up to this one.
    Snapshot(Lsn),
}

impl LogFile {
    /// The file of this name, where it is one of a log.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let segment = name::segment_number(name).map(Self::Segment);
        segment.or_else(|| name::snapshot_lsn(name).map(Self::Snapshot))
    }
}

/// How many bytes at the beginning of the last segment belong in a copy; all others are to be
/// zeros. `None` where it was not begun yet, so that the copy ends with the segment before.
#[must_use]
pub fn whole_bytes(segment: u64, bytes: &[u8]) -> Option<usize> {
    let header = segment::header(bytes, segment).ok()??;
    Some(segment::walk(&header, bytes, &mut |_, _| true).end)
}

#[cfg(test)]
mod tests {
    use bary_model::id::Lsn;

    use super::{LogFile, whole_bytes};
    use crate::frame;
    use crate::header::Header;
    use crate::segment::{FRAMES_AT, opening};

    #[test]
    fn files_are_known_by_their_names() {
        assert_eq!(LogFile::of("0000000007.log"), Some(LogFile::Segment(7)));
        assert_eq!(LogFile::of("00000000000000000009.snapshot"), Some(LogFile::Snapshot(Lsn(9))));
        for other in ["lock", "reserve", "spare", "snapshot.draft"] {
            assert_eq!(LogFile::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_copy_ends_before_what_was_not_whole() {
        let header = Header::segment(1, 3, Lsn(10));
        let mut bytes = opening(&header).to_vec();
        for (lsn, behind) in [(10, 1), (11, 1), (12, 1)] {
            frame::encode(header.salt(), Lsn(lsn), behind, b"batch", &mut bytes);
        }
        let all = bytes.len();
        bytes.resize(4096, 0);
        assert_eq!(whole_bytes(3, &bytes), Some(all));
        bytes[FRAMES_AT + 32] ^= 1;
        assert_eq!(whole_bytes(3, &bytes), Some(FRAMES_AT + 32));
        assert_eq!(whole_bytes(4, &bytes), None);
    }
}
