//! A directory that is made beside its place, and put there when it is whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A directory that is being made. It is removed where it does not come to its end.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) dir: PathBuf,
    place: PathBuf,
    whole: bool,
}

impl Draft {
    /// Begins a directory beside `place`; one that was left there is removed.
    pub(super) fn begin(place: &Path) -> io::Result<Self> {
        let dir = beside(place, "draft");
        remove(&dir)?;
        make(&dir)?;
        Ok(Self { dir, place: place.to_owned(), whole: false })
    }

    /// Puts it in its place. Whatever is there goes only when this is there.
    pub(super) fn finish(mut self) -> io::Result<()> {
        sync(&self.dir)?;
        let old = beside(&self.place, "old");
        if !self.place.exists() {
            fs::rename(&self.dir, &self.place)?;
        } else if !exchanged(&self.dir, &self.place)? {
            remove(&old)?;
            fs::rename(&self.place, &old)?;
            fs::rename(&self.dir, &self.place)?;
        }
        self.whole = true;
        if let Some(above) = self.place.parent() {
            sync(above)?;
        }
        // After an exchange it is what was there before.
        remove(&self.dir)?;
        remove(&old)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.whole {
            // What stays of it is removed by the next one.
            drop(remove(&self.dir));
        }
    }
}

/// Puts back what a crash left without its name, between two renames.
pub(super) fn mend(place: &Path) -> io::Result<()> {
    let old = beside(place, "old");
    if !place.exists() && old.exists() { fs::rename(old, place) } else { Ok(()) }
}

/// Makes a directory that nobody else may look into, and those above it.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes a file that nobody else may read.
pub(super) fn file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes durable which files a directory has.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    if cfg!(unix) { File::open(here)?.sync_all() } else { Ok(()) }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn beside(place: &Path, what: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    place.with_file_name(name)
}

/// Swaps two directories in one step, where the system can.
#[cfg(target_os = "linux")]
fn exchanged(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Swaps two directories in one step, where the system can.
#[cfg(not(target_os = "linux"))]
fn exchanged(_one: &Path, _other: &Path) -> io::Result<bool> {
    Ok(false)
}
