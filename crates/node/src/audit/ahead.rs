//! Space on the disk for what will be appended to a file, which does not become longer by it.

use std::fs::File;
use std::io;

/// Sets so many bytes aside from `from` on; whether the file system can.
#[cfg(target_os = "linux")]
pub(super) fn set_aside(file: &File, from: u64, bytes: u64) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    match fallocate(file, FallocateFlags::KEEP_SIZE, from, bytes) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

/// Elsewhere no call does that.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_aside(_file: &File, _from: u64, _bytes: u64) -> io::Result<bool> {
    Ok(false)
}
