//! The files that a job file names: `each-line` reads one, `each-file` lists them. The reader
//! sees only the trait, so that tests need no disk.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// What the reader of a job file needs of a file system.
pub trait Files {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is longer than `most` bytes.
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>>;

    /// The entries of a directory, in any order; the empty path is the current directory.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>>;

    /// Whether a path is a directory.
    fn is_directory(&self, path: &Path) -> bool;

    /// Whether a path is a file.
    fn is_file(&self, path: &Path) -> bool;

    /// Whether a file holds text: its first 8000 bytes have no NUL, as `git` judges it.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn is_text(&self, path: &Path) -> io::Result<bool>;
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory, but no link to one: those can lead in circles.
    Directory,
    /// A regular file, or a link to one.
    File,
    /// Anything else.
    Other,
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// No files at all, for a job file whose paths mean nothing where it is read. Whoever asks for one
/// is told so in these words.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles {
    /// Why there are none, as a lowercase fragment.
    pub why: &'static str,
}

/// The first bytes by which a file is judged to be text.
const JUDGED_BYTES: u64 = 8_000;

impl Files for Disk {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is longer than {most} bytes"),
            ));
        }
        Ok(bytes)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let mut entries = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = if kind.is_dir() {
                EntryKind::Directory
            } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
                EntryKind::File
            } else {
                EntryKind::Other
            };
            entries.push(Entry { name: entry.file_name(), kind });
        }
        Ok(entries)
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_text(&self, path: &Path) -> io::Result<bool> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(JUDGED_BYTES).read_to_end(&mut bytes)?;
        Ok(!bytes.contains(&0))
    }
}

impl NoFiles {
    fn refused<T>(self) -> io::Result<T> {
        Err(io::Error::new(io::ErrorKind::Unsupported, self.why))
    }
}

impl Files for NoFiles {
    fn read(&self, _path: &Path, _most: u64) -> io::Result<Vec<u8>> {
        self.refused()
    }

    fn list(&self, _directory: &Path) -> io::Result<Vec<Entry>> {
        self.refused()
    }

    /// The current directory is one, so that it is listing it that is refused, with the reason.
    fn is_directory(&self, path: &Path) -> bool {
        path.as_os_str().is_empty()
    }

    fn is_file(&self, _path: &Path) -> bool {
        false
    }

    fn is_text(&self, _path: &Path) -> io::Result<bool> {
        self.refused()
    }
}
