//! The log: batches of bytes in order, durable after a sync, in segments that a snapshot frees.

use std::collections::VecDeque;
use std::fmt;

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError};
use bary_ports::journal::Room;

use crate::config::LogConfig;
use crate::frame::{self, HEAD_BYTES, frame_bytes};
use crate::header::Header;
use crate::name;
use crate::recovery::{OpenError, Recovered};
use crate::replay::Visit;
use crate::segment::{self, COPY_AT, FRAMES_AT};
use crate::space::Space;

mod opening;
mod snapshot;

/// Why a log does nothing more: the disk failed, and nobody knows what of the batches that were
/// written last is durable. Opening it anew tells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal has failed: {why}")]
pub struct Poisoned {
    /// What failed.
    pub why: String,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no space for it. Nothing was changed; the caller may write it again later.
    #[error("the journal's disk is full")]
    Full,
    /// It is longer than the limit. Nothing was changed, and it will never be taken.
    #[error("a batch has {bytes} bytes, above {max} (limit batch_bytes_max)")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// The limit.
        max: u32,
    },
    /// The log has failed, now or before.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
}

/// Why a snapshot was not made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no space for it. Nothing was changed; the caller may try again later.
    #[error("the journal's disk has no space for a snapshot of {bytes} bytes")]
    Full {
        /// How long it is.
        bytes: u64,
    },
    /// The log has failed, now or before. The snapshot is there or not.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
}

/// The segment that is written now.
#[derive(Debug)]
struct Current {
    name: String,
    number: u64,
    len: u64,
    salt: u32,
    /// Where the buffer's first byte goes.
    at: u64,
}

/// A segment that is full.
#[derive(Debug)]
struct Full {
    number: u64,
    len: u64,
    last: Lsn,
}

/// An open log. Its disk must have no other writer.
pub struct Log {
    disk: Box<dyn Disk>,
    config: LogConfig,
    id: u64,
    full: VecDeque<Full>,
    current: Current,
    /// Frames that have not been passed on to the disk.
    buffer: Vec<u8>,
    next: Lsn,
    durable: Lsn,
    settled: Lsn,
    space: Space,
    /// The last snapshot and its length.
    snapshot: Option<(Lsn, u64)>,
    /// How many bytes the batches take that are in no snapshot.
    unsnapped: u64,
    poisoned: Option<Poisoned>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, current, next, durable, poisoned, .. } = self;
        write!(f, "Log({id:016x} at {current:?}, next {next:?}, {durable:?}, {poisoned:?})")
    }
}

impl Log {
    /// Opens the log of a disk, or makes one with `id`, which the caller draws. Tells `visit` the
    /// newest snapshot and every batch after it; mends what a crash left unfinished, none of which
    /// was acknowledged; makes durable all that it told. Appends nothing.
    ///
    /// # Errors
    /// Where durable data is damaged or missing, where `visit` breaks off, and where the disk
    /// fails; see [`OpenError`] for what is changed then.
    pub fn open(
        disk: Box<dyn Disk>,
        config: LogConfig,
        id: u64,
        visit: Visit<'_>,
    ) -> Result<(Self, Recovered), OpenError> {
        opening::open(disk, config, id, visit)
    }

    /// The id that was drawn when the log was made.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The number that the next batch has.
    #[must_use]
    pub fn next(&self) -> Lsn {
        self.next
    }

    /// Up to where batches are durable.
    #[must_use]
    pub fn durable(&self) -> Lsn {
        self.durable
    }

    /// Up to where damage to durable batches is surely told from an unfinished write, whatever a
    /// crash loses: the group before the last one, or all after [`Log::settle`].
    #[must_use]
    pub fn settled(&self) -> Lsn {
        self.settled
    }

    /// How much the log can still take.
    #[must_use]
    pub fn room(&self) -> Room {
        self.space.room()
    }

