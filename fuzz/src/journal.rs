//! Opening a log whose files somebody has written over, or made up.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use bary_journal::config::LogConfig;
use bary_journal::inspect::inspect;
use bary_journal::log::Log;
use bary_journal::recovery::Entry;
use bary_model::id::Lsn;
use bary_ports::disk::memory::MemoryDisk;
use bary_ports::disk::{Disk, DiskError, Listed};

/// Small limits, so that little input makes several files.
const CONFIG: LogConfig = LogConfig {
    segment_bytes: 4 << 10,
    reserve_bytes: 4 << 10,
    batch_bytes_max: 1 << 10,
    buffer_bytes_max: 1 << 10,
    snapshot_after_bytes: 1 << 20,
};
/// The log's id.
const LOG: u64 = 7;
/// Where a segment's frames begin, and where its header is a second time.
const FRAMES_AT: usize = 1_024;
const COPY_AT: usize = 512;
/// How long headers of files and of frames are.
const HEADER_BYTES: usize = 64;
const HEAD_BYTES: usize = 24;

/// Writes over parts of a sound log. Each 16 bytes say which file, from where on, and what. The
/// log is refused, or opens and can be opened again, and tells the same.
///
/// # Panics
/// Where it does not.
pub fn recovery(bytes: &[u8]) {
    let disk = written(60, None);
    for piece in bytes.chunks(16).filter(|piece| piece.len() > 3) {
        let names = disk.names().expect("memory does not fail");
        let name = &names[usize::from(piece[0]) % names.len()].name;
        let offset = u64::from(u16::from_le_bytes([piece[1], piece[2]]) % 4_096);
        disk.clone().write_at(name, offset, &piece[3..]).expect("memory has space");
    }
    holds(&disk);
}

/// Makes up the files of a log, with checksums that fit: each is two bytes of length, a header, and
/// frames or a state. The log is refused, or opens and can be opened again, and tells the same.
///
/// # Panics
/// Where it does not.
pub fn segments(bytes: &[u8]) {
    let mut disk = Shared::default();
    let mut rest = bytes;
    for place in 1..=4_u64 {
        let Some((length, behind)) = rest.split_first_chunk() else { break };
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (made, after) = behind.split_at(length);
        rest = after;
        let Some((name, contents)) = forged(made, place) else { continue };
        if disk.create(&name, contents.len() as u64).is_ok() {
            disk.write_at(&name, 0, &contents).expect("memory has space");
        }
    }
    holds(&disk);
}

/// What must hold for any files.
fn holds(disk: &Shared) {
    // A refusal is as good an answer as a sight.
    drop(inspect(disk, &mut |_| {}));
    let Some((mut log, told)) = open(disk) else { return };
    let next = log.next();
    log.write(next, b"goes on").expect("memory has space");
    log.sync().expect("memory does not fail");
    drop(log);
    let (_, again) = open(disk).expect("what was opened can be opened again");
    assert_eq!(again[..told.len()], told);
    assert_eq!(again.last(), Some(&(next, b"goes on".to_vec())));
}

/// A file with sums that fit; its name says what its header says, or which file of the input it is.
fn forged(made: &[u8], place: u64) -> Option<(String, Vec<u8>)> {
    let (header, body) = made.split_first_chunk::<HEADER_BYTES>()?;
    let mut header = *header;
    let (number, lsn) = (u64_at(&header, 24), u64_at(&header, 32));
    if header.starts_with(b"BARYSNAP") {
        header[40..48].copy_from_slice(&(body.len() as u64).to_le_bytes());
        header[48..52].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
        sum(&mut header);
        return Some((format!("{lsn:020}.snapshot"), [&header[..], body].concat()));
    }
    sum(&mut header);
    let number = if number < 16 { number } else { place };
    let mut named = [0; 24];
    named[..8].copy_from_slice(&header[16..24]);
    named[8..24].copy_from_slice(&header[24..40]);
    let salt = crc32c::crc32c(&named);
    let mut contents = vec![0; FRAMES_AT];
    contents[..HEADER_BYTES].copy_from_slice(&header);
    contents[COPY_AT..COPY_AT + HEADER_BYTES].copy_from_slice(&header);
    contents.extend(frames(body, salt));
    contents.resize(contents.len().max(CONFIG.segment_bytes as usize), 0);
    Some((format!("{number:010}.log"), contents))
}

