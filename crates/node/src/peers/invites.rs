//! The invitations of a member: who may let others in reads and changes them under a lock, so that
//! a token that was spent once is spent for the command beside the node as well.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bary_identity::invitation::file::ParseError;
use bary_identity::invitation::{Invitation, Invitations, InviteError};
use bary_identity::join_line::JoinLine;
use bary_identity::name::{Name, NameError};
use bary_identity::token::Token;
use bary_model::time::{Span, Wall};

use super::file;
use super::papers::{Papers, PapersError};
use super::place::Place;
use crate::access::chance;
use crate::board::clock;

/// The file's name, and that of the lock beside it.
const NAME: &str = "invitations";
const LOCK: &str = "invitations.lock";
/// How long the line lets others in that a node prints when it founds a cluster: a day.
pub const FIRST_SPAN: Span = Span::secs(86_400);

/// Whom a new join line lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the invitation is called; one is made up where absent.
    pub name: Option<Name>,
    /// How many nodes it lets in; any number where absent.
    pub uses: Option<u32>,
    /// How long it lets in; until it is revoked where absent.
    pub span: Option<Span>,
    /// Whether who joins may let others in.
    pub admits: bool,
}

/// Why there is no join line. The invitations are as they were.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The state is in no cluster.
    #[error("`{}` is in no cluster; found one with bary up --cluster NAME", .0.display())]
    NoMember(PathBuf),
    /// The member may not let others in.
    #[error("this member may not let others in; ask for a join line on one that may")]
    MayNot,
    /// The papers cannot be read.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// The file cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It cannot be invited.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The name that was made up is none.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Why invitations are neither read nor changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The system refused.
    #[error("`{}`: {cause}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// They are not what was written.
    #[error("`{}`: {cause}", file.display())]
    Parse {
        /// Which file.
        file: PathBuf,
        /// Where and what.
        #[source]
        cause: ParseError,
    },
}

/// Changes the invitations of a directory; they are written where that succeeded, and before it is
/// told. Blocks while another changes them.
pub(super) fn change<T, E: From<ChangeError>>(
    dir: &Path,
    change: impl FnOnce(&mut Invitations) -> Result<T, E>,
) -> Result<T, E> {
    let path = dir.join(NAME);
    let refused = |cause| ChangeError::File { file: path.clone(), cause };
    // The lock goes with the file's handle.
    let lock = File::create(dir.join(LOCK)).and_then(|file| file.lock().map(|()| file));
    let lock = lock.map_err(refused)?;
    let text = file::read_text(&path).map_err(refused)?;
    let parsed = text.map_or_else(|| Ok(Invitations::default()), |text| Invitations::parse(&text));
    let mut all = parsed.map_err(|cause| ChangeError::Parse { file: path.clone(), cause })?;
    let before = all.clone();
    let done = change(&mut all)?;
    if all != before {
        file::write(&path, all.print().as_bytes()).map_err(refused)?;
    }
    drop(lock);
    Ok(done)
}

/// The papers of a state that may let others in.
fn admitting(state: &Path) -> Result<Papers, LineError> {
    let papers = Papers::of(state)?.ok_or_else(|| LineError::NoMember(state.to_owned()))?;
    if papers.admits.is_none() {
        return Err(LineError::MayNot);
    }
    Ok(papers)
}

/// The invitations that were made at the member of a state and let in still, the oldest first.
///
/// # Errors
/// Where it has none to give; see [`LineError`].
pub fn all(state: &Path) -> Result<Vec<Invitation>, LineError> {
    let papers = admitting(state)?;
    let now = clock::now();
    change(&papers.dir, |all| {
        let mut invitations = all.all().to_vec();
        invitations.retain(|one| one.expires.is_none_or(|at| at > now));
        Ok(invitations)
    })
}

/// Has an invitation of the member of a state let nobody in from now on; false where there is none
/// of that name. Who was let in by it stays a member.
///
/// # Errors
/// As [`all`].
pub fn revoke(state: &Path, name: &str) -> Result<bool, LineError> {
    change(&admitting(state)?.dir, |all| Ok(all.revoke(name)))
}

/// Makes an invitation at the member of a state, and gives its line. The node may run meanwhile.
///
/// # Errors
/// Where nobody is invited; see [`LineError`].
pub fn invite(state: &Path, terms: &Terms) -> Result<JoinLine, LineError> {
    let papers = admitting(state)?;
    let token = chance::draw().map(Token::new).map_err(PapersError::Chance)?;
    let now = clock::now();
    let name = match &terms.name {
        Some(name) => name.clone(),
        None => Name::new(&format!("line-{}", now.0))?,
    };
    let expires = terms.span.map(|span| Wall(now.0.saturating_add(span.0)));
    let new = Invitation {
        expires,
        uses: terms.uses,
        admits: terms.admits,
        ..Invitation::new(name, &token, now)
    };
    change(&papers.dir, |all| all.invite(new).map_err(LineError::from))?;
    let place = Place::read(&papers.dir);
    let place = place.map_err(|cause| ChangeError::File { file: papers.dir.clone(), cause })?;
    Ok(JoinLine {
        cluster: papers.cluster().clone(),
        addresses: place.map(|place| place.addresses).unwrap_or_default(),
        token,
        fingerprint: papers.fingerprint(),
    })
}
