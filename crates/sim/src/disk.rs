//! A disk that forgets, tears, reorders, rots, fills up and fails, all of it drawn from dice.
//!
//! Until a crash it behaves like any disk; it then keeps of what was not synced whatever the dice
//! say. Without faults a write costs its copy and the copy of what it replaces.
#![expect(clippy::disallowed_types, reason = "a journal and its world share one disk")]

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bary_policy::dice::Dice;
use bary_ports::disk::{Disk, DiskError, Listed};

use crate::disk::file::SimFile;
use crate::disk::name::{Change, Names};

mod file;
mod name;

/// How many bytes a disk writes whole or not at all, unless the crash tears them.
pub const SECTOR: usize = 512;

/// A handle on a simulated disk. The newest one owns it: through older ones nothing is changed any
/// more, as through a zombie's.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    owner: u64,
}

/// What one bit of rot changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rot {
    /// The file.
    pub name: String,
    /// The byte in it.
    pub offset: u64,
    /// The bit in the byte.
    pub bit: u8,
}

#[derive(Debug, Default)]
struct State {
    owner: u64,
    names: Names,
    files: BTreeMap<u64, SimFile>,
    next_file: u64,
    capacity: Option<u64>,
    fail_next_sync: bool,
}

impl SimDisk {
    /// A handle of a new owner; older handles change nothing from now on.
    #[must_use]
    pub fn take_over(&self) -> Self {
        let mut state = self.state();
        state.owner += 1;
        let owner = state.owner;
        drop(state);
        Self { state: Arc::clone(&self.state), owner }
    }

    /// The power fails. Of what was not synced, the dice say what is there: all, nothing, or any
    /// sectors of it, the last of them torn. The caller drops whatever used the disk.
    pub fn crash(&mut self, dice: &mut Dice) {
        let mut state = self.state();
        let mood = Mood::drawn(dice);
        state.names.crash(mood, dice);
        for file in state.files.values_mut() {
            file.crash(mood, dice);
        }
        state.fail_next_sync = false;
        state.forget_unnamed();
    }

    /// One bit of a byte that was durable before its file's last sync changes; `None` where the
    /// dice find no such byte.
    ///
    /// What the last sync of a file made durable is spared, unless it was renamed since: until
    /// something tells that it was durable, not even a perfect log can tell its damage from an
    /// unfinished write.
    pub fn rot(&mut self, dice: &mut Dice) -> Option<Rot> {
        let mut state = self.state();
        let names: Vec<(String, u64)> = state.names.now().clone().into_iter().collect();
        let at = dice.below(names.len().max(1) as u64) as usize;
        let (name, file) = names.into_iter().nth(at)?;
        let (offset, bit) = state.files.get_mut(&file)?.rot(dice)?;
        Some(Rot { name, offset, bit })
    }

    /// How many bytes all files may take; `None` for no limit. What is there stays.
    pub fn set_capacity(&mut self, capacity: Option<u64>) {
        self.state().capacity = capacity;
    }

    /// How many bytes all files take.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// The next sync fails. What it was to make durable can still be read, but a crash may lose
    /// it even after later syncs, unless it is written again.
    pub fn fail_next_sync(&mut self) {
        self.state().fail_next_sync = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for a change.
    fn owned(&self, act: &'static str, name: &str) -> Result<MutexGuard<'_, State>, DiskError> {
        let state = self.state();
        if state.owner == self.owner {
            return Ok(state);
        }
        Err(failed(act, name, "another has taken the disk over"))
    }
}

/// How a crash treats what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    KeepAll,
    LoseAll,
    Draw,
}

impl Mood {
    fn drawn(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 => Self::KeepAll,
            1 => Self::LoseAll,
            _ => Self::Draw,
        }
    }
}

impl State {
    fn used(&self) -> u64 {
        self.files.values().map(SimFile::len).sum()
    }

    fn has_space(&self, more: u64) -> bool {
        self.capacity.is_none_or(|capacity| self.used() + more <= capacity)
    }

    fn file(&self, name: &str) -> Result<&SimFile, DiskError> {
        let file = self.names.now().get(name).and_then(|file| self.files.get(file));
        file.ok_or_else(|| DiskError::Missing { name: name.to_owned() })
    }

    fn file_mut(&mut self, name: &str) -> Result<&mut SimFile, DiskError> {
        let file = self.names.now().get(name).and_then(|file| self.files.get_mut(file));
        file.ok_or_else(|| DiskError::Missing { name: name.to_owned() })
    }

    /// Takes back the space of files that no name leads to, now or after a crash.
    fn forget_unnamed(&mut self) {
        let named = self.names.files();
        self.files.retain(|file, _| named.contains(file));
    }
}

fn failed(act: &'static str, name: &str, cause: &'static str) -> DiskError {
    DiskError::Failed { act, name: name.to_owned(), cause: io::Error::other(cause) }
}

impl Disk for SimDisk {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        let state = self.state();
        let len = |file| state.files.get(file).map_or(0, SimFile::len);
        let names = state.names.now().iter();
        Ok(names.map(|(name, file)| Listed { name: name.clone(), len: len(file) }).collect())
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        Ok(self.state().file(name)?.read_at(offset as usize, into))
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        let mut state = self.owned("make", name)?;
        if state.names.now().contains_key(name) {
            return Err(DiskError::Exists { name: name.to_owned() });
        }
        if !state.has_space(len) {
            return Err(DiskError::Full { name: name.to_owned() });
        }
        let file = state.next_file;
        state.next_file += 1;
        state.files.insert(file, SimFile::new(len as usize));
        state.names.change(Change::Made { name: name.to_owned(), file });
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut state = self.owned("write", name)?;
        let end = offset + bytes.len() as u64;
        let more = end.saturating_sub(state.file(name)?.len());
        if more > 0 && !state.has_space(more) {
            return Err(DiskError::Full { name: name.to_owned() });
        }
        state.file_mut(name)?.write_at(offset as usize, bytes);
        Ok(())
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        let mut state = self.owned("sync", name)?;
        let fails = mem::take(&mut state.fail_next_sync);
        let file = state.file_mut(name)?;
        if fails {
            file.fail_sync();
            return Err(failed("sync", name, "a drawn fault"));
        }
        file.sync();
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        let mut state = self.owned("sync", "names")?;
        if mem::take(&mut state.fail_next_sync) {
            return Err(failed("sync", "names", "a drawn fault"));
        }
        if state.names.sync() {
            state.forget_unnamed();
        }
        Ok(())
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        let mut state = self.owned("cut", name)?;
        let more = len.saturating_sub(state.file(name)?.len());
        if more > 0 && !state.has_space(more) {
            return Err(DiskError::Full { name: name.to_owned() });
        }
        state.file_mut(name)?.truncate(len as usize);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let mut state = self.owned("rename", from)?;
        state.file_mut(from)?.finish();
        state.names.change(Change::Renamed { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        let mut state = self.owned("remove", name)?;
        state.file(name)?;
        state.names.change(Change::Removed { name: name.to_owned() });
        Ok(())
    }
}
