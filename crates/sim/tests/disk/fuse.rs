//! A disk whose process dies after a number of changes: from then on nothing happens any more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bary_ports::disk::{Disk, DiskError, Listed};
use bary_sim::disk::SimDisk;

/// How many changes are left to a process.
#[derive(Clone, Debug)]
pub(crate) struct Fuse(Arc<AtomicU64>);

impl Fuse {
    pub(crate) fn endless() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    pub(crate) fn set(&self, changes: u64) {
        self.0.store(changes, Ordering::Relaxed);
    }

    pub(crate) fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn burn(&self, name: &str) -> Result<(), DiskError> {
        let burnt = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        let cause = io::Error::other("the process is dead");
        let name = name.to_owned();
        burnt.map(drop).map_err(|_| DiskError::Failed { act: "reach", name, cause })
    }
}

/// A simulated disk under a process that may die.
pub(crate) struct Mortal {
    pub(crate) disk: SimDisk,
    pub(crate) fuse: Fuse,
}

impl Disk for Mortal {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        self.disk.names()
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.disk.read_at(name, offset, into)
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.fuse.burn(name)?;
        self.disk.create(name, len)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.fuse.burn(name)?;
        self.disk.write_at(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.fuse.burn(name)?;
        self.disk.sync(name)
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        self.fuse.burn("names")?;
        self.disk.sync_names()
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.fuse.burn(name)?;
        self.disk.truncate(name, len)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.fuse.burn(from)?;
        self.disk.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.fuse.burn(name)?;
        self.disk.remove(name)
    }
}
