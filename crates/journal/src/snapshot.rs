//! A snapshot file: a header, and what the caller made of all batches up to a number.

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError};

use crate::header::{HEADER_BYTES, Header, Kind, VERSION};
use crate::name;

/// What a snapshot's file holds.
#[derive(Debug)]
pub(crate) enum Found {
    /// A sound snapshot.
    Sound(Snapshot),
    /// Something that is no snapshot, or a damaged one.
    Damaged,
    /// A snapshot of a format that this program does not know.
    TooNew(u32),
}

/// A sound snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) log: u64,
    pub(crate) lsn: Lsn,
    /// The whole file.
    bytes: Vec<u8>,
}

impl Snapshot {
    pub(crate) fn state(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }
}

/// The header of a snapshot of `state`.
pub(crate) fn header(log: u64, lsn: Lsn, state: &[u8]) -> [u8; HEADER_BYTES] {
    let body_bytes = state.len() as u64;
    let body_sum = crc32c::crc32c(state);
    let (kind, version, number) = (Kind::Snapshot, VERSION, 0);
    Header { kind, version, log, number, lsn, body_bytes, body_sum }.encode()
}

/// Reads the snapshot of all batches up to `lsn`, whose file has `len` bytes.
pub(crate) fn read(disk: &dyn Disk, lsn: Lsn, len: u64) -> Result<Found, DiskError> {
    let mut bytes = vec![0; len as usize];
    let read = disk.read_at(&name::snapshot(lsn), 0, &mut bytes)?;
    bytes.truncate(read);
    let Some(header) = Header::decode(Kind::Snapshot, &bytes) else { return Ok(Found::Damaged) };
    if header.version > VERSION {
        return Ok(Found::TooNew(header.version));
    }
    let state = &bytes[HEADER_BYTES..];
    let whole = header.lsn == lsn && header.body_bytes == state.len() as u64;
    if !whole || header.body_sum != crc32c::crc32c(state) {
        return Ok(Found::Damaged);
    }
    Ok(Found::Sound(Snapshot { log: header.log, lsn, bytes }))
}
