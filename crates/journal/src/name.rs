//! What the files of a log are called. Files of other names are not the log's and are let be.

use bary_model::id::Lsn;

/// Space that is set aside for when the disk is full.
pub(crate) const RESERVE: &str = "reserve";
/// The next segment's space, made ahead or left over from a segment that is not needed any more.
pub(crate) const SPARE: &str = "spare";
/// A snapshot that is being written.
pub(crate) const DRAFT: &str = "snapshot.draft";

/// A segment's file; segments are numbered from 1 and no number is used twice.
pub(crate) fn segment(number: u64) -> String {
    format!("{number:010}.log")
}

/// The file of a snapshot of all batches up to `lsn`.
pub(crate) fn snapshot(lsn: Lsn) -> String {
    format!("{:020}.snapshot", lsn.0)
}

/// The number of a segment's file.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".log")?.parse().ok()?;
    (segment(number) == name).then_some(number)
}

/// The last batch in a snapshot's file.
pub(crate) fn snapshot_lsn(name: &str) -> Option<Lsn> {
    let lsn = Lsn(name.strip_suffix(".snapshot")?.parse().ok()?);
    (snapshot(lsn) == name).then_some(lsn)
}

#[cfg(test)]
mod tests {
    use super::{DRAFT, segment, segment_number, snapshot, snapshot_lsn};
    use bary_model::id::Lsn;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        assert_eq!(segment(7), "0000000007.log");
        assert_eq!(segment_number("0000000007.log"), Some(7));
        assert_eq!(segment_number(&segment(u64::MAX)), Some(u64::MAX));
        for other in ["7.log", "+000000007.log", "0000000007.lo", "engine.log", "snapshot.draft"] {
            assert_eq!(segment_number(other), None, "{other}");
        }
        assert_eq!(snapshot_lsn(&snapshot(Lsn(9))), Some(Lsn(9)));
        assert_eq!(snapshot_lsn(DRAFT), None);
    }
}
