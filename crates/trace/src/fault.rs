//! What is wrong with a trace, on which line, and what would be right.

use std::fmt;

use crate::format::Format;

/// Why a file gives no trace. Nothing of it was taken; the caller mends the file, or names another
/// format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; of the unpacked text where the file is packed. `None` where the whole
    /// file is meant.
    pub line: Option<u32>,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is nothing in it.
    #[error("there is nothing in it: it has no {0}")]
    Empty(&'static str),
    /// It is none of the formats, as far as can be seen.
    #[error(
        "this looks like none of the formats {}; bary trace convert takes it with --from",
        Format::names()
    )]
    Unrecognised,
    /// It is not text.
    #[error("this is not text in UTF-8, which the format is")]
    NotText,
    /// A packed file is damaged or cut off.
    #[error("the {kind} file cannot be unpacked: {why}")]
    Packed {
        /// `gzip` or `zip`.
        kind: &'static str,
        /// What the library says.
        why: Box<str>,
    },
    /// A zip holds several files, and none is named.
    #[error("the zip file holds {0} files; unpack it and give the one that is meant")]
    ManyFiles(usize),
    /// It is larger than is taken.
    #[error("there are more than {most} {what}, which is the most that is read")]
    TooMany {
        /// Bytes, jobs, tasks and so on.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// It is not written as its format is.
    #[error("{0}")]
    Syntax(Box<str>),
    /// Something must be there and is not.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// A number is none, or none that is possible.
    #[error("{what} is `{given}`, and must be {want}")]
    Number {
        /// What the number says.
        what: &'static str,
        /// What stands there.
        given: Box<str>,
        /// What may stand there.
        want: &'static str,
    },
    /// A line has too few or too many words.
    #[error("there are {found} {what}, and must be {want}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there must be.
        want: u64,
    },
    /// A task waits for one that is not there.
    #[error("task `{task}` waits for `{parent}`, which is no task of its job")]
    UnknownParent {
        /// The task that waits.
        task: Box<str>,
        /// The one that is not there.
        parent: Box<str>,
    },
    /// Something is said of a task that is not there.
    #[error("`{0}` waits for others, and is no task of its job")]
    UnknownTask(Box<str>),
    /// The same name stands for two.
    #[error("{what} `{name}` is there twice")]
    Twice {
        /// Task, job, or file.
        what: &'static str,
        /// The name.
        name: Box<str>,
    },
    /// Tasks wait for each other.
    #[error("task `{0}` waits for itself, over the tasks that it waits for")]
    Circle(Box<str>),
    /// Something is wrong with a task of a graph that stands on one line.
    #[error("task {task} of graph `{graph}`: {why}")]
    InGraph {
        /// The graph.
        graph: Box<str>,
        /// The task's position in it, from 0.
        task: usize,
        /// What is wrong.
        why: Box<Self>,
    },
    /// The file was written by a later version that changed what lines mean.
    #[error("the schema is `{0}`, and `{schema}` is the one that is read here; a newer version \
             of bary reads it", schema = crate::read::own::SCHEMA)]
    Schema(Box<str>),
}

impl Fault {
    /// A fault of the whole file.
    pub(crate) fn whole(reason: Reason) -> Self {
        Self { line: None, reason }
    }

    /// A fault of a line, counted from 1.
    pub(crate) fn at(line: usize, reason: Reason) -> Self {
        Self { line: Some(u32::try_from(line).unwrap_or(u32::MAX)), reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => write!(f, "{}", self.reason),
        }
    }
}

impl std::error::Error for Fault {}

/// At most so many characters of what a user wrote are said again.
const SHOWN: usize = 80;

/// What a user wrote, short and without what a terminal would obey.
pub(crate) fn shown(text: &str) -> Box<str> {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown.replace(char::is_control, " ").into()
}
