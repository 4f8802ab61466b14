//! Verifies a log from its files alone, whether or not a node runs on them.
//!
//! Lines that were cut off at the end, whole, leave no trace in the files themselves. Who has noted
//! the number and hash of a line elsewhere finds that too: it is the mark to hold the log against.

use std::fs::OpenOptions;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use bary_identity::audit::chain::Chain;
use bary_identity::audit::reader::{ReadError, Reader};

use super::{AUDIT, files, segment};
use crate::access::private;

/// A line that a log had once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub number: u64,
    /// Its hash, in 64 hexadecimal digits.
    pub hash: String,
}

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many files it has.
    pub files: usize,
    /// The number of its first line; greater than 1 where older files were moved away.
    pub first: u64,
    /// Its last line, or what stands before its first: the mark to note elsewhere.
    pub last: Mark,
}

/// Why a log is not whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is none.
    #[error("there is no audit log in `{}`", .0.display())]
    NoLog(PathBuf),
    /// A file is not as it was written, or not the next one.
    #[error("`{}`, {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: ReadError,
    },
    /// A file has another name than it was given.
    #[error("`{}` begins with line {first}, so it was `{}`", path.display(), segment::name(*first))]
    Renamed {
        /// The file.
        path: PathBuf,
        /// Its first line.
        first: u64,
    },
    /// The line of the mark is another one now.
    #[error("`{}`, line {} of the log is not the one that was noted", path.display(), mark.number)]
    Other {
        /// The file.
        path: PathBuf,
        /// What was noted.
        mark: Mark,
    },
    /// The log does not have the line of the mark any more.
    #[error("line {} was noted, but the log has lines {first} to {last} only", mark.number)]
    Gone {
        /// What was noted.
        mark: Mark,
        /// The first line that it has.
        first: u64,
        /// The last line that it has.
        last: u64,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read: {cause}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Verifies the log in `dir`, which is the directory of a state or of its log; and that it still
/// has the line of `mark`.
///
/// # Errors
/// Names the first line that is not as it was written; see [`VerifyError`].
pub fn verify(dir: &Path, mark: Option<&Mark>) -> Result<Verified, VerifyError> {
    let inside = dir.join(AUDIT);
    let dir = if files::is_log(&inside) { &inside } else { dir };
    let firsts = match segment::list(dir) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(VerifyError::Failed { path: dir.to_owned(), cause });
        }
        firsts => firsts.unwrap_or_default(),
    };
    let Some(&first) = firsts.first() else { return Err(VerifyError::NoLog(dir.to_owned())) };
    let mut chain = None;
    let mut is_marked = mark.is_none();
    for first in &firsts {
        let path = segment::path(dir, *first);
        let (end, has_mark) = file(&path, *first, chain.as_ref(), mark)?;
        chain = Some(end);
        is_marked |= has_mark;
    }
    let chain = chain.unwrap_or_default();
    match mark {
        Some(mark) if !is_marked => {
            Err(VerifyError::Gone { mark: mark.clone(), first, last: chain.number() })
        }
        _ => {
            let last = Mark { number: chain.number(), hash: chain.hash() };
            Ok(Verified { files: firsts.len(), first, last })
        }
    }
}

/// Verifies one file; gives the chain at its end, and whether the mark is in it.
fn file(
    path: &Path,
    first: u64,
    before: Option<&Chain>,
    mark: Option<&Mark>,
) -> Result<(Chain, bool), VerifyError> {
    let damaged = |cause| VerifyError::Damaged { path: path.to_owned(), cause };
    let file = private::guarded(OpenOptions::new().read(true)).open(path);
    let file = file.map_err(|cause| VerifyError::Failed { path: path.to_owned(), cause })?;
    let mut reader = Reader::new(BufReader::with_capacity(64 << 10, file)).map_err(damaged)?;
    if let Some(before) = before {
        reader.follows(before).map_err(damaged)?;
    }
    let begins = reader.chain().number() + 1;
    if begins != first {
        return Err(VerifyError::Renamed { path: path.to_owned(), first: begins });
    }
    let mut is_marked = false;
    while let Some(line) = reader.next_line().map_err(damaged)? {
        let Some(mark) = mark.filter(|mark| mark.number == line.number) else { continue };
        if mark.hash != line.hash {
            return Err(VerifyError::Other { path: path.to_owned(), mark: mark.clone() });
        }
        is_marked = true;
    }
    Ok((reader.chain(), is_marked))
}