fn sum(header: &mut [u8; HEADER_BYTES]) {
    let sum = crc32c::crc32c(&header[..HEADER_BYTES - 4]);
    header[HEADER_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
}

/// Frames with sums that fit. One whose first byte is odd keeps the sums that it has.
fn frames(body: &[u8], salt: u32) -> Vec<u8> {
    let mut bytes = body.to_vec();
    let mut at = 0;
    while at + HEAD_BYTES <= bytes.len() {
        let start = at + HEAD_BYTES;
        let length = u32_at(&bytes, at + 8) as usize;
        let end = start.saturating_add(length);
        if end <= bytes.len() && bytes[at].is_multiple_of(2) {
            let batch = crc32c::crc32c_append(salt, &bytes[start..end]);
            bytes[at + 4..at + 8].copy_from_slice(&batch.to_le_bytes());
            let head = crc32c::crc32c_append(salt, &bytes[at + 4..start]);
            bytes[at..at + 4].copy_from_slice(&head.to_le_bytes());
        }
        at = end.min(bytes.len()).next_multiple_of(8);
    }
    bytes
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Nothing; a batch overwritten; a header overwritten.
#[must_use]
pub fn recovery_seeds() -> Vec<Vec<u8>> {
    vec![vec![0; 4], [&[0, 24, 4][..], &[0xff; 13]].concat(), [&[1, 0, 0][..], &[7; 13]].concat()]
}

/// The files of a log of some batches, and of one with a snapshot.
#[must_use]
pub fn segment_seeds() -> Vec<Vec<u8>> {
    let made = |disk: &Shared| {
        let mut made = Vec::new();
        for Listed { name, len } in disk.names().expect("memory does not fail") {
            let mut bytes = vec![0; len as usize];
            disk.read_at(&name, 0, &mut bytes).expect("it was listed");
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(used.next_multiple_of(8));
            if name.ends_with(".log") && bytes.len() > FRAMES_AT {
                drop(bytes.drain(HEADER_BYTES..FRAMES_AT));
            } else if !name.ends_with(".snapshot") {
                continue;
            }
            made.extend((bytes.len() as u16).to_le_bytes());
            made.extend(bytes);
        }
        made
    };
    vec![made(&written(4, None)), made(&written(30, None)), made(&written(24, Some(20)))]
}

/// A disk with so many batches, and perhaps a snapshot.
fn written(last: u64, snapshot: Option<u64>) -> Shared {
    let disk = Shared::default();
    let (mut log, _) = open(&disk).expect("an empty disk takes a log");
    for lsn in 1..=last {
        log.write(Lsn(lsn), &[lsn as u8; 80]).expect("memory has space");
        if snapshot == Some(lsn) {
            log.sync().expect("memory does not fail");
            log.snapshot(Lsn(lsn), b"the state").expect("memory has space");
        }
    }
    log.sync().expect("memory does not fail");
    disk
}

type Told = Vec<(Lsn, Vec<u8>)>;

fn open(disk: &Shared) -> Option<(Log, Told)> {
    let mut told = Told::new();
    let opened = Log::open(Box::new(disk.clone()), CONFIG, LOG, &mut |entry| {
        told.push(match entry {
            Entry::Snapshot { lsn, state } => (lsn, state.to_vec()),
            Entry::Batch { lsn, batch } => (lsn, batch.to_vec()),
        });
        ControlFlow::Continue(())
    });
    opened.ok().map(|(log, _)| (log, told))
}

/// Files that outlive the log over them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<MemoryDisk>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut MemoryDisk) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Disk for Shared {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        self.with(|disk| disk.names())
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.with(|disk| disk.read_at(name, offset, into))
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.with(|disk| disk.create(name, len))
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(|disk| disk.write_at(name, offset, bytes))
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.sync(name))
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        self.with(Disk::sync_names)
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.with(|disk| disk.truncate(name, len))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.rename(from, to))
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.with(|disk| disk.remove(name))
    }
}
