//! The disk of a process that keeps nothing: files in memory, without faults and without limits.

use std::collections::BTreeMap;

use crate::disk::{Disk, DiskError, Listed};

/// Files in memory. A clone is a copy: what happens to one does not happen to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryDisk {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryDisk {
    /// A file's bytes, for looking at them and for spoiling them.
    pub fn bytes_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.files.get_mut(name)
    }

    fn file(&self, name: &str) -> Result<&Vec<u8>, DiskError> {
        self.files.get(name).ok_or_else(|| missing(name))
    }

    fn file_mut(&mut self, name: &str) -> Result<&mut Vec<u8>, DiskError> {
        self.files.get_mut(name).ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> DiskError {
    DiskError::Missing { name: name.to_owned() }
}

impl Disk for MemoryDisk {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        let listed = |(name, bytes): (&String, &Vec<u8>)| Listed {
            name: name.clone(),
            len: bytes.len() as u64,
        };
        Ok(self.files.iter().map(listed).collect())
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let bytes = self.file(name)?;
        let from = bytes.get(offset as usize..).unwrap_or_default();
        let read = from.len().min(into.len());
        into[..read].copy_from_slice(&from[..read]);
        Ok(read)
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        if self.files.contains_key(name) {
            return Err(DiskError::Exists { name: name.to_owned() });
        }
        self.files.insert(name.to_owned(), vec![0; len as usize]);
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let file = self.file_mut(name)?;
        let end = offset as usize + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.file(name).map(drop)
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        Ok(())
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.file_mut(name)?.resize(len as usize, 0);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let bytes = self.files.remove(from).ok_or_else(|| missing(from))?;
        self.files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.files.remove(name).map(drop).ok_or_else(|| missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryDisk;
    use crate::conformance::disk::a_disk_keeps_files;

    #[test]
    fn it_does_what_a_disk_does() {
        a_disk_keeps_files(&mut MemoryDisk::default());
    }
}
