//! Who calls, or why nobody knows.

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_identity::calendar;
use bary_identity::keyring::Entry;
use bary_identity::name::Name;
use bary_model::time::{Span, Wall};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The name of the token, or `uid:` and the user's number for who came by the socket.
    pub name: Box<str>,
    /// What it may do.
    pub role: Role,
}

impl Bearer {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { name: entry.name.as_str().into(), role: entry.role }
    }
}

/// A caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}{}", more(*shed))]
pub struct WhoError {
    /// Why not.
    pub why: Why,
    /// How many others were told to wait since the last one that was not.
    pub shed: u64,
}

/// Why a caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It presented no token.
    #[error("there is no token")]
    Missing,
    /// It presented what is no token, or one that is not known.
    #[error("the token is not known")]
    Unknown,
    /// Its token was good once.
    #[error("the token `{name}` expired at {}", calendar::text(*at))]
    Expired {
        /// The token's name.
        name: Name,
        /// When it expired.
        at: Wall,
    },
    /// It came by the socket, and is another user.
    #[error("user {uid} is not the one that runs this node")]
    Stranger {
        /// Its number.
        uid: u32,
    },
    /// There were too many wrong tokens before it. What it presented is not right either.
    #[error("there were too many wrong tokens")]
    TooMany {
        /// When another one is listened to.
        retry_after: Span,
    },
}

impl WhoError {
    /// Whether it is one of so many that no line of the audit log is to be written for it: the next
    /// one that has a line says how many there were.
    #[must_use]
    pub fn is_shed(&self) -> bool {
        matches!(self.why, Why::TooMany { .. })
    }
}

fn more(shed: u64) -> String {
    match shed {
        0 => String::new(),
        _ => format!(" ({shed} more were told to wait before it)"),
    }
}

impl From<WhoError> for Refused {
    fn from(error: WhoError) -> Self {
        let title = error.why.to_string();
        match error.why {
            Why::TooMany { retry_after } => Self::new(Kind::Full, title)
                .help("wait, and take a token that is known: `bary token ls` lists them")
                .retry_after(retry_after.as_secs_f64().max(0.1)),
            Why::Missing => Self::new(Kind::Unauthenticated, title).help(
                "give one by --token-file, BARY_TOKEN_FILE or BARY_TOKEN, or as \
                 `Authorization: Bearer TOKEN`; the node's own is in the file `token` of its state",
            ),
            Why::Unknown | Why::Expired { .. } => Self::new(Kind::Unauthenticated, title)
                .help("an administrator makes one with `bary token create NAME --role ROLE`"),
            Why::Stranger { .. } => Self::new(Kind::Unauthenticated, title)
                .help("call by TCP with a token, or as the user that runs the node"),
        }
    }
}
