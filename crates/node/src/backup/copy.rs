//! Copies a state while it is in use: its journal first, then the results that it refers to, then
//! who may call and what was asked. All that was acknowledged before the copy began is in it.
//!
//! What has not changed since the copy before is the same file on the disk, not copied again.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bary_journal::copying::{LogFile, whole_bytes};

use super::manifest::{self, Filed, Manifest};
use super::place::{self, Draft};
use crate::access::{KEYRING, TOKEN};
use crate::audit::AUDIT;
use crate::state::{BLOBS, JOURNAL, STATE};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// How many bytes the copy has.
    pub(crate) bytes: u64,
    /// How many of them were copied this time.
    pub(crate) anew: u64,
}

/// Why a state was not copied. A copy that was there before is there still.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// There is something else of that name.
    #[error("`{}` is there and is no copy of this state", .0.display())]
    Taken(PathBuf),
    /// The copy would be a part of what is copied, or the other way round.
    #[error("`{}` is within the state, or the state within it", .0.display())]
    Within(PathBuf),
    /// The system refused.
    #[error("`{}`: {cause}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// How much is moved at a time.
const PIECE_BYTES: usize = 256 << 10;

/// Copies the state of a directory to another, in place of a copy that is there.
///
/// # Errors
/// See [`CopyError`].
pub(crate) fn copy(state: &Path, to: &Path) -> Result<Copied, CopyError> {
    let refused = |cause| CopyError::Refused { path: to.to_owned(), cause };
    apart(state, to)?;
    place::mend(to).map_err(refused)?;
    let before = before(state, to)?;
    if let Some(above) = to.parent() {
        fs::create_dir_all(above).map_err(refused)?;
    }
    let draft = Draft::begin(to).map_err(refused)?;
    let (from, into, there) = (state, draft.dir.as_path(), to);
    let mut copying = Copying { from, into, there, before, filed: Manifest::default(), anew: 0 };
    copying.all()?;
    let text = copying.filed.text();
    let (bytes, anew) = (copying.filed.bytes() + text.len() as u64, copying.anew);
    let written = place::file(&draft.dir.join(manifest::NAME)).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| draft.finish()).map_err(refused)?;
    Ok(Copied { bytes, anew })
}

/// Refuses a place inside the state, or one that the state is inside of.
fn apart(state: &Path, to: &Path) -> Result<(), CopyError> {
    let refused = |cause| CopyError::Refused { path: state.to_owned(), cause };
    let state = fs::canonicalize(state).map_err(refused)?;
    let there = to.ancestors().find_map(|above| {
        let rest = to.strip_prefix(above).ok()?;
        Some(fs::canonicalize(above).ok()?.join(rest))
    });
    let to_real = there.unwrap_or_else(|| to.to_owned());
    if to_real.starts_with(&state) || state.starts_with(&to_real) {
        return Err(CopyError::Within(to.to_owned()));
    }
    Ok(())
}

/// What the copy holds that is there, which must be one of this state; nothing where the place is
/// free.
fn before(state: &Path, to: &Path) -> Result<Manifest, CopyError> {
    let is_free = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(cause) => cause.kind() == io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(Manifest::default());
    }
    let taken = || CopyError::Taken(to.to_owned());
    let refused = |cause| CopyError::Refused { path: state.join(STATE), cause };
    let own = fs::read(state.join(STATE)).map_err(refused)?;
    if fs::read(to.join(STATE)).ok() != Some(own) {
        return Err(taken());
    }
    match Manifest::of(to) {
        Ok(manifest) => Ok(manifest),
        // It is a copy that is good for nothing, and is made anew.
        Err(manifest::ManifestError::Damaged | manifest::ManifestError::Newer(_)) => {
            Ok(Manifest::default())
        }
        Err(_) => Err(taken()),
    }
}

/// A copy under way.
struct Copying<'a> {
    from: &'a Path,
    into: &'a Path,
    /// Where the copy before is.
    there: &'a Path,
    before: Manifest,
    filed: Manifest,
    anew: u64,
}

/// How much of a file belongs in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// What is whole of the segment of this number.
    Frames(u64),
    /// Whole lines.
    Lines,
}

