//! Writes the files of a log: opens the last one where it ends, appends, and begins the next.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_identity::audit::chain::Chain;
use bary_identity::audit::reader::{ReadError, Reader};
use bary_identity::audit::{Entry, Outcome};
use bary_model::time::Wall;

use super::{AppendError, Need, OpenError, ahead, segment};
use crate::access::private;

/// How many bytes a file has when another one is begun.
pub(super) const FILE_BYTES: u64 = 4 << 20;
/// How many bytes are set aside on the disk for lines to come. Once half of that is left and the
/// disk gives no more, nothing new is taken on.
const AHEAD: u64 = 512 << 10;
/// How much of it is kept for the lines of what was let in before.
const KEPT: u64 = 64 << 10;
/// Where a file system sets nothing aside, nobody knows before a line is written.
const UNKNOWN: u64 = u64::MAX;

/// The files of a log, of which the last one grows.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    /// The first line of each file, in order.
    firsts: Vec<u64>,
    /// The last file.
    file: Arc<File>,
    /// How long the last file is, and how long those before it are together.
    bytes: u64,
    before: u64,
    /// Up to where the last file is sure to have room on the disk; [`UNKNOWN`] where none can be
    /// set aside.
    sure: u64,
    /// The end of the log.
    chain: Chain,
    bounds: Bounds,
    /// Why nothing is written any more.
    broken: Option<Arc<str>>,
}

/// How large a log grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes of a file, after which another one is begun.
    pub(super) file: u64,
    /// Bytes of all files, after which the oldest are removed.
    pub(super) all: u64,
}

impl Files {
    pub(super) fn open(dir: &Path, now: Wall, bounds: Bounds) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Failed { path: dir.to_owned(), cause };
        make(dir).map_err(failed)?;
        let mut firsts = segment::list(dir).map_err(failed)?;
        if firsts.is_empty() {
            let first = Chain::default();
            private::write(dir, &segment::name(1), &first.head())?;
            firsts.push(1);
        }
        let first = firsts.last().copied().unwrap_or(1);
        let path = segment::path(dir, first);
        let (end, torn) = end(&path)?;
        let failed = |cause| OpenError::Failed { path: path.clone(), cause };
        let file = Arc::new(appending(&path).map_err(failed)?);
        let (chain, bytes) = end;
        let earlier = firsts.iter().rev().skip(1).map(|first| length(dir, *first));
        let before = earlier.sum::<io::Result<u64>>().map_err(failed)?;
        let dir = dir.to_owned();
        let (sure, broken) = (bytes, None);
        let mut files = Self { dir, firsts, file, bytes, before, sure, chain, bounds, broken };
        if let Some(tail) = torn {
            files.file.set_len(bytes).and_then(|()| files.file.sync_all()).map_err(failed)?;
            files.append(&repair(now, &segment::name(first), &cut(&tail)))?;
        }
        files.trim(now)?;
        Ok(files)
    }

    /// Sets how large all files grow; more is removed when the next file begins.
    pub(super) fn bound(&mut self, all: u64) {
        self.bounds.all = all;
    }

    /// The number of the last line.
    pub(super) fn last(&self) -> u64 {
        self.chain.number()
    }

    /// The file that grows.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The file that has a line, and the number of its first line: where that is later, all files
    /// with the lines between were moved away.
    pub(super) fn with(&self, number: u64) -> (PathBuf, u64) {
        let after = self.firsts.partition_point(|first| *first <= number);
        let first = self.firsts[after.saturating_sub(1)];
        (segment::path(&self.dir, first), first)
    }

    /// Nothing is written any more, for this reason.
    pub(super) fn give_up(&mut self, cause: &io::Error) -> AppendError {
        let why = self.broken.get_or_insert_with(|| cause.to_string().into());
        AppendError::Broken(Arc::clone(why))
    }

    /// Whether lines may still be written.
    pub(super) fn hold(&self) -> Result<(), AppendError> {
        self.broken.clone().map_or(Ok(()), |why| Err(AppendError::Broken(why)))
    }

    /// Makes sure that lines have room on the disk, before what they tell of is done.
    pub(super) fn make_sure(&mut self, need: Need) -> Result<(), AppendError> {
        self.hold()?;
        if self.left() >= AHEAD / 2 {
            return Ok(());
        }
        let least = match need {
            Need::More => AHEAD / 2,
            Need::Less => KEPT,
        };
        match self.set_aside(AHEAD) {
            Err(_) if self.left() >= least => Ok(()),
            // As much may be there still from before a restart.
            Err(_) => self.set_aside(least).map_err(AppendError::of),
            Ok(()) => Ok(()),
        }
    }

    fn set_aside(&mut self, bytes: u64) -> io::Result<()> {
        let can = ahead::set_aside(&self.file, self.bytes, bytes)?;
        self.sure = if can { self.bytes + bytes } else { UNKNOWN };
        Ok(())
    }

    /// How much is set aside.
    fn left(&self) -> u64 {
        self.sure.saturating_sub(self.bytes)
    }

    /// Writes a line and gives its number.
    pub(super) fn append(&mut self, entry: &Entry<'_>) -> Result<u64, AppendError> {
        self.hold()?;
        // On a full disk it rather goes on where room is set aside, past the bound.
        if self.bytes >= self.bounds.file && self.make_sure(Need::More).is_ok() {
            self.begin()?;
            self.trim(entry.at)?;
        }
        self.write(entry)
    }

    fn write(&mut self, entry: &Entry<'_>) -> Result<u64, AppendError> {
        let mut next = self.chain;
        let (_, text) = next.append(entry);
        if let Err(cause) = (&*self.file).write_all(text.as_bytes()) {
            // A part of the line may be there, and the next must not be written behind it. What was
            // set aside goes with it.
            self.sure = self.sure.min(self.bytes);
            return Err(match self.file.set_len(self.bytes) {
                Ok(()) => AppendError::of(cause),
                Err(_) => self.give_up(&cause),
            });
        }
        self.chain = next;
        self.bytes += text.len() as u64;
        Ok(self.last())
    }

    /// Begins the next file, once the last one is on the disk.
    fn begin(&mut self) -> Result<(), AppendError> {
        if let Err(cause) = self.file.sync_data() {
            return Err(self.give_up(&cause));
        }
        let first = self.chain.number() + 1;
        let head = self.chain.head();
        let written = private::write(&self.dir, &segment::name(first), &head);
        written.map_err(|error| match error.is_full() {
            true => AppendError::Full,
            false => AppendError::Failed(io::Error::other(error)),
        })?;
        let file = appending(&segment::path(&self.dir, first)).map_err(AppendError::of)?;
        if self.sure != UNKNOWN {
            // The same length, which gives back what lies behind it. Where it does not, that is a
            // little space less.
            drop(self.file.set_len(self.bytes));
        }
        self.file = Arc::new(file);
        self.before += self.bytes;
        self.bytes = head.len() as u64;
        self.sure = self.bytes;
        // What was given back is there for it. Else whoever is let in next hears of it.
        drop(self.set_aside(AHEAD / 2));
        self.firsts.push(first);
        Ok(())
    }

    /// Removes the oldest files while there is too much, but never the last one. The head of the
    /// first that stays has the hash of the line before it, and a line tells what was removed.
    fn trim(&mut self, now: Wall) -> Result<(), AppendError> {
        let mut gone = 0;
        while self.before + self.bytes > self.bounds.all && gone + 1 < self.firsts.len() {
            let first = self.firsts[gone];
            let bytes = length(&self.dir, first).map_err(AppendError::of)?;
            // It is told before it is done: what is there longer than the log says is no harm.
            self.before = self.before.saturating_sub(bytes);
            gone += 1;
        }
        if gone == 0 {
            return Ok(());
        }
        let kept = self.firsts[gone];
        let (from, to) = (self.firsts[0], kept - 1);
        let reason = format!("lines {from} to {to} were removed (limit audit_bytes_max)");
        self.write(&trimmed(now, &segment::name(kept), &reason))?;
        for first in self.firsts.drain(..gone) {
            match fs::remove_file(segment::path(&self.dir, first)) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(AppendError::of(cause));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Makes the directory of a log, where there is none.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        made => {
            made?;
            dir.parent().map_or(Ok(()), private::sync_directory)
        }
    }
}

