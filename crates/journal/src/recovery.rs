//! What opening a log finds, and why it may refuse.

use std::fmt;

use bary_model::id::Lsn;
use bary_ports::disk::DiskError;

/// What a log holds, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// What was made of all batches up to `lsn`; it comes first, where there is one.
    Snapshot {
        /// The last batch in it.
        lsn: Lsn,
        /// The bytes as they were given.
        state: &'a [u8],
    },
    /// A batch; each is numbered one more than what came before.
    Batch {
        /// Its number.
        lsn: Lsn,
        /// The bytes as they were given.
        batch: &'a [u8],
    },
}

/// What opening a log found and mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The log's id, drawn when it was made.
    pub id: u64,
    /// The last batch; 0 for an empty log.
    pub last: Lsn,
    /// The snapshot that was read.
    pub snapshot: Option<Lsn>,
    /// How many batches were told.
    pub batches: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// What was cut off, where a crash had left an unfinished write.
    pub cut: Option<Cut>,
    /// Snapshots that were damaged and not needed, because the batches in them are still there.
    pub damaged_snapshots: Vec<Lsn>,
}

/// An unfinished write that was cut off. Nothing in it had been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment's number.
    pub segment: u64,
    /// Where in its file the cut is.
    pub offset: u64,
    /// How many bytes beyond it were in use.
    pub bytes: u64,
}

/// A file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The segment of this number.
    Segment(u64),
    /// The snapshot of all batches up to this one.
    Snapshot(Lsn),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(number) => write!(f, "segment {number}"),
            Self::Snapshot(lsn) => write!(f, "snapshot {}", lsn.0),
        }
    }
}

/// What is wrong with a file that was sound once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A batch that was durable is not what was written.
    #[error("checksum does not match, and sound records follow")]
    Batch,
    /// Two files hold the same batch.
    #[error("it goes on past batch {}, with which the next segment begins", .0.0)]
    Overlap(Lsn),
    /// The file has lost its end.
    #[error("the file is {is} bytes long, and it was made with {was}")]
    Truncated {
        /// How long it is.
        is: u64,
        /// How long it was.
        was: u64,
    },
    /// Neither copy of the header can be read.
    #[error("both copies of the header are damaged")]
    Header,
    /// The snapshot cannot be read, and what it was made of is not there any more.
    #[error("it is damaged, and the batches in it are gone")]
    Snapshot,
    /// The file belongs to another log.
    #[error("it belongs to log {is:016x}, and the others to log {others:016x}")]
    Foreign {
        /// The log that it names.
        is: u64,
        /// The log that the files before it name.
        others: u64,
    },
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Durable data is damaged. Nothing was changed.
    #[error(
        "{place}, offset {offset}: {damage}; \
         copy the directory, then restore a sound copy or dump what can be read"
    )]
    Corrupt {
        /// The file.
        place: Place,
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        damage: Damage,
    },
    /// Files are missing. Nothing was changed.
    #[error(
        "batches {} to {} are missing; \
         copy the directory, then restore a sound copy or dump what can be read",
        from.0, to.0
    )]
    Missing {
        /// The first batch that is missing.
        from: Lsn,
        /// The last.
        to: Lsn,
    },
    /// A newer program wrote the log. Nothing was changed.
    #[error("{place} has format {version}, and this program knows formats up to {known}")]
    TooNew {
        /// The file.
        place: Place,
        /// Its version.
        version: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// The caller wanted no more. Nothing was changed.
    #[error("reading was stopped")]
    Stopped,
    /// The limits make no sense. Nothing was changed.
    #[error("{}", .0.join("; "))]
    Config(Vec<String>),
    /// The disk failed, or has no space for a new log. What was sound is sound still.
    #[error(transparent)]
    Disk(#[from] DiskError),
}
