//! Who may call: the token file of a state, its keyring, and who is behind a token or a socket.
//!
//! The file `token` holds the token of the administrator, whose name is `admin`; removing it and
//! starting anew, or reloading, makes another. All other tokens are in `keyring`, by their hashes.
//! No token is in memory for longer than it takes to hash it.

mod bearer;
pub(crate) mod chance;
pub mod change;
pub mod private;
mod root;
pub(crate) mod wrong;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_api::role::Role;
use bary_identity::keyring::file::{BYTES_MAX, ParseError};
use bary_identity::keyring::{Entry, Keyring, LookUpError, TOKENS_MAX};
use bary_identity::token::Token;
use bary_model::time::Wall;

use private::PrivateError;
use wrong::Wrong;

pub use bearer::{Bearer, WhoError, Why};
pub(crate) use root::TOKEN;

/// The limits of access as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("tokens_max", "1,000", "access tokens that a node knows, expired ones included"),
    ("wrong_tokens_burst_max", "20", "wrong tokens in a row before callers are told to wait"),
    ("wrong_tokens_rate_max", "1/s", "wrong tokens after that; right ones are never slowed"),
];
const _: () = assert!(TOKENS_MAX == 1_000 && wrong::BURST_MAX == 20);

/// The keyring's file in a state.
pub(crate) const KEYRING: &str = "keyring";
/// The name of the token that the token file holds.
const ROOT: &str = "admin";

/// Who may call. It is shared by all doors.
#[derive(Debug)]
pub struct Access {
    /// The state's directory; `None` where nothing is kept.
    home: Option<PathBuf>,
    /// Whose process this is; none where the system has no such numbers.
    owner: Option<u32>,
    known: Mutex<Known>,
    /// One change at a time, from reading to writing; never taken while `known` is held.
    changes: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    /// The token of the token file, and no other.
    root: Keyring,
    others: Keyring,
    wrong: Wrong,
}

/// Why a state's tokens cannot be used. Nothing was changed, but that a token file was made where
/// there was none.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be used, or is not private.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The token file holds something else.
    #[error("`{}` holds no token; remove it, and a new one is made", .0.display())]
    NoToken(PathBuf),
    /// The keyring is not as it was written.
    #[error(
        "the keyring `{}` cannot be used: {cause}; restore it from a copy, or remove it, which \
         revokes every token but that of `{ROOT}`", path.display()
    )]
    Keyring {
        /// Its file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: ParseError,
    },
    /// The system gave no random bytes.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

/// The system gave no random bytes, without which there is no token. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes for a token: {0}")]
pub struct DrawError(#[from] std::io::Error);

impl Access {
    /// Opens the tokens of a state, whose directory is there and locked by this process; makes the
    /// token file where there is none.
    ///
    /// # Errors
    /// Where they cannot be used, or others could have read them; see [`OpenError`].
    pub fn open(state: &Path, now: Wall) -> Result<Self, OpenError> {
        let others = keyring(state)?;
        let root = root::open(state, now)?;
        Ok(Self::new(Some(state.to_owned()), root, others))
    }

    /// Access without a state: nothing is written, and the administrator's token is given to be
    /// shown once.
    ///
    /// # Errors
    /// Where no token can be drawn.
    pub fn in_memory(now: Wall) -> Result<(Self, Token), DrawError> {
        let token = Token::new(chance::draw()?);
        Ok((Self::new(None, root::keyring(&token, now), Keyring::default()), token))
    }

    fn new(home: Option<PathBuf>, root: Keyring, others: Keyring) -> Self {
        let known = Mutex::new(Known { root, others, wrong: Wrong::default() });
        Self { home, owner: private::owner(), known, changes: Mutex::new(()) }
    }

    /// Who presents a token at `now`; an empty text stands for none.
    ///
    /// # Errors
    /// Where it opens nothing. Right tokens are never slowed down by wrong ones.
    pub fn who(&self, presented: &str, now: Wall) -> Result<Bearer, WhoError> {
        let token = Token::parse(presented);
        let mut known = self.known();
        let Ok(token) = token else {
            let why = if presented.is_empty() { Why::Missing } else { Why::Unknown };
            return Err(known.refuse(why, now));
        };
        let hash = token.hash();
        let Known { root, others, .. } = &mut *known;
        // Both are asked, whatever the first says.
        let why = match (root.look_up(&hash, now), others.look_up(&hash, now)) {
            (Ok(entry), _) | (_, Ok(entry)) => return Ok(Bearer::of(entry)),
            (_, Err(LookUpError::Expired { name, at })) => Why::Expired { name, at },
            (Err(_), Err(LookUpError::Unknown)) => Why::Unknown,
        };
        Err(known.refuse(why, now))
    }

    /// Who is behind a Unix socket, by the user that the system says runs the other end: the
    /// administrator where it is the user of this process, who can read the token file anyway.
    ///
    /// # Errors
    /// Where it is somebody else.
    pub fn peer(&self, uid: u32, now: Wall) -> Result<Bearer, WhoError> {
        if self.owner == Some(uid) {
            return Ok(Bearer { name: format!("uid:{uid}").into(), role: Role::Admin });
        }
        Err(self.known().refuse(Why::Stranger { uid }, now))
    }

    /// Every token that is known, the administrator's first.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let known = self.known();
        [known.root.entries(), known.others.entries()].concat()
    }

    /// Reads the files anew, and makes a token where there is none any more.
    ///
    /// # Errors
    /// Where they cannot be used; who may call is then as before.
    pub fn reload(&self, now: Wall) -> Result<(), OpenError> {
        let _alone = self.alone();
        let Some(home) = &self.home else { return Ok(()) };
        let mut others = keyring(home)?;
        let root = root::open(home, now)?;
        let mut known = self.known();
        others.take_uses(&known.others);
        known.others = others;
        known.root = root;
        Ok(())
    }

    /// Writes down when the tokens were last used, at the end.
    ///
    /// # Errors
    /// Where it cannot be written; the keyring is as it was last written.
    pub fn close(&self) -> Result<(), PrivateError> {
        let _alone = self.alone();
        let others = self.known().others.clone();
        if others.entries().is_empty() { Ok(()) } else { self.write(&others) }
    }

    fn write(&self, others: &Keyring) -> Result<(), PrivateError> {
        let Some(home) = &self.home else { return Ok(()) };
        private::write(home, KEYRING, &others.print())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing that is held there is ever half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn refuse(&mut self, why: Why, now: Wall) -> WhoError {
        match self.wrong.count(now) {
            Ok(shed) => WhoError { why, shed },
            Err(retry_after) => WhoError { why: Why::TooMany { retry_after }, shed: 0 },
        }
    }
}

/// The keyring of a state; an empty one where it has none.
fn keyring(state: &Path) -> Result<Keyring, OpenError> {
    let path = state.join(KEYRING);
    let Some(secret) = private::read(&path, BYTES_MAX)? else { return Ok(Keyring::default()) };
    Keyring::parse(&secret.text).map_err(|cause| OpenError::Keyring { path, cause })
}

#[cfg(test)]
mod tests;
