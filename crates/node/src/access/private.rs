//! Files that only the node's user may read: they are made so, and refused where they are not.
//!
//! Reading follows no link. Writing makes a draft that nobody else can have made, syncs it, and
//! puts it in the file's place, so that there is always the one or the other, and whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bary_model::time::{Span, Wall};

/// Why a private file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Others can read or write it. It was not read.
    #[error(
        "others may have read `{}`, whose mode is {mode:04o}: remove it, and a new one is made; \
         or, where you are sure of them, `chmod 600 {}`", path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Another user has made it. It was not read.
    #[error(
        "`{}` belongs to user {owner}, not to user {me} of this process: run as its owner, or \
         remove it, and a new one is made", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose this process is.
        me: u32,
    },
    /// It is a link, a directory, or a device. It was not read.
    #[error("`{}` is not a plain file: move it away, and a new one is made", .0.display())]
    NotPlain(PathBuf),
    /// It is longer than any that is written, or not text.
    #[error("`{}` is not what was written: restore it from a copy, or remove it", .0.display())]
    NotIts(PathBuf),
    /// The system refused. What was there before is there still.
    #[error("`{}` cannot be {doing}: {cause}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// What a private file holds.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) text: String,
    /// When it was written.
    pub(crate) modified: Wall,
}

impl PrivateError {
    /// Whether there was no space, so that it may be tried again when there is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        matches!(self, Self::Failed { cause, .. } if full.contains(&cause.kind()))
    }
}

/// The user of this process, where the system has such numbers.
#[cfg(unix)]
pub(super) fn owner() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// The user of this process, where the system has such numbers.
#[cfg(not(unix))]
pub(super) fn owner() -> Option<u32> {
    None
}

/// Reads a private file of at most `most` bytes; `None` where there is none.
pub(crate) fn read(path: &Path, most: usize) -> Result<Option<Secret>, PrivateError> {
    let failed = |cause| PrivateError::Failed { path: path.to_owned(), doing: "read", cause };
    let file = match guarded(OpenOptions::new().read(true)).open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        // No link is followed.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) => {
            return Err(PrivateError::NotPlain(path.to_owned()));
        }
        Err(cause) => return Err(failed(cause)),
    };
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(PrivateError::NotPlain(path.to_owned()));
    }
    hold_private(path, &found)?;
    let modified = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified = Wall(Span::from(modified.unwrap_or_default()).0);
    let mut bytes = Vec::with_capacity(most + 1);
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(PrivateError::NotIts(path.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| PrivateError::NotIts(path.to_owned()))?;
    Ok(Some(Secret { text, modified }))
}

/// Puts a private file of this text in the place of whatever has its name; durable on return.
pub(crate) fn write(dir: &Path, name: &str, text: &str) -> Result<(), PrivateError> {
    let (path, draft) = (dir.join(name), dir.join(format!("{name}.draft")));
    put(dir, &path, &draft, text).map_err(|cause| PrivateError::Failed {
        path,
        doing: "written",
        cause,
    })
}

fn put(dir: &Path, path: &Path, draft: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(draft) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    // Only a file that is new is written to, so it is nobody else's and no link.
    let mut file = guarded(OpenOptions::new().write(true).create_new(true)).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    sync_directory(dir)
}

/// Makes durable which files a directory holds.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Options with which no link is followed, nothing is waited for, and new files are private.
#[cfg(unix)]
pub(crate) fn guarded(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(flags.bits().cast_signed())
}

/// Options with which no link is followed, nothing is waited for, and new files are private.
#[cfg(not(unix))]
pub(crate) fn guarded(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn hold_private(path: &Path, found: &fs::Metadata) -> Result<(), PrivateError> {
    use std::os::unix::fs::MetadataExt;

    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PrivateError::Exposed { path: path.to_owned(), mode });
    }
    match owner() {
        Some(me) if me != found.uid() => {
            Err(PrivateError::Foreign { path: path.to_owned(), owner: found.uid(), me })
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn hold_private(_path: &Path, _found: &fs::Metadata) -> Result<(), PrivateError> {
    Ok(())
}
