//! A whole journal as one file, on its way to another member.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::copy::Copy;

/// A file that goes with whoever has it.
pub(crate) struct Packed {
    path: PathBuf,
    /// Who reigned when it was as far as is told of it.
    reign: u64,
    /// What it is made of when it is wanted; none where it came from another member.
    copy: Option<Arc<dyn Copy>>,
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Packed {
    /// One of the own journal.
    pub(crate) fn outgoing(path: PathBuf, reign: u64, copy: Arc<dyn Copy>) -> Self {
        Self { path, reign, copy: Some(copy) }
    }

    /// One that comes from another member.
    pub(crate) fn incoming(path: PathBuf, reign: u64) -> Self {
        Self { path, reign, copy: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn reign(&self) -> u64 {
        self.reign
    }

    /// Makes the file. Blocks.
    pub(crate) fn make(&self) -> io::Result<()> {
        self.copy.as_ref().map_or(Ok(()), |copy| copy.pack(&self.path))
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        // One that was never made is not there, and what is left of another is overwritten.
        drop(std::fs::remove_file(&self.path));
    }
}
