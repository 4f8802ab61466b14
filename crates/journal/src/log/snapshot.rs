//! Snapshots: what replaces the batches up to a number, so that their segments can go.

use bary_model::id::Lsn;
use bary_ports::disk::{Disk, DiskError};

use crate::header::HEADER_BYTES;
use crate::log::{Log, Poisoned, SnapshotError};
use crate::name;
use crate::snapshot;

impl Log {
    /// Whether a snapshot is worth its writing: as much was written since the last as the limit
    /// says, and twice as much as the last one holds.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        let last = self.snapshot.map_or(0, |(_, bytes)| bytes);
        self.unsnapped > self.config.snapshot_after_bytes.max(last.saturating_mul(2))
    }

    /// Keeps `state` in place of all batches up to `lsn`. The snapshot and the segments before are
    /// removed when this one is durable.
    ///
    /// # Errors
    /// Where there is no space, and where the log has failed.
    ///
    /// # Panics
    /// Where batch `lsn` is not durable, or in a snapshot already.
    pub fn snapshot(&mut self, lsn: Lsn, state: &[u8]) -> Result<(), SnapshotError> {
        let last = self.snapshot.map_or(Lsn(0), |(last, _)| last);
        assert!(lsn > last && lsn <= self.durable, "snapshots are of durable batches, in order");
        self.sound()?;
        match keep(&mut *self.disk, self.id, lsn, state) {
            Err(DiskError::Full { .. }) => {
                return Err(SnapshotError::Full { bytes: state.len() as u64 });
            }
            kept => self.sure(kept)?,
        }
        let replaced = self.snapshot.replace((lsn, state.len() as u64));
        self.unsnapped = 0;
        let removed = self.remove_replaced(lsn, replaced.map(|(lsn, _)| lsn));
        Ok(self.sure(removed)?)
    }

    /// How many bytes the batches take that are in no snapshot.
    #[must_use]
    pub fn unsnapped_bytes(&self) -> u64 {
        self.unsnapped
    }

    /// The last batch that is in a snapshot, and how many bytes that has.
    #[must_use]
    pub fn last_snapshot(&self) -> Option<(Lsn, u64)> {
        self.snapshot
    }

    /// Keeps a snapshot that was written beside the log (see [`crate::prepared`]), of `bytes`
    /// bytes, in place of all batches up to `lsn`; they take `covered` bytes.
    ///
    /// # Errors
    /// Where the log has failed, now or before. The snapshot is kept or not.
    ///
    /// # Panics
    /// Where batch `lsn` is not durable, or in a snapshot already.
    pub fn adopt(&mut self, lsn: Lsn, bytes: u64, covered: u64) -> Result<(), Poisoned> {
        let last = self.snapshot.map_or(Lsn(0), |(last, _)| last);
        assert!(lsn > last && lsn <= self.durable, "snapshots are of durable batches, in order");
        self.sound()?;
        let named = self.disk.rename(name::DRAFT, &name::snapshot(lsn));
        let named = named.and_then(|()| self.disk.sync_names());
        self.sure(named)?;
        let replaced = self.snapshot.replace((lsn, bytes));
        self.unsnapped = self.unsnapped.saturating_sub(covered);
        let removed = self.remove_replaced(lsn, replaced.map(|(lsn, _)| lsn));
        self.sure(removed)
    }

    /// Removes the snapshot before and the segments of which no batch is needed. One of them
    /// becomes the next segment's space, where that is missing.
    fn remove_replaced(&mut self, lsn: Lsn, replaced: Option<Lsn>) -> Result<(), DiskError> {
        if let Some(replaced) = replaced {
            self.disk.remove(&name::snapshot(replaced))?;
        }
        while let Some(full) = self.full.pop_front_if(|full| full.last <= lsn) {
            let segment = name::segment(full.number);
            if self.space.wants_spare(full.len, &self.config) {
                self.disk.rename(&segment, name::SPARE)?;
                self.space.on_spare(full.len);
            } else {
                self.disk.remove(&segment)?;
            }
        }
        self.disk.sync_names()
    }
}

/// Writes a snapshot under another name, and gives it its own when it is durable.
fn keep(disk: &mut dyn Disk, log: u64, lsn: Lsn, state: &[u8]) -> Result<(), DiskError> {
    disk.create(name::DRAFT, (HEADER_BYTES + state.len()) as u64)?;
    let written = disk
        .write_at(name::DRAFT, 0, &snapshot::header(log, lsn, state))
        .and_then(|()| disk.write_at(name::DRAFT, HEADER_BYTES as u64, state));
    if let Err(error) = written {
        disk.remove(name::DRAFT)?;
        return Err(error);
    }
    disk.sync(name::DRAFT)?;
    disk.rename(name::DRAFT, &name::snapshot(lsn))?;
    disk.sync_names()
}
