//! Space that is taken before it is needed, so that a full disk is met by new jobs first.
//!
//! A spare is made for the next segment while the current one is half empty. Where that cannot be
//! had, room is low, while half a segment and the whole reserve are still there for what must end.

use bary_ports::disk::{Disk, DiskError};
use bary_ports::journal::Room;

use crate::config::LogConfig;
use crate::name;
use crate::replay::Files;
use crate::segment::{self, FRAMES_AT};

/// What space is set aside.
#[derive(Debug, Default)]
pub(crate) struct Space {
    reserve: bool,
    /// Its length.
    spare: Option<u64>,
    /// A spare was wanted and there was no space for it.
    spare_refused: bool,
    /// A batch was refused because there was no space for it, and none has been taken since.
    batch_refused: bool,
}

impl Space {
    /// Takes over what is there and can be used, and makes the reserve. `current` is the number of
    /// the segment that is written now.
    pub(crate) fn open(
        disk: &mut dyn Disk,
        config: &LogConfig,
        files: &Files,
        current: u64,
    ) -> Result<Self, DiskError> {
        let mut space = Self::default();
        if let Some(len) = files.spare {
            let keeps = keeps(disk, name::SPARE, len, config.segment_bytes, current)?;
            space.spare = keeps.then_some(len);
        }
        if let Some(len) = files.reserve {
            space.reserve = keeps(disk, name::RESERVE, len, config.reserve_bytes, current)?;
        }
        space.refill(disk, config)?;
        Ok(space)
    }

    pub(crate) fn room(&self) -> Room {
        match (self.batch_refused, self.reserve && !self.spare_refused) {
            (true, _) => Room::None,
            (false, true) => Room::Ample,
            (false, false) => Room::Low,
        }
    }

    /// Makes again what is missing, where there is space.
    pub(crate) fn refill(
        &mut self,
        disk: &mut dyn Disk,
        config: &LogConfig,
    ) -> Result<(), DiskError> {
        if !self.reserve {
            self.reserve = made(disk, name::RESERVE, config.reserve_bytes)?;
        }
        if self.spare_refused {
            self.make_spare(disk, config)?;
        }
        if self.reserve && !self.spare_refused {
            self.batch_refused = false;
        }
        Ok(())
    }

    /// Makes the next segment's space, unless it is there.
    pub(crate) fn make_spare(
        &mut self,
        disk: &mut dyn Disk,
        config: &LogConfig,
    ) -> Result<(), DiskError> {
        if self.spare.is_none() {
            let is_made = made(disk, name::SPARE, config.segment_bytes)?;
            self.spare = is_made.then_some(config.segment_bytes);
        }
        self.spare_refused = self.spare.is_none();
        Ok(())
    }

    /// Whether a segment that is not needed any more can be kept as the spare.
    pub(crate) fn wants_spare(&self, len: u64, config: &LogConfig) -> bool {
        self.spare.is_none() && len == config.segment_bytes
    }

    /// A segment has become the spare.
    pub(crate) fn on_spare(&mut self, len: u64) {
        self.spare = Some(len);
        self.spare_refused = false;
    }

    /// A batch was taken.
    pub(crate) fn on_taken(&mut self) {
        self.batch_refused = false;
    }

    /// Makes a file of this name with at least `need` bytes, from the spare, from the disk, or from
    /// the reserve. Gives its length; where there is no space, nothing is changed.
    pub(crate) fn take(
        &mut self,
        disk: &mut dyn Disk,
        config: &LogConfig,
        name: &str,
        need: u64,
    ) -> Result<u64, DiskError> {
        if let Some(len) = self.spare.filter(|len| *len >= need) {
            disk.rename(name::SPARE, name)?;
            self.spare = None;
            return Ok(len);
        }
        let len = config.segment_bytes.max(need);
        match disk.create(name, len) {
            Ok(()) => return Ok(len),
            Err(DiskError::Full { .. }) if self.reserve && config.reserve_bytes >= need => {}
            Err(error) => {
                self.batch_refused |= matches!(error, DiskError::Full { .. });
                return Err(error);
            }
        }
        disk.rename(name::RESERVE, name)?;
        self.reserve = false;
        self.spare_refused = true;
        Ok(config.reserve_bytes)
    }
}

/// Makes a file of zeros; false where there is no space for it.
fn made(disk: &mut dyn Disk, name: &str, len: u64) -> Result<bool, DiskError> {
    match disk.create(name, len) {
        Ok(()) => Ok(true),
        Err(DiskError::Full { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a file of set-aside space that cannot be used; whether it was kept.
///
/// One that bears the header of a segment still to come was given that segment's name, and a crash
/// took the name back. Given it again, it would pass for the segment before it is begun.
fn keeps(
    disk: &mut dyn Disk,
    name: &str,
    len: u64,
    wanted: u64,
    current: u64,
) -> Result<bool, DiskError> {
    let mut opening = [0; FRAMES_AT];
    let read = disk.read_at(name, 0, &mut opening)?;
    let early = segment::copies(&opening[..read]).iter().flatten().any(|h| h.number > current);
    if len == wanted && !early {
        return Ok(true);
    }
    disk.remove(name)?;
    Ok(false)
}
