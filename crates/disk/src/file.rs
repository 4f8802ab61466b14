//! A directory of real files. Data is synced with `fdatasync`, names with the directory's `fsync`,
//! and space is taken with `fallocate` where the system has it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use bary_ports::disk::{Disk, DiskError, Listed};

use crate::lock::{self, Refused};
use crate::system;

/// Why a directory was not opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "`{}` is in use by {}; wait until it ends, stop it, or name another directory",
        dir.display(), holder_of(*.holder)
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process, where it said its number.
        holder: Option<u32>,
    },
    /// The system refused.
    #[error("cannot open directory `{}`: {cause}", dir.display())]
    Failed {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

fn holder_of(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// The files of one directory.
#[derive(Debug)]
pub struct FileDisk {
    dir: PathBuf,
    /// Locked while this disk may write.
    lock: Option<File>,
    open: BTreeMap<String, File>,
}

impl FileDisk {
    /// Opens a directory for this process alone, and makes it where it is missing.
    ///
    /// # Errors
    /// Where another process has it, and where the system refuses.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Failed { dir: dir.to_owned(), cause };
        make_directory(dir).map_err(failed)?;
        let lock = lock::take(dir).map_err(|refused| match refused {
            Refused::Held(holder) => OpenError::InUse { dir: dir.to_owned(), holder },
            Refused::Failed(cause) => failed(cause),
        })?;
        Ok(Self { dir: dir.to_owned(), lock: Some(lock), open: BTreeMap::new() })
    }

    /// A directory to read only, whoever has it. Every change is refused. What another process
    /// changes meanwhile is seen in part.
    ///
    /// # Errors
    /// Where there is no such directory.
    pub fn peek(dir: &Path) -> Result<Self, OpenError> {
        match fs::read_dir(dir) {
            Ok(_) => Ok(Self { dir: dir.to_owned(), lock: None, open: BTreeMap::new() }),
            Err(cause) => Err(OpenError::Failed { dir: dir.to_owned(), cause }),
        }
    }

    /// The file to change, kept open.
    fn file(&mut self, act: &'static str, name: &str) -> Result<&File, DiskError> {
        self.owned(act, name)?;
        if !self.open.contains_key(name) {
            let opened = OpenOptions::new().read(true).write(true).open(self.dir.join(name));
            let file = opened.map_err(|cause| refused(act, name, cause))?;
            self.open.insert(name.to_owned(), file);
        }
        Ok(&self.open[name])
    }

    fn owned(&self, act: &'static str, name: &str) -> Result<(), DiskError> {
        if self.lock.is_some() {
            return Ok(());
        }
        Err(refused(act, name, io::ErrorKind::PermissionDenied.into()))
    }
}

/// What the system said, in the port's words.
fn refused(act: &'static str, name: &str, cause: io::Error) -> DiskError {
    let name = name.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound => DiskError::Missing { name },
        io::ErrorKind::AlreadyExists => DiskError::Exists { name },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DiskError::Full { name },
        _ => DiskError::Failed { act, name, cause },
    }
}

/// Makes a directory and those above it, each durable before the next.
fn make_directory(dir: &Path) -> io::Result<()> {
    let missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.is_dir();
    let missing: Vec<&Path> = dir.ancestors().take_while(missing).collect();
    for dir in missing.into_iter().rev() {
        match fs::create_dir(dir) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
            made => made?,
        }
        let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
        system::sync_directory(above.unwrap_or_else(|| Path::new(".")))?;
    }
    Ok(())
}

impl Disk for FileDisk {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        let listed = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.dir)? {
                let entry = entry?;
                let about = entry.metadata()?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if about.is_file() && name != lock::NAME {
                    names.push(Listed { name, len: about.len() });
                }
            }
            names.sort();
            Ok(names)
        };
        listed().map_err(|cause| refused("list", &self.dir.to_string_lossy(), cause))
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let opened;
        let file = match self.open.get(name) {
            Some(file) => file,
            None => {
                let found = File::open(self.dir.join(name));
                opened = found.map_err(|cause| refused("open", name, cause))?;
                &opened
            }
        };
        let mut read = 0;
        while read < into.len() {
            match system::read_at(file, &mut into[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(bytes) => read += bytes,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(refused("read", name, cause)),
            }
        }
        Ok(read)
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.owned("make", name)?;
        let path = self.dir.join(name);
        let options = OpenOptions::new().read(true).write(true).create_new(true).clone();
        let file = options.open(&path).map_err(|cause| refused("make", name, cause))?;
        if let Err(cause) = system::take_space(&file, len) {
            drop(file);
            fs::remove_file(&path).map_err(|cause| refused("remove", name, cause))?;
            return Err(refused("take space for", name, cause));
        }
        self.open.insert(name.to_owned(), file);
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let written = system::write_all_at(self.file("write", name)?, bytes, offset);
        written.map_err(|cause| refused("write", name, cause))
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        let synced = self.file("sync", name)?.sync_data();
        // Whatever the system calls it, nobody knows what is durable now.
        synced.map_err(|cause| DiskError::Failed { act: "sync", name: name.to_owned(), cause })
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        let name = self.dir.to_string_lossy().into_owned();
        self.owned("sync", &name)?;
        system::sync_directory(&self.dir).map_err(|cause| DiskError::Failed {
            act: "sync",
            name,
            cause,
        })
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        let cut = self.file("cut", name)?.set_len(len);
        cut.map_err(|cause| refused("cut", name, cause))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.owned("rename", from)?;
        fs::rename(self.dir.join(from), self.dir.join(to))
            .map_err(|cause| refused("rename", from, cause))?;
        self.open.remove(to);
        if let Some(file) = self.open.remove(from) {
            self.open.insert(to.to_owned(), file);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.owned("remove", name)?;
        self.open.remove(name);
        fs::remove_file(self.dir.join(name)).map_err(|cause| refused("remove", name, cause))
    }
}
