//! Opening: reads a log, then mends and removes what a crash left behind.

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError};

use crate::config::LogConfig;
use crate::frame;
use crate::header::Header;
use crate::log::{Current, Full, Log, begin};
use crate::name;
use crate::recovery::{Cut, OpenError, Recovered};
use crate::replay::{Replayed, Segment, Tail, Visit, replay};
use crate::segment::{self, Beyond, FRAMES_AT, Walked};
use crate::space::Space;

/// How many bytes of zeros are written at once.
const ZEROS: usize = 64 << 10;

pub(super) fn open(
    mut disk: Box<dyn Disk>,
    config: LogConfig,
    id: u64,
    visit: Visit<'_>,
) -> Result<(Log, Recovered), OpenError> {
    let faults = config.check();
    if !faults.is_empty() {
        return Err(OpenError::Config(faults));
    }
    let mut replayed = replay(&*disk, visit)?;
    // The snapshot that was read must keep its name before what it replaces is removed.
    disk.sync_names()?;
    remove_leftovers(&mut *disk, &replayed)?;
    let (tail, cut) = match replayed.tail.take() {
        Some(mut tail) => {
            let cut = mend(&mut *disk, &tail)?;
            tail.walked.marked = true;
            (tail, cut)
        }
        None => (make(&mut *disk, &config, id)?, None),
    };
    let space = Space::open(&mut *disk, &config, &replayed.files, tail.segment.number)?;
    let recovered = Recovered {
        id: tail.header.log,
        last: Lsn(tail.walked.next.0 - 1),
        snapshot: replayed.snapshot.map(|(lsn, _)| lsn),
        batches: replayed.batches,
        bytes: replayed.bytes,
        cut,
        damaged_snapshots: replayed.damaged_snapshots.clone(),
    };
    Ok((log(disk, config, space, tail, &replayed), recovered))
}

fn log(
    disk: Box<dyn Disk>,
    config: LogConfig,
    space: Space,
    tail: Tail,
    replayed: &Replayed,
) -> Log {
    let Segment { number, len, .. } = tail.segment;
    // The mark that mending leaves stays.
    let mark = if tail.walked.marked { frame::frame_bytes(0) } else { 0 };
    let at = (tail.walked.end + mark) as u64;
    let durable = Lsn(tail.walked.next.0 - 1);
    Log {
        disk,
        config,
        id: tail.header.log,
        full: full(&replayed.files.segments, replayed.first_needed, number),
        current: Current { name: name::segment(number), number, len, salt: tail.header.salt(), at },
        buffer: Vec::new(),
        next: tail.walked.next,
        durable,
        settled: durable,
        space,
        snapshot: replayed.snapshot,
        unsnapped: replayed.batch_bytes,
        poisoned: None,
    }
}

/// The segments before the current one: each ends where the next begins.
fn full(segments: &[Segment], first: u64, current: u64) -> std::collections::VecDeque<Full> {
    let kept = segments.windows(2).filter(|pair| (first..current).contains(&pair[0].number));
    let full = kept.filter_map(|pair| {
        let last = Lsn(pair[1].header?.lsn.0 - 1);
        Some(Full { number: pair[0].number, len: pair[0].len, last })
    });
    full.collect()
}

/// Removes what no replay needs.
fn remove_leftovers(disk: &mut dyn Disk, replayed: &Replayed) -> Result<(), DiskError> {
    let files = &replayed.files;
    if files.draft {
        disk.remove(name::DRAFT)?;
    }
    if let Some(number) = replayed.unbegun {
        disk.remove(&name::segment(number))?;
    }
    for segment in files.segments.iter().filter(|s| s.number < replayed.first_needed) {
        disk.remove(&name::segment(segment.number))?;
    }
    let read = replayed.snapshot.map(|(lsn, _)| lsn);
    for (lsn, _) in files.snapshots.iter().filter(|(lsn, _)| Some(*lsn) != read) {
        disk.remove(&name::snapshot(*lsn))?;
    }
    Ok(())
}

/// Makes a log: its first segment.
fn make(disk: &mut dyn Disk, config: &LogConfig, id: u64) -> Result<Tail, DiskError> {
    let (number, len) = (1, config.segment_bytes);
    let header = Header { body_bytes: len, ..Header::segment(id, number, Lsn(1)) };
    disk.create(&name::segment(number), len)?;
    begin(disk, &name::segment(number), &header)?;
    let segment = Segment { number, len, header: Some(header) };
    let walked = segment::walk(&header, &[], &mut |_, _| true);
    Ok(Tail { segment, header, walked, beyond: Beyond::default(), bytes: Vec::new() })
}

/// Makes durable what was read from the last segment, and removes what lies beyond.
///
/// What no frame calls durable is written again before it is synced: after a failed sync the
/// system may show what the disk does not hold, and take it for written.
fn mend(disk: &mut dyn Disk, tail: &Tail) -> Result<Option<Cut>, DiskError> {
    let name = name::segment(tail.segment.number);
    let Walked { end, unproven, .. } = tail.walked;
    let cut = tail.cut();
    if !tail.is_clean() {
        if unproven == FRAMES_AT {
            disk.write_at(&name, 0, &segment::opening(&tail.header))?;
        }
        disk.write_at(&name, unproven as u64, &tail.bytes[unproven..end])?;
        if cut.is_some() {
            erase(disk, &name, end, tail.beyond.used)?;
        }
        // The zeros must be there before a mark calls the batches before them the last.
        disk.sync(&name)?;
    }
    let mut mark = Vec::new();
    frame::encode(tail.header.salt(), Lsn(tail.walked.next.0 - 1), 0, &[], &mut mark);
    disk.write_at(&name, end as u64, &mark)?;
    disk.sync(&name)?;
    Ok(cut)
}

fn erase(disk: &mut dyn Disk, name: &str, from: usize, to: usize) -> Result<(), DiskError> {
    let zeros = vec![0; ZEROS.min(to - from)];
    for at in (from..to).step_by(ZEROS) {
        disk.write_at(name, at as u64, &zeros[..ZEROS.min(to - at)])?;
    }
    Ok(())
}
