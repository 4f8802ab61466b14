//! Looks at a log without changing it: every file, every frame, and what opening would say.

use std::ops::ControlFlow;

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError};

use crate::frame::{self, Frame};
use crate::name;
use crate::recovery::{Cut, OpenError};
use crate::replay::{self, Files, Replayed, Segment, files, replay};
use crate::segment::{self, FRAMES_AT};
use crate::snapshot::{self, Found};

/// One thing that lies in a log's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight<'a> {
    /// A snapshot.
    Snapshot {
        /// The last batch in it.
        lsn: Lsn,
        /// Its bytes; `None` where it is damaged.
        state: Option<&'a [u8]>,
    },
    /// A segment begins; its frames follow.
    Segment {
        /// Its number.
        number: u64,
        /// Its file's length.
        len: u64,
        /// Its first batch; `None` where no copy of its header can be read.
        first: Option<Lsn>,
        /// How many of the two copies of its header are sound.
        headers: u8,
    },
    /// A batch.
    Batch {
        /// Where its frame is in the segment's file.
        offset: u64,
        /// Its number.
        lsn: Lsn,
        /// Up to where the log was durable when it was written.
        durable: Lsn,
        /// Its bytes.
        batch: &'a [u8],
        /// Whether it is in order. One that is not follows damage, or is left of an unfinished
        /// write.
        in_order: bool,
    },
    /// A mark.
    Mark {
        /// Where it is in the segment's file.
        offset: u64,
        /// Up to where it calls the log durable.
        durable: Lsn,
    },
    /// Bytes that are no sound frame.
    Unsound {
        /// Where they begin in the segment's file.
        offset: u64,
    },
}

/// What a log's files hold together.
#[derive(Debug, Default)]
pub struct Summary {
    /// The log's id, as the first segment with a sound header says; 0 where none does.
    pub id: u64,
    /// How many segments there are.
    pub segments: u64,
    /// How many snapshots, damaged ones counted.
    pub snapshots: u64,
    /// How many batches lie in order in their segments, those in a snapshot counted.
    pub batches: u64,
    /// How many sound batches lie beyond damage.
    pub stray: u64,
    /// How many bytes all files of the log take.
    pub bytes: u64,
    /// The last batch that opening would tell; 0 where it would refuse.
    pub last: Lsn,
    /// What opening would cut off.
    pub cut: Option<Cut>,
    /// Why opening would refuse.
    pub refusal: Option<OpenError>,
}

/// Shows `see` everything in a log's files, and judges them as opening would.
///
/// # Errors
/// Where the disk cannot be read, or a file has a newer format.
pub fn inspect(disk: &dyn Disk, see: &mut dyn FnMut(Sight<'_>)) -> Result<Summary, OpenError> {
    let files = files(disk)?;
    let mut summary = Summary::default();
    for (lsn, len) in &files.snapshots {
        summary.snapshots += 1;
        match snapshot::read(disk, *lsn, *len)? {
            Found::Sound(found) => see(Sight::Snapshot { lsn: *lsn, state: Some(found.state()) }),
            Found::Damaged | Found::TooNew(_) => see(Sight::Snapshot { lsn: *lsn, state: None }),
        }
    }
    for segment in &files.segments {
        show(disk, segment, &mut summary, see)?;
    }
    summary.bytes = bytes(&files);
    match replay(disk, &mut |_| ControlFlow::Continue(())) {
        Ok(replayed) => judge(&mut summary, &replayed),
        Err(refusal) => summary.refusal = Some(refusal),
    }
    Ok(summary)
}

fn bytes(files: &Files) -> u64 {
    let segments = files.segments.iter().map(|segment| segment.len);
    let snapshots = files.snapshots.iter().map(|(_, len)| *len);
    segments.chain(snapshots).chain(files.reserve).chain(files.spare).sum()
}

fn judge(summary: &mut Summary, replayed: &Replayed) {
    let Some(tail) = &replayed.tail else { return };
    summary.last = Lsn(tail.walked.next.0 - 1);
    summary.cut = tail.cut();
}

fn show(
    disk: &dyn Disk,
    segment: &Segment,
    summary: &mut Summary,
    see: &mut dyn FnMut(Sight<'_>),
) -> Result<(), DiskError> {
    let Segment { number, len, header } = *segment;
    summary.segments += 1;
    let bytes = replay::whole(disk, &name::segment(number), len)?;
    let sound = segment::copies(&bytes).into_iter().flatten().filter(|copy| copy.number == number);
    let (headers, first) = (sound.count() as u8, header.map(|header| header.lsn));
    see(Sight::Segment { number, len, first, headers });
    let Some(header) = header else {
        see(Sight::Unsound { offset: FRAMES_AT as u64 });
        return Ok(());
    };
    if summary.id == 0 {
        summary.id = header.log;
    }
    let walked = segment::walk(&header, &bytes, &mut |at, frame| {
        summary.batches += 1;
        see(sight(at, frame, true));
        true
    });
    if !walked.marked && bytes[walked.end.min(bytes.len())..].iter().any(|byte| *byte != 0) {
        see(Sight::Unsound { offset: walked.end as u64 });
    }
    frame::search(header.salt(), &bytes, walked.end, walked.next, &mut |at, frame| {
        summary.stray += u64::from(!frame.is_mark());
        see(sight(at, frame, false));
    });
    Ok(())
}

fn sight(at: usize, frame: Frame<'_>, in_order: bool) -> Sight<'_> {
    let (offset, durable) = (at as u64, frame.durable());
    if frame.is_mark() {
        return Sight::Mark { offset, durable };
    }
    Sight::Batch { offset, lsn: frame.lsn, durable, batch: frame.batch, in_order }
}
