//! The audit log of a node: what was changed and what was refused, in files of a state or in
//! memory.
//!
//! A line is with the system when `append` returns, so it outlives this process however that ends;
//! it is on the disk 200 ms later at the latest, so a power failure may cost so much. The oldest
//! files are removed past a limit, which a line tells; moved away by hand they can be verified.

mod ahead;
mod files;
mod memory;
pub mod pages;
mod segment;
mod syncer;
pub mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_identity::audit::Entry;
use bary_identity::audit::reader::ReadError;
use bary_model::time::Wall;
use tokio::sync::watch;

use crate::access::private::PrivateError;
use files::{Bounds, Files};
use memory::Memory;
use pages::Pages;
use syncer::Syncer;

/// The limits of the audit log as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("audit_field_bytes_max", "1 KiB", "bytes of one field of an audit line; the rest is cut off"),
    ("audit_bytes_max", "256 MiB", "bytes of the audit log, after which its oldest files go"),
    ("audit_file_bytes", "4 MiB", "bytes after which another file of the audit log is begun"),
    ("audit_ahead_bytes", "512 KiB", "bytes set aside for audit lines; half for what ends work"),
    ("audit_sync_ms_max", "200", "milliseconds until an audit line is on the disk"),
    ("audit_memory_lines_max", "10,000", "audit lines that a node without a state remembers"),
];

/// How many bytes the log has where nothing else is said, in the files of a state.
pub const BYTES_MAX: u64 = 256 << 20;

/// The directory of the audit log in a state.
pub const AUDIT: &str = "audit";

/// The audit log, shared by all that write to it.
#[derive(Clone, Debug)]
pub struct Audit {
    place: Arc<Place>,
    /// The number of the last line.
    last: Arc<watch::Sender<u64>>,
}

#[derive(Debug)]
enum Place {
    Disk(Syncer),
    Memory(std::sync::Mutex<Memory>),
}

/// What a line is to tell of, which decides whether it may use what was set aside for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Something new, which has to wait on a full disk.
    More,
    /// What ends, holds back or watches what is there, and goes on when the disk is full.
    Less,
}

/// Why the audit log of a state was not opened. Nothing that it holds was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its last file is not as it was written.
    #[error(
        "the audit log was changed or damaged: `{}`, {cause}; keep its directory under another \
         name, and a new log is begun", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: ReadError,
    },
    /// A file cannot be made.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The system refused.
    #[error("the audit log `{}` cannot be opened: {cause}", path.display())]
    Failed {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The line about a repair cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Why a line was not written. What it was to tell of must not be done, or not be acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// There is no space. Nothing was written; it may be tried again when there is.
    #[error("the disk under the audit log is full")]
    Full,
    /// The system refused. Nothing was written; it may be tried again.
    #[error("the audit log cannot be written: {0}")]
    Failed(#[source] io::Error),
    /// The system once lost what it was to keep, so the end of the log is not known any more.
    /// It can be written again only after a restart, which looks at what is there.
    #[error("the audit log is not written any more since the disk failed: {0}")]
    Broken(Arc<str>),
}

impl Audit {
    /// Opens the log of a state, whose directory is locked by this process, or begins one. A last
    /// line that was cut off is removed, and a line says so.
    ///
    /// # Errors
    /// Where its last file is not as it was written, or cannot be; see [`OpenError`].
    pub fn open(state: &Path, now: Wall, bytes_max: u64) -> Result<Self, OpenError> {
        Self::open_with(state, now, Bounds { file: files::FILE_BYTES, all: bytes_max })
    }

    fn open_with(state: &Path, now: Wall, bounds: Bounds) -> Result<Self, OpenError> {
        let dir = state.join(AUDIT);
        let files = Files::open(&dir, now, bounds)?;
        let last = files.last();
        let syncer =
            Syncer::start(files).map_err(|cause| OpenError::Failed { path: dir, cause })?;
        Ok(Self::new(Place::Disk(syncer), last))
    }

    /// A log that is lost with the process, and remembers the last 10,000 lines.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Place::Memory(std::sync::Mutex::default()), 0)
    }

    fn new(place: Place, last: u64) -> Self {
        Self { place: Arc::new(place), last: Arc::new(watch::Sender::new(last)) }
    }

    /// Writes a line and gives its number. It does not wait for the disk.
    ///
    /// # Errors
    /// Where it was not written; see [`AppendError`].
    pub fn append(&self, entry: &Entry<'_>) -> Result<u64, AppendError> {
        let number = match &*self.place {
            Place::Disk(syncer) => syncer.append(entry)?,
            Place::Memory(memory) => memory::lock(memory).append(entry),
        };
        self.last.send_if_modified(|last| {
            let is_later = number > *last;
            *last = number.max(*last);
            is_later
        });
        Ok(number)
    }

    /// Makes sure that the line of what is about to be done has room, as far as the file system can
    /// say so before it is written.
    ///
    /// # Errors
    /// Where the log takes no lines any more, or the disk has no room for them. Nothing was
    /// written.
    pub fn make_sure(&self, need: Need) -> Result<(), AppendError> {
        match &*self.place {
            Place::Disk(syncer) => syncer.make_sure(need),
            Place::Memory(_) => Ok(()),
        }
    }

    /// Whether the disk has no room for the lines of anything new.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.make_sure(Need::More), Err(AppendError::Full))
    }

    /// Sets after how many bytes its oldest files are removed, from the next file on.
    pub fn bound(&self, bytes_max: u64) {
        if let Place::Disk(syncer) = &*self.place {
            syncer.bound(bytes_max);
        }
    }

    /// Waits until all lines so far are on the disk.
    ///
    /// # Errors
    /// Where they may not be. The log takes no more lines then.
    pub fn sync(&self) -> Result<(), AppendError> {
        match &*self.place {
            Place::Disk(syncer) => syncer.sync(),
            Place::Memory(_) => Ok(()),
        }
    }

    /// The number of the last line; 0 where there is none.
    #[must_use]
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// The number of the last line, for who waits for more.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The lines after number `after`, page by page.
    #[must_use]
    pub fn pages(&self, after: u64) -> Pages {
        Pages::new(self.clone(), after)
    }
}

impl AppendError {
    fn of(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(cause),
        }
    }
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        let title = format!("it was not done: {error}");
        match error {
            AppendError::Full => Self::new(Kind::Full, title)
                .help("make room on the disk of the node's state")
                .retry_after(5.0),
            AppendError::Failed(_) => Self::new(Kind::Unavailable, title)
                .help("look at the disk of the node's state")
                .retry_after(5.0),
            AppendError::Broken(_) => Self::new(Kind::Unavailable, title)
                .help("look at the disk of the node's state, and start the node again"),
        }
    }
}

#[cfg(test)]
mod tests;