    /// Takes a batch. It is durable only after [`Log::sync`].
    ///
    /// # Errors
    /// Where there is no space, where it is too long, and where the log has failed.
    ///
    /// # Panics
    /// Where `lsn` is not the next number.
    pub fn write(&mut self, lsn: Lsn, batch: &[u8]) -> Result<(), WriteError> {
        assert_eq!(lsn, self.next, "batches are written in order");
        self.sound()?;
        let max = self.config.batch_bytes_max;
        let bytes = batch.len();
        if bytes > max as usize {
            return Err(WriteError::TooLong { bytes, max });
        }
        let used = self.current.at + self.buffer.len() as u64;
        // A mark must fit behind the last frame.
        if used + (frame_bytes(bytes) + HEAD_BYTES) as u64 > self.current.len {
            self.roll(bytes)?;
        }
        let behind = u32::try_from(lsn.0 - self.durable.0).unwrap_or(u32::MAX);
        let before = self.buffer.len();
        frame::encode(self.current.salt, lsn, behind, batch, &mut self.buffer);
        self.unsnapped += (self.buffer.len() - before) as u64;
        self.next = Lsn(lsn.0 + 1);
        self.space.on_taken();
        if self.buffer.len() > self.config.buffer_bytes_max {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes durable all that was written; gives the last batch that is.
    ///
    /// # Errors
    /// Where the log has failed, now or before. What was not durable before must not be
    /// acknowledged.
    pub fn sync(&mut self) -> Result<Lsn, Poisoned> {
        self.sound()?;
        if self.durable.0 + 1 < self.next.0 {
            self.make_durable()?;
            // What fails from here on is told by the next call: these batches are durable.
            drop(self.after_sync());
        }
        Ok(self.durable)
    }

    /// Makes durable also the mark that tells damage from an unfinished write. For when nothing
    /// has been written for a while, and before the log is closed.
    ///
    /// # Errors
    /// As [`Log::sync`].
    pub fn settle(&mut self) -> Result<(), Poisoned> {
        self.sync()?;
        self.sound()?;
        if self.settled < self.durable {
            let synced = self.disk.sync(&self.current.name);
            self.sure(synced)?;
            self.settled = self.durable;
            // The mark stays: overwritten and torn, it could not tell damage of what it names.
            self.current.at += frame_bytes(0) as u64;
        }
        Ok(())
    }

    /// Makes again the space that is set aside, where the disk has it; gives the room there is.
    /// For as long as room is not ample, now and then.
    ///
    /// # Errors
    /// Where the log has failed, now or before.
    pub fn make_room(&mut self) -> Result<Room, Poisoned> {
        self.sound()?;
        let refilled = self.space.refill(&mut *self.disk, &self.config);
        self.sure(refilled)?;
        Ok(self.room())
    }

    fn sound(&self) -> Result<(), Poisoned> {
        self.poisoned.clone().map_or(Ok(()), Err)
    }

    /// Poisons the log where the disk failed.
    fn sure<T>(&mut self, result: Result<T, DiskError>) -> Result<T, Poisoned> {
        result.map_err(|error| {
            let poisoned = Poisoned { why: error.to_string() };
            self.buffer = Vec::new();
            self.poisoned = Some(poisoned.clone());
            poisoned
        })
    }

    /// Passes the buffer on to the disk.
    fn flush(&mut self) -> Result<(), Poisoned> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.disk.write_at(&self.current.name, self.current.at, &self.buffer);
        self.sure(written)?;
        self.current.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn make_durable(&mut self) -> Result<(), Poisoned> {
        self.flush()?;
        let synced = self.disk.sync(&self.current.name);
        self.sure(synced)?;
        self.settled = self.durable;
        self.durable = Lsn(self.next.0 - 1);
        Ok(())
    }

    /// Leaves a mark, and takes space for the next segment when this one is half full.
    fn after_sync(&mut self) -> Result<(), Poisoned> {
        self.mark()?;
        if self.current.at > self.current.len / 2 {
            let spared = self.space.make_spare(&mut *self.disk, &self.config);
            self.sure(spared)?;
        }
        Ok(())
    }

    /// Says behind the last frame that all before is durable. The next group overwrites it, unless
    /// it was synced by then.
    fn mark(&mut self) -> Result<(), Poisoned> {
        frame::encode(self.current.salt, self.durable, 0, &[], &mut self.buffer);
        let marked = self.disk.write_at(&self.current.name, self.current.at, &self.buffer);
        self.buffer.clear();
        self.sure(marked)
    }

    /// Begins the next segment, with room for a batch of `bytes`. The one before is durable by
    /// then: what a later segment follows is never an unfinished write.
    fn roll(&mut self, bytes: usize) -> Result<(), WriteError> {
        if self.durable.0 + 1 < self.next.0 {
            self.make_durable()?;
        }
        let number = self.current.number + 1;
        let name = name::segment(number);
        let need = (FRAMES_AT + frame_bytes(bytes) + HEAD_BYTES) as u64;
        let len = match self.space.take(&mut *self.disk, &self.config, &name, need) {
            Err(DiskError::Full { .. }) => {
                self.mark()?;
                return Err(WriteError::Full);
            }
            taken => self.sure(taken)?,
        };
        let header = Header { body_bytes: len, ..Header::segment(self.id, number, self.next) };
        let begun = begin(&mut *self.disk, &name, &header);
        self.sure(begun)?;
        self.settled = self.durable;
        let current = Current { name, number, len, salt: header.salt(), at: FRAMES_AT as u64 };
        let full = std::mem::replace(&mut self.current, current);
        let last = self.durable;
        self.full.push_back(Full { number: full.number, len: full.len, last });
        Ok(())
    }
}

/// Writes what a segment begins with and makes it durable, before any batch is written to it.
///
/// The second copy of the header may become durable later. Until the first is, the second is what
/// it was, so that a crash never leaves a file of which nothing is known.
fn begin(disk: &mut dyn Disk, name: &str, header: &Header) -> Result<(), DiskError> {
    let opening = segment::opening(header);
    disk.write_at(name, 0, &opening[..COPY_AT])?;
    disk.sync(name)?;
    disk.sync_names()?;
    disk.write_at(name, COPY_AT as u64, &opening[COPY_AT..])
}