fn appending(path: &Path) -> io::Result<File> {
    private::guarded(OpenOptions::new().append(true)).open(path)
}

/// The end of a file's whole lines, in chain and bytes, and what is torn behind it.
type End = ((Chain, u64), Option<Vec<u8>>);

fn end(path: &Path) -> Result<End, OpenError> {
    let damaged = |cause| OpenError::Damaged { path: path.to_owned(), cause };
    let file = private::guarded(OpenOptions::new().read(true)).open(path);
    let file = file.map_err(|cause| OpenError::Failed { path: path.to_owned(), cause })?;
    let mut reader = Reader::new(BufReader::new(file)).map_err(damaged)?;
    loop {
        match reader.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(((reader.chain(), reader.bytes()), None)),
            Err(ReadError::Torn { tail, .. }) => {
                return Ok(((reader.chain(), reader.bytes()), Some(tail)));
            }
            Err(cause) => return Err(damaged(cause)),
        }
    }
}

/// What is said of a torn line that was cut off: how much, and how it began.
fn cut(tail: &[u8]) -> String {
    const SHOWN: usize = 128;
    let began = String::from_utf8_lossy(&tail[..tail.len().min(SHOWN)]);
    format!("cut off {} bytes that were no whole line: {began}", tail.len())
}

fn repair<'a>(now: Wall, file: &'a str, reason: &'a str) -> Entry<'a> {
    let (door, verb, outcome) = ("node", "audit.repair", Outcome::Done);
    Entry { at: now, who: "", role: None, door, verb, target: file, outcome, reason }
}

fn trimmed<'a>(now: Wall, kept: &'a str, reason: &'a str) -> Entry<'a> {
    Entry { verb: "audit.trim", ..repair(now, kept, reason) }
}

/// How long the file whose first line has this number is; one that was moved away has nothing.
fn length(dir: &Path, first: u64) -> io::Result<u64> {
    match fs::metadata(segment::path(dir, first)) {
        Ok(there) => Ok(there.len()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(cause) => Err(cause),
    }
}

/// Whether a directory holds a log.
pub(super) fn is_log(dir: &Path) -> bool {
    fs::metadata(dir).is_ok_and(|found| found.is_dir())
        && segment::list(dir).is_ok_and(|firsts| !firsts.is_empty())
}
