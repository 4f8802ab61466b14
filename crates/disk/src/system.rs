//! What systems do in different ways: taking space, writing at a place, syncing a directory.

use std::fs::File;
use std::io;
use std::path::Path;

/// Takes space for `len` zeros in an empty file.
#[cfg(target_os = "linux")]
pub(crate) fn take_space(file: &File, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    if len == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, len) {
        // Some file systems have no such call.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(file, 0, len),
        taken => Ok(taken?),
    }
}

/// Takes space for `len` zeros in an empty file.
#[cfg(not(target_os = "linux"))]
pub(crate) fn take_space(file: &File, len: u64) -> io::Result<()> {
    write_zeros(file, 0, len)
}

fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    const PIECE: u64 = 64 << 10;
    let zeros = [0; PIECE as usize];
    for at in (from..to).step_by(PIECE as usize) {
        write_all_at(file, &zeros[..PIECE.min(to - at) as usize], at)?;
    }
    Ok(())
}

#[cfg(unix)]
use std::os::unix::fs::FileExt;

/// Writes all of `bytes` from `at` on.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Reads at `at`; gives how many bytes it read, 0 at the end.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(into, at)
}

/// Writes all of `bytes` from `at` on.
#[cfg(not(unix))]
pub(crate) fn write_all_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Reads at `at`; gives how many bytes it read, 0 at the end.
#[cfg(not(unix))]
pub(crate) fn read_at(mut file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    file.read(into)
}

/// Makes durable which files a directory holds.
#[cfg(unix)]
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Elsewhere directories cannot be synced; their systems write names through.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_dir: &Path) -> io::Result<()> {
    Ok(())
}
