//! What a task does when it runs, and with which files and surroundings.

use crate::template::Template;
use crate::time::Span;

/// What runs.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// Its name, where it has one.
    pub name: Option<Box<str>>,
    /// Its text, with placeholders.
    pub value: Template,
}

/// Where a command's input comes from.
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct FileMove {
    /// Where it is now.
    pub from: Template,
    /// Where it is wanted.
    pub to: Template,
}

/// The surroundings of a command.
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Copy, Debug, PartialEq)]
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

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Span::millis(100), max: Span::secs(60), factor: 2.0, jitter: 0.5 }
    }
}
