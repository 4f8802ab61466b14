//! Commands beside tasks that run, such as a shell to look around in: in the directory and the
//! environment of the task's own command, as the same user. They end with their task.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bary_model::id::{ShardId, TaskId};
use bary_model::outcome::Failure;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::process::beside::{self, Reins};
use crate::shared::Shared;

/// Starts commands beside those of one executor, for as long as that is there.
#[derive(Clone)]
pub struct Beside(Weak<Shared>);

/// What is to run beside a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The home of the task's job: tasks of several may run here under the same number.
    pub shard: ShardId,
    /// The task.
    pub task: TaskId,
    /// The words of the command; the shell of the task's environment where there are none.
    pub words: Vec<Box<str>>,
    /// Variables that are other than the task's.
    pub env: BTreeMap<Box<str>, Box<str>>,
    /// The terminal that it gets; pipes where none.
    pub terminal: Option<Size>,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters of a line.
    pub columns: u16,
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// No command of that task runs here; it may have ended a moment ago.
    #[error("no command of that task runs here")]
    NotRunning,
    /// The command could not be started.
    #[error("{0}")]
    NotStarted(Failure),
    /// The system refused something that it takes.
    #[error("{what}: {cause}")]
    Refused {
        /// What was wanted.
        what: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// There is no such thing on this system.
    #[error("commands run beside tasks on Linux only so far")]
    Unknown,
}

/// What a command beside a task says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Standard output; on a terminal all there is.
    Out(Bytes),
    /// Standard error.
    Err(Bytes),
    /// It is over, with all that it had started.
    Over {
        /// Its exit code, or 128 and the signal that killed it.
        exit: i32,
        /// Whether its task has ended, which ended it.
        with_task: bool,
    },
}

/// A command that runs beside a task. It is killed when this is dropped.
#[derive(Debug)]
pub struct Companion {
    /// What runs.
    pub words: Vec<Box<str>>,
    /// What it says; [`Said::Over`] is the last. While nobody takes it in, the command waits.
    pub said: mpsc::Receiver<Said>,
    /// What it is to read; nothing at all is the end of it.
    pub heard: mpsc::Sender<Bytes>,
    pub(crate) reins: Reins,
}

/// How much it may be ahead of its reader, in pieces of at most [`PIECE_BYTES_MAX`].
pub(crate) const PIECES_MAX: usize = 16;
/// The most bytes of one piece.
pub(crate) const PIECE_BYTES_MAX: usize = 32 << 10;

impl Beside {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Starts a command beside a task. Blocks until it runs.
    ///
    /// # Errors
    /// Where the task runs no command, or this one cannot be started; nothing is left of it.
    pub fn start(&self, asked: Asked) -> Result<Companion, BesideError> {
        let shared = self.0.upgrade().ok_or(BesideError::NotRunning)?;
        beside::start(&shared, asked)
    }
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let node = self.0.upgrade().map(|shared| shared.config.node);
        f.debug_struct("Beside").field("node", &node).finish()
    }
}

impl Companion {
    /// Says that its terminal has another size.
    pub fn resize(&self, size: Size) {
        self.reins.resize(size);
    }
}
