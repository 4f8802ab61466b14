//! Reads a log from its snapshot to its end and finds what must be mended; changes nothing.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError, Listed};

use crate::header::{Header, VERSION};
use crate::name;
use crate::recovery::{Cut, Damage, Entry, OpenError, Place};
use crate::segment::{self, Beyond, FRAMES_AT, TooNew, Walked};
use crate::snapshot::{self, Found, Snapshot};

/// Takes what a log holds.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(Entry<'_>) -> ControlFlow<()>;

/// A segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) len: u64,
    /// `None` where no copy of the header can be read.
    pub(crate) header: Option<Header>,
}

/// The files of a log.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// By number.
    pub(crate) segments: Vec<Segment>,
    /// The last batch and the length of each, oldest first.
    pub(crate) snapshots: Vec<(Lsn, u64)>,
    pub(crate) draft: bool,
    pub(crate) reserve: Option<u64>,
    pub(crate) spare: Option<u64>,
}

/// The segment that is written next, as it was found.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) segment: Segment,
    pub(crate) header: Header,
    pub(crate) walked: Walked,
    pub(crate) beyond: Beyond,
    /// The whole file.
    pub(crate) bytes: Vec<u8>,
}

impl Tail {
    /// Whether it ends as a sync leaves it: a mark, and no frame beyond.
    pub(crate) fn is_clean(&self) -> bool {
        self.walked.marked && self.beyond.frames == 0
    }

    /// What lies beyond the last sound frame and has to go.
    pub(crate) fn cut(&self) -> Option<Cut> {
        let (end, used) = (self.walked.end, self.beyond.used);
        (!self.is_clean() && used > end).then(|| Cut {
            segment: self.segment.number,
            offset: end as u64,
            bytes: (used - end) as u64,
        })
    }
}

/// A log that was read.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) files: Files,
    /// What is written next; `None` for a log that has yet to be made.
    pub(crate) tail: Option<Tail>,
    /// The number of the first segment that is needed.
    pub(crate) first_needed: u64,
    /// A segment that a crash left before its header was durable.
    pub(crate) unbegun: Option<u64>,
    /// The snapshot that was read, and its length.
    pub(crate) snapshot: Option<(Lsn, u64)>,
    pub(crate) damaged_snapshots: Vec<Lsn>,
    pub(crate) batches: u64,
    /// How many bytes the batches take that are in no snapshot.
    pub(crate) batch_bytes: u64,
    pub(crate) bytes: u64,
}

/// Lists the files of a log and reads their headers.
pub(crate) fn files(disk: &dyn Disk) -> Result<Files, OpenError> {
    let mut files = Files::default();
    for Listed { name, len } in disk.names()? {
        if let Some(number) = name::segment_number(&name) {
            let header = header_of(disk, &name, number)?;
            files.segments.push(Segment { number, len, header });
        } else if let Some(lsn) = name::snapshot_lsn(&name) {
            files.snapshots.push((lsn, len));
        }
        match name.as_str() {
            name::DRAFT => files.draft = true,
            name::RESERVE => files.reserve = Some(len),
            name::SPARE => files.spare = Some(len),
            _ => {}
        }
    }
    files.segments.sort_by_key(|segment| segment.number);
    files.snapshots.sort();
    Ok(files)
}

fn header_of(disk: &dyn Disk, name: &str, number: u64) -> Result<Option<Header>, OpenError> {
    let mut opening = [0; FRAMES_AT];
    let read = disk.read_at(name, 0, &mut opening)?;
    segment::header(&opening[..read], number).map_err(|TooNew(version)| OpenError::TooNew {
        place: Place::Segment(number),
        version,
        known: VERSION,
    })
}

