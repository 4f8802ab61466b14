//! What a task does when it runs, and with which files and surroundings.

use serde::{Deserialize, Serialize};

use crate::template::Template;
use crate::time::Span;

/// What runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// A program with its arguments; no shell unless the words say so.
    Command {
        /// The program and its arguments. A word that is only a placeholder may become several.
        argv: Vec<Template>,
    },
    /// A function that the node has registered.
    Function {
        /// Its registered name.
        name: Box<str>,
        /// Its arguments, in order.
        args: Vec<Arg>,
    },
}

/// One argument of a function: JSON text, or plain text where it is not JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arg {
    /// Its name, where it has one.
    pub name: Option<Box<str>>,
    /// Its text, with placeholders.
    pub value: Template,
}

/// Where a command's input comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Stdin {
    /// From nowhere.
    #[default]
    Null,
    /// From this process's own standard input.
    Inherit,
    /// From a file.
    File(Template),
    /// From the task's own input cell: a chunk of `--pipe`, or a text.
    Text(Template),
}

/// What becomes of a command's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capture {
    /// Kept until the task ends, up to the limit; the output is then its result.
    #[default]
    Whole,
    /// Handed on as it comes, whole lines at a time, and kept as well.
    Lines,
    /// Handed on as it comes, and not kept.
    Live,
}

/// A file that goes in before a task runs or is collected after it succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileMove {
    /// Where it is now.
    pub from: Template,
    /// Where it is wanted.
    pub to: Template,
}

/// The surroundings of a command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Variables added to the environment; the names hold no placeholders.
    pub env: Vec<(Box<str>, Template)>,
    /// The directory to run in; where absent, the job's.
    pub cwd: Option<Template>,
    /// Its input.
    pub stdin: Stdin,
    /// A file for its standard output; where absent it is captured.
    pub stdout: Option<Template>,
    /// A file for its standard error; where absent it is captured.
    pub stderr: Option<Template>,
    /// How captured output is handed on.
    pub capture: Capture,
    /// Files brought into the task's scratch directory, which is made when there are any.
    pub inputs: Vec<FileMove>,
    /// Files collected from the scratch directory, or the working one, after success.
    pub outputs: Vec<FileMove>,
}

/// How long a failed task waits before its next attempt: `base * factor^(attempt-1)`, at most
/// `max`, of which a share is drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredBackoff")]
pub struct Backoff {
    /// The wait after the first failure.
    pub base: Span,
    /// The longest wait.
    pub max: Span,
    /// By how much each wait is longer than the one before; at least 1.
    pub factor: f64,
    /// The share of the wait that is random, from 0 (none) to 1 (all).
    pub jitter: f64,
}

/// Why numbers are no back-off. Nothing was changed; the caller gives others.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BackoffError {
    /// Each wait would be shorter than the one before, or there is no telling.
    #[error("factor {0} is not a number from 1 on")]
    Factor(f64),
    /// The random share is none.
    #[error("jitter {0} is not a number from 0 to 1")]
    Jitter(f64),
}

/// A back-off as it was written, before its numbers are checked.
#[derive(Deserialize)]
struct StoredBackoff {
    base: Span,
    max: Span,
    factor: f64,
    jitter: f64,
}

impl Backoff {
    /// The same back-off where its numbers are in their ranges.
    ///
    /// # Errors
    /// Where one is not, or is no number.
    pub fn checked(self) -> Result<Self, BackoffError> {
        if !(self.factor.is_finite() && self.factor >= 1.0) {
            return Err(BackoffError::Factor(self.factor));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(BackoffError::Jitter(self.jitter));
        }
        Ok(self)
    }
}

impl TryFrom<StoredBackoff> for Backoff {
    type Error = BackoffError;

    fn try_from(stored: StoredBackoff) -> Result<Self, BackoffError> {
        let StoredBackoff { base, max, factor, jitter } = stored;
        Self { base, max, factor, jitter }.checked()
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Span::millis(100), max: Span::secs(60), factor: 2.0, jitter: 0.5 }
    }
}
