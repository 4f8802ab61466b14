//! One process at a time has a directory: it holds a lock on a file that names it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

/// The file that is locked; no disk lists it.
pub(crate) const NAME: &str = "lock";

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another process has it; this is its number, where it said so.
    Held(Option<u32>),
    Failed(io::Error),
}

/// Takes the lock of a directory; it is held until the file is closed, at the latest when the
/// process ends, however it ends.
pub(crate) fn take(dir: &Path) -> Result<File, Refused> {
    let path = dir.join(NAME);
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
    let mut file = options.open(path).map_err(Refused::Failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Refused::Held(holder(&mut file))),
        Err(TryLockError::Error(cause)) => return Err(Refused::Failed(cause)),
    }
    sign(&mut file).map_err(Refused::Failed)?;
    Ok(file)
}

/// Names this process in the file, for whoever finds it locked.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    match writeln!(file, "{}", std::process::id()) {
        // The lock holds without the name, and a full disk must not keep a log from being read.
        Err(cause) if cause.kind() == io::ErrorKind::StorageFull => Ok(()),
        signed => signed,
    }
}

/// The process that has the lock. Where it cannot be read, nobody is named.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
