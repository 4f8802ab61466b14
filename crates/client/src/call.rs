//! Why a call was not answered: the node refused it, or nobody could be asked.

use std::error::Error;

use bary_api::problem::Refused;

use crate::address::Address;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The node says no, and why. What it names was not changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No node could be asked. Nothing was changed.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The connection ended before the answer came: nobody knows whether the node did what was
    /// asked. A submission with an idempotency key may be repeated.
    #[error("the connection to {address} ended before the answer: {why}")]
    Broken {
        /// The node that was asked.
        address: Address,
        /// What the system says.
        why: String,
    },
    /// No answer came in time; nobody knows whether the node did what was asked.
    #[error("{address} has not answered in time")]
    Late {
        /// The node that was asked.
        address: Address,
    },
}

/// Why a node cannot be asked at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// Nothing listens there.
    #[error("no node answers at {0}")]
    NotRunning(Address),
    /// The socket belongs to another user.
    #[error("{0} may not be used by this user")]
    NotAllowed(Address),
    /// The address, or the machine behind it, cannot be reached.
    #[error("{address} cannot be reached: {why}")]
    NoWay {
        /// The address.
        address: Address,
        /// What the system says.
        why: String,
    },
    /// No member of a cluster can have this name; nothing was sent.
    #[error("`{0}` is no name of a member")]
    Member(String),
    /// The token holds what no token holds; it was not sent.
    #[error("the token holds characters that no token has")]
    Token,
}

impl Unreachable {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotRunning(_) => {
                "start a node: bary up, or bary dev for a try-out; or name one: --addr HOST:PORT"
            }
            Self::NotAllowed(_) => "ask over TCP with a token: --addr HOST:PORT --token-file FILE",
            Self::NoWay { .. } => "name another address: --addr HOST:PORT or --addr unix:PATH",
            Self::Member(_) => "bary node ls shows the members",
            Self::Token => "name the file that holds it: --token-file FILE",
        }
    }

    /// What the transport's error means.
    pub(crate) fn of(address: &Address, error: &(dyn Error + 'static)) -> Self {
        let address = address.clone();
        match io_kind(error) {
            Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
                Self::NotRunning(address)
            }
            Some(std::io::ErrorKind::PermissionDenied) => Self::NotAllowed(address),
            _ => Self::NoWay { address, why: innermost(error).to_string() },
        }
    }
}

/// What the status of a call means: the node's own word, or the transport's.
pub(crate) fn failure(address: &Address, status: tonic::Status) -> CallError {
    let Some(source) = status.source() else {
        let late = status.code() == tonic::Code::Cancelled && status.message() == EXPIRED;
        return match late {
            true => CallError::Late { address: address.clone() },
            false => CallError::Refused(status.into()),
        };
    };
    if innermost(source).to_string() == EXPIRED {
        return CallError::Late { address: address.clone() };
    }
    match Unreachable::of(address, source) {
        Unreachable::NoWay { address, why } => CallError::Broken { address, why },
        unreachable => unreachable.into(),
    }
}

/// What the transport says when a call's own time is over.
const EXPIRED: &str = "Timeout expired";

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<std::io::ErrorKind> {
    chain(error).find_map(|error| error.downcast_ref::<std::io::Error>().map(|io| io.kind()))
}
