//! The files of a job file that came over a wire: none. Paths of whoever submits mean nothing
//! here, and those of this machine are not theirs to read.

use std::io;
use std::path::Path;

use bary_jobfile::files::{Entry, Files};

/// No file at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoFiles;

fn refused() -> io::Error {
    let why = "a node reads no files for a job file that is sent to it; `bary submit` reads them \
               where they are and sends what it has read";
    io::Error::new(io::ErrorKind::Unsupported, why)
}

impl Files for NoFiles {
    fn read(&self, _path: &Path, _most: u64) -> io::Result<Vec<u8>> {
        Err(refused())
    }

    fn list(&self, _directory: &Path) -> io::Result<Vec<Entry>> {
        Err(refused())
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.as_os_str().is_empty()
    }

    fn is_file(&self, _path: &Path) -> bool {
        false
    }

    fn is_text(&self, _path: &Path) -> io::Result<bool> {
        Err(refused())
    }
}
