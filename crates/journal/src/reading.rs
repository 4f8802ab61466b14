//! Reads a log without changing it, as opening would tell it.

use std::ops::ControlFlow;

use bary_model::id::Lsn;
use bary_ports::disk::Disk;

use crate::recovery::{Entry, OpenError, Recovered};
use crate::replay::replay;

/// Tells `visit` the newest snapshot and every batch after it. What a crash left unfinished at the
/// end is passed over, and mended when the log is opened.
///
/// # Errors
/// As [`Log::open`](crate::log::Log::open), and nothing is changed. A log that another process
/// writes meanwhile may be refused although it is sound.
pub fn read(
    disk: &dyn Disk,
    visit: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Result<Recovered, OpenError> {
    let replayed = replay(disk, visit)?;
    let tail = replayed.tail.as_ref();
    Ok(Recovered {
        id: tail.map_or(0, |tail| tail.header.log),
        last: tail.map_or(Lsn(0), |tail| Lsn(tail.walked.next.0 - 1)),
        snapshot: replayed.snapshot.map(|(lsn, _)| lsn),
        batches: replayed.batches,
        bytes: replayed.bytes,
        cut: tail.and_then(|tail| tail.cut()),
        damaged_snapshots: replayed.damaged_snapshots,
    })
}