impl Copying<'_> {
    fn all(&mut self) -> Result<(), CopyError> {
        self.one(STATE, Part::All)?;
        self.journal()?;
        let names = self.names(BLOBS)?;
        self.several(BLOBS, &names, Part::All)?;
        for name in [KEYRING, TOKEN] {
            if self.from.join(name).exists() {
                self.one(name, Part::All)?;
            }
        }
        let names = self.names(AUDIT)?;
        self.several(AUDIT, &names, Part::Lines)?;
        for part in [JOURNAL, BLOBS, AUDIT] {
            let dir = self.into.join(part);
            place::sync(&dir).map_err(|cause| CopyError::Refused { path: dir, cause })?;
        }
        Ok(())
    }

    fn journal(&mut self) -> Result<(), CopyError> {
        let files: BTreeMap<LogFile, String> = self
            .names(JOURNAL)?
            .into_iter()
            .filter_map(|name| Some((LogFile::of(&name)?, name)))
            .collect();
        let segments = files.keys().filter_map(|file| match file {
            LogFile::Segment(number) => Some(*number),
            LogFile::Snapshot(_) => None,
        });
        let last = segments.max();
        for (file, name) in &files {
            let path = format!("{JOURNAL}/{name}");
            match file {
                LogFile::Segment(number) if Some(*number) == last => {
                    self.one(&path, Part::Frames(*number))?;
                }
                LogFile::Segment(_) | LogFile::Snapshot(_) => self.settled(&path)?,
            }
        }
        Ok(())
    }

    /// Copies files of which only the last may grow.
    fn several(&mut self, dir: &str, names: &[String], last: Part) -> Result<(), CopyError> {
        for (at, name) in names.iter().enumerate() {
            let path = format!("{dir}/{name}");
            if at + 1 == names.len() { self.one(&path, last)? } else { self.settled(&path)? }
        }
        Ok(())
    }

    /// The names of the files in a directory, in their order, which is that of their making. It
    /// is made in the copy.
    fn names(&self, dir: &str) -> Result<Vec<String>, CopyError> {
        let (from, into) = (self.from.join(dir), self.into.join(dir));
        let refused = |cause| CopyError::Refused { path: from.clone(), cause };
        place::make(&into).map_err(refused)?;
        let mut names = Vec::new();
        if from.exists() {
            for entry in fs::read_dir(&from).map_err(refused)? {
                let entry = entry.map_err(refused)?;
                if entry.file_type().map_err(refused)?.is_file() {
                    names.extend(entry.file_name().into_string().ok());
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// Copies a file that nobody writes any more, or has the copy before give it.
    fn settled(&mut self, path: &str) -> Result<(), CopyError> {
        if let Some(filed) = self.kept(path) {
            self.filed.files.insert(path.to_owned(), filed);
            return Ok(());
        }
        self.one(path, Part::All)
    }

    /// Takes a file over from the copy before, where it is the same there. One that was the last
    /// of its directory then may have grown since within one tick of the clock.
    fn kept(&self, path: &str) -> Option<Filed> {
        let filed = *self.before.files.get(path)?;
        let (dir, _) = path.rsplit_once('/')?;
        let later = self.before.files.range(path.to_owned()..).nth(1)?;
        later.0.strip_prefix(dir)?.strip_prefix('/')?;
        let (old, new) = (self.there.join(path), self.from.join(path));
        let stamp = |about: Metadata| Some((about.len(), about.modified().ok()?));
        let same = stamp(fs::metadata(&old).ok()?)? == stamp(fs::metadata(new).ok()?)?;
        (same && fs::hard_link(old, self.into.join(path)).is_ok()).then_some(filed)
    }

    fn one(&mut self, path: &str, part: Part) -> Result<(), CopyError> {
        let (from, to) = (self.from.join(path), self.into.join(path));
        let filed = copy_file(&from, &to, part);
        let filed = filed.map_err(|cause| CopyError::Refused { path: from, cause })?;
        if let Some(filed) = filed {
            self.anew += filed.bytes;
            self.filed.files.insert(path.to_owned(), filed);
        }
        Ok(())
    }
}

/// Copies a file, and makes it durable; nothing where there is nothing of it to copy.
pub(super) fn copy_file(from: &Path, to: &Path, part: Part) -> io::Result<Option<Filed>> {
    let mut source = File::open(from)?;
    let modified = source.metadata()?.modified()?;
    let mut bytes = Vec::new();
    match part {
        Part::All => {}
        Part::Frames(number) => {
            source.read_to_end(&mut bytes)?;
            let Some(whole) = whole_bytes(number, &bytes) else { return Ok(None) };
            bytes[whole..].fill(0);
        }
        Part::Lines => {
            source.read_to_end(&mut bytes)?;
            bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        }
    }
    let mut target = place::file(to)?;
    let filed = match part {
        Part::All => stream(&mut source, &mut target)?,
        Part::Frames(_) | Part::Lines => stream(&mut bytes.as_slice(), &mut target)?,
    };
    target.set_times(FileTimes::new().set_modified(modified))?;
    target.sync_all()?;
    Ok(Some(filed))
}

/// Moves all bytes, and tells what they were.
fn stream(from: &mut impl Read, to: &mut impl Write) -> io::Result<Filed> {
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(Filed { bytes, hash: hasher.finalize() }),
            Ok(read) => read,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        hasher.update(&piece[..read]);
        to.write_all(&piece[..read])?;
        bytes += read as u64;
    }
}