/// Reads all of a file that has `len` bytes.
pub(crate) fn whole(disk: &dyn Disk, name: &str, len: u64) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; len as usize];
    let read = disk.read_at(name, 0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads a log and tells `visit` what it holds.
pub(crate) fn replay(disk: &dyn Disk, visit: Visit<'_>) -> Result<Replayed, OpenError> {
    let mut replayed = Replayed { files: files(disk)?, ..Replayed::default() };
    let snapshot = newest_snapshot(disk, &mut replayed)?;
    let base = snapshot.as_ref().map_or(Lsn(0), |snapshot| snapshot.lsn);
    if let Some(snapshot) = &snapshot {
        let state = snapshot.state();
        tell(visit, Entry::Snapshot { lsn: base, state })?;
        replayed.snapshot = Some((base, state.len() as u64));
        replayed.bytes += state.len() as u64;
    }
    let log = snapshot.map(|snapshot| snapshot.log);
    let Some(start) = start(disk, &mut replayed, base)? else { return Ok(replayed) };
    replayed.first_needed = replayed.files.segments[start].number;
    read_segments(disk, &mut replayed, start, base, log, visit)?;
    let next = replayed.tail.as_ref().map_or(Lsn(0), |tail| tail.walked.next);
    let promised = replayed.files.snapshots.last().map_or(Lsn(0), |(lsn, _)| *lsn);
    if next <= promised {
        return Err(OpenError::Missing { from: next, to: promised });
    }
    Ok(replayed)
}

fn tell(visit: Visit<'_>, entry: Entry<'_>) -> Result<(), OpenError> {
    if visit(entry).is_break() { Err(OpenError::Stopped) } else { Ok(()) }
}

/// The newest sound snapshot. Damaged ones are passed over: where the segments before them are
/// still there, nothing is lost, and otherwise the gap shows.
fn newest_snapshot(
    disk: &dyn Disk,
    replayed: &mut Replayed,
) -> Result<Option<Snapshot>, OpenError> {
    for (lsn, len) in replayed.files.snapshots.iter().rev() {
        match snapshot::read(disk, *lsn, *len)? {
            Found::Sound(snapshot) => return Ok(Some(snapshot)),
            Found::Damaged => replayed.damaged_snapshots.push(*lsn),
            Found::TooNew(version) => {
                let place = Place::Snapshot(*lsn);
                return Err(OpenError::TooNew { place, version, known: VERSION });
            }
        }
    }
    Ok(None)
}

/// Which segment holds the batch after `base`; `None` for a log that has yet to be made.
fn start(disk: &dyn Disk, replayed: &mut Replayed, base: Lsn) -> Result<Option<usize>, OpenError> {
    let files = &replayed.files;
    let holds = |segment: &Segment| segment.header.is_some_and(|h| h.lsn.0 <= base.0 + 1);
    if let Some(start) = files.segments.iter().rposition(holds) {
        return Ok(Some(start));
    }
    if let Some(lsn) = replayed.damaged_snapshots.first() {
        let (place, damage) = (Place::Snapshot(*lsn), Damage::Snapshot);
        return Err(OpenError::Corrupt { place, offset: 0, damage });
    }
    if files.segments.is_empty() && files.snapshots.is_empty() {
        return Ok(None);
    }
    if let Some(segment) = files.segments.iter().find(|segment| segment.header.is_none()) {
        if !is_unmade(disk, files)? {
            return Err(header_damaged(segment.number));
        }
        replayed.unbegun = Some(segment.number);
        return Ok(None);
    }
    let to = files.segments.iter().filter_map(|segment| segment.header).map(|h| h.lsn.0 - 1).min();
    let from = Lsn(base.0 + 1);
    Err(OpenError::Missing { from, to: to.map_or(from, Lsn).max(from) })
}

/// Whether a crash came while the log was made: its only file is the first segment, because the
/// others are made when that one is durable, and nothing was ever written behind the header.
fn is_unmade(disk: &dyn Disk, files: &Files) -> Result<bool, DiskError> {
    let others = [files.reserve, files.spare, files.snapshots.first().map(|(_, len)| *len)];
    let [first] = files.segments.as_slice() else { return Ok(false) };
    if first.number != 1 || others.iter().any(Option::is_some) {
        return Ok(false);
    }
    let bytes = whole(disk, &name::segment(1), first.len)?;
    Ok(bytes.iter().skip(FRAMES_AT).all(|byte| *byte == 0))
}

fn header_damaged(number: u64) -> OpenError {
    OpenError::Corrupt { place: Place::Segment(number), offset: 0, damage: Damage::Header }
}

/// Reads the segments from `start` on. Each but the last that was begun must be whole.
fn read_segments(
    disk: &dyn Disk,
    replayed: &mut Replayed,
    start: usize,
    base: Lsn,
    log: Option<u64>,
    visit: Visit<'_>,
) -> Result<(), OpenError> {
    let segments = replayed.files.segments.split_off(start);
    let mut tail: Option<Tail> = None;
    for (at, segment) in segments.iter().enumerate() {
        let bytes = whole(disk, &name::segment(segment.number), segment.len)?;
        replayed.bytes += bytes.len() as u64;
        let previous = tail.take();
        let last = at + 1 == segments.len();
        let Some(header) = segment.header else {
            replayed.unbegun = Some(unbegun(segment.number, &bytes, previous.as_ref(), last)?);
            tail = previous;
            break;
        };
        joins(segment, &header, previous.as_ref(), log)?;
        let walked = read_segment(&header, &bytes, base, replayed, visit)?;
        let beyond = Beyond::default();
        tail = Some(Tail { segment: *segment, header, walked, beyond, bytes });
    }
    replayed.files.segments.extend(segments);
    if let Some(tail) = &mut tail {
        tail.beyond = segment::beyond(&tail.header, &tail.bytes, &tail.walked);
        if tail.beyond.accuser.is_some() {
            return Err(at_end(tail, Damage::Batch));
        }
    }
    replayed.tail = tail;
    Ok(())
}

/// Tells the batches of one segment that are in no snapshot.
fn read_segment(
    header: &Header,
    bytes: &[u8],
    base: Lsn,
    replayed: &mut Replayed,
    visit: Visit<'_>,
) -> Result<Walked, OpenError> {
    let mut stopped = false;
    let walked = segment::walk(header, bytes, &mut |_, frame| {
        if frame.lsn > base {
            replayed.batches += 1;
            replayed.batch_bytes += frame.bytes() as u64;
            stopped = visit(Entry::Batch { lsn: frame.lsn, batch: frame.batch }).is_break();
        }
        !stopped
    });
    if stopped { Err(OpenError::Stopped) } else { Ok(walked) }
}

/// Whether a segment goes on where the one before it ends.
fn joins(
    segment: &Segment,
    header: &Header,
    previous: Option<&Tail>,
    log: Option<u64>,
) -> Result<(), OpenError> {
    let place = Place::Segment(segment.number);
    let others = previous.map_or(log, |previous| Some(previous.header.log));
    if let Some(others) = others.filter(|others| *others != header.log) {
        let damage = Damage::Foreign { is: header.log, others };
        return Err(OpenError::Corrupt { place, offset: 0, damage });
    }
    if segment.len < header.body_bytes {
        let damage = Damage::Truncated { is: segment.len, was: header.body_bytes };
        return Err(OpenError::Corrupt { place, offset: segment.len, damage });
    }
    let Some(previous) = previous else { return Ok(()) };
    if previous.segment.number + 1 != segment.number {
        let to = Lsn(header.lsn.0.saturating_sub(1));
        return Err(OpenError::Missing { from: previous.walked.next, to });
    }
    match previous.walked.next.cmp(&header.lsn) {
        Ordering::Less => Err(at_end(previous, Damage::Batch)),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(at_end(previous, Damage::Overlap(header.lsn))),
    }
}

fn at_end(tail: &Tail, damage: Damage) -> OpenError {
    let place = Place::Segment(tail.segment.number);
    OpenError::Corrupt { place, offset: tail.walked.end as u64, damage }
}

/// Whether a segment holds nothing under this header, not even a mark.
fn is_empty(header: &Header, bytes: &[u8]) -> bool {
    let walked = segment::walk(header, bytes, &mut |_, _| true);
    let beyond = segment::beyond(header, bytes, &walked);
    walked.end == FRAMES_AT && !walked.marked && beyond.frames == 0
}

/// Judges a segment without a header. One that a crash left before it was begun is empty, or holds
/// what it held as an earlier segment and says so, and holds none of the frames that it could.
fn unbegun(
    number: u64,
    bytes: &[u8],
    previous: Option<&Tail>,
    last: bool,
) -> Result<u64, OpenError> {
    let Some(previous) = previous.filter(|p| last && p.segment.number + 1 == number) else {
        return Err(header_damaged(number));
    };
    let log = previous.header.log;
    let mut copies = segment::copies(bytes).into_iter().flatten();
    let recycled = copies.any(|copy| copy.log == log && copy.number < number);
    let untouched = bytes.iter().skip(FRAMES_AT).all(|byte| *byte == 0);
    let header = Header::segment(log, number, previous.walked.next);
    let left = is_empty(&header, bytes) && (recycled || untouched);
    if left { Ok(number) } else { Err(header_damaged(number)) }
}
