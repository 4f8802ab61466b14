//! What is told to the user when something cannot be done, and the exit code that goes with it.

use std::fmt;
use std::io::ErrorKind;

use bary_api::problem::Refused;
use bary_client::call::{CallError, Unreachable};
use bary_engine::input::Refusal;
use bary_jobfile::fault::Fault;
use bary_node::cluster::{RequestError, StartError};
use bary_node::state::StateError;

use crate::exit::Exit;
use crate::listing::{amount, clean};
use crate::sources::SourceError;
use crate::sources::chunk::ChunkError;

/// Why a verb was not done, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) exit: Exit,
    text: String,
    help: Option<String>,
    /// Whether a node said so, rather than that none was reached.
    pub(crate) is_answer: bool,
}

impl Complaint {
    /// The command line is wrong.
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::new(Exit::USAGE, text)
    }

    /// Something that was named is not there.
    pub(crate) fn not_found(text: impl fmt::Display) -> Self {
        Self::new(Exit::NOT_FOUND, text)
    }

    /// The machine did not do what it was asked.
    pub(crate) fn failed(text: impl fmt::Display) -> Self {
        Self::new(Exit::FAILED, text)
    }

    pub(crate) fn new(exit: Exit, text: impl fmt::Display) -> Self {
        Self { exit, text: format!("bary: {text}"), help: None, is_answer: false }
    }

    /// Adds what to do instead.
    pub(crate) fn help(self, help: impl fmt::Display) -> Self {
        Self { help: Some(help.to_string()), ..self }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl From<CallError> for Complaint {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refused) => refused.into(),
            CallError::Unreachable(error) => error.into(),
            CallError::Broken { .. } => Self::new(Exit::UNAVAILABLE, error)
                .help("ask again; what was asked may have been done (see bary ls)"),
            CallError::Late { .. } => Self::new(Exit::TIMED_OUT, error)
                .help("ask again; what was asked may have been done (see bary ls)"),
        }
    }
}

impl From<Refused> for Complaint {
    fn from(refused: Refused) -> Self {
        let exit = Exit(refused.kind.row().exit);
        let wait = refused.retry_after.map(amount::span);
        let again = wait.map(|span| format!("try again in {span}"));
        let help = (!refused.help.is_empty()).then(|| refused.help.clone());
        let help = match (help, again) {
            (Some(help), Some(again)) => Some(format!("{help}; {again}")),
            (help, again) => help.or(again),
        };
        let complaint = Self::new(exit, clean::line(&refused.title));
        let complaint = Self { is_answer: true, ..complaint };
        match help {
            Some(help) => complaint.help(clean::line(&help)),
            None => complaint,
        }
    }
}

impl From<Unreachable> for Complaint {
    fn from(error: Unreachable) -> Self {
        let exit = match &error {
            Unreachable::NotAllowed(_) | Unreachable::Token => Exit::DENIED,
            Unreachable::Member(_) => Exit::USAGE,
            Unreachable::NotRunning(_) | Unreachable::NoWay { .. } => Exit::UNAVAILABLE,
        };
        let help = error.help();
        Self::new(exit, error).help(help)
    }
}

impl From<RequestError> for Complaint {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) => refusal.into(),
            RequestError::Stopped => Self::failed(error),
        }
    }
}

impl From<Refusal> for Complaint {
    fn from(refusal: Refusal) -> Self {
        let exit = match &refusal {
            Refusal::Unplaceable { .. } => Exit::UNPLACEABLE,
            Refusal::Full { .. }
            | Refusal::TooManyResults { .. }
            | Refusal::NoRoom
            | Refusal::NoHome => Exit::FULL,
            Refusal::Graph(_) | Refusal::TooManyUpstream { .. } | Refusal::TooLong { .. } => {
                Exit::USAGE
            }
            Refusal::Policy(_)
            | Refusal::BadLabel { .. }
            | Refusal::Misformed { .. }
            | Refusal::TooManyLabels { .. } => Exit::USAGE,
            Refusal::TooManyNodes { .. } => Exit::FULL,
            Refusal::Closed(_)
            | Refusal::NoSuchJob(_)
            | Refusal::NoSuchKey(_)
            | Refusal::KeyReused { .. }
            | Refusal::NotRetryable(_)
            | Refusal::AlreadyOver(_)
            | Refusal::NotOver(_) => Exit::FAILED,
        };
        match &refusal {
            Refusal::Unplaceable { name, shortage } if name.is_empty() => {
                Self::new(exit, format!("cannot be placed: {shortage}"))
            }
            _ => Self::new(exit, refusal),
        }
    }
}

impl From<ChunkError> for Complaint {
    fn from(error: ChunkError) -> Self {
        match &error {
            ChunkError::TooLong => Self::new(Exit::FULL, error),
            ChunkError::Inputs(_) => Self::usage(error),
        }
    }
}

impl From<SourceError> for Complaint {
    fn from(error: SourceError) -> Self {
        match &error {
            SourceError::Read { cause, .. } => match cause.kind() {
                ErrorKind::NotFound => Self::not_found(error),
                ErrorKind::FileTooLarge => Self::new(Exit::FULL, error),
                _ => Self::failed(error),
            },
            SourceError::Context { .. } => Self::new(Exit::FULL, error),
            SourceError::Search(_) | SourceError::Inputs(_) => Self::usage(error),
        }
    }
}

impl From<StartError> for Complaint {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Options(_) => Self::usage(error),
            StartError::Machine(_) => Self::failed(error),
        }
    }
}

impl From<StateError> for Complaint {
    fn from(error: StateError) -> Self {
        match &error {
            StateError::NotADirectory(_) => Self::usage(error),
            StateError::Backup(_) => {
                Self::usage(error).help("bary restore DIR --state NEW makes one")
            }
            StateError::InUse { .. } => {
                Self::new(Exit::FULL, error).help("wait until it ends, or stop it")
            }
            _ if error.is_full() => {
                Self::new(Exit::FULL, error).help("free space there, or name another directory")
            }
            StateError::Newer { .. } => {
                Self::failed(error).help("run it with the version of bary that made it, or later")
            }
            StateError::Older { .. } => {
                Self::failed(error).help("end its work with that version, and name a new directory")
            }
            StateError::Refused { .. }
            | StateError::Journal { .. }
            | StateError::Leftover(_)
            | StateError::Damaged { .. } => Self::failed(error),
        }
    }
}

impl From<Vec<Fault>> for Complaint {
    fn from(faults: Vec<Fault>) -> Self {
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Self { exit: Exit::USAGE, text: shown.join("\n\n"), help: None, is_answer: false }
    }
}
