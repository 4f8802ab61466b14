//! Making and revoking tokens: durable when it returns, and in force at once.

use std::path::PathBuf;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_identity::keyring::{AddError, Entry, NoSuchToken};
use bary_identity::name::{Name, NameError};
use bary_identity::token::Token;
use bary_model::time::{Span, Wall};

use super::private::PrivateError;
use super::{Access, DrawError, ROOT, chance, root};

/// Why no token was made. Nothing was changed, but after [`CreateError::Private`] a token that
/// nobody has may be in the keyring after a restart.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The name is that of the token file's.
    #[error("`{ROOT}` is the name of the token in the token file; take another name")]
    Reserved,
    /// The keyring does not take it.
    #[error(transparent)]
    Add(#[from] AddError),
    /// The system gave no random bytes.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The keyring cannot be written.
    #[error(transparent)]
    Private(#[from] PrivateError),
}

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// There is none of that name. Nothing was changed.
    #[error(transparent)]
    NoSuchToken(#[from] NoSuchToken),
    /// It is the token file's. Nothing was changed.
    #[error("the token `{ROOT}` is in a file of its own, and is not revoked but replaced")]
    Root(Option<PathBuf>),
    /// It opens nothing any more, but the keyring could not be written: after a restart it may.
    #[error("the token is revoked until this node is started again: {0}")]
    NotKept(#[from] PrivateError),
}

impl Access {
    /// Makes a token, good for `lifetime` or until revoked; it is nowhere but in what is given.
    ///
    /// # Errors
    /// Where it cannot be made; see [`CreateError`].
    pub fn create(
        &self,
        name: &str,
        role: Role,
        lifetime: Option<Span>,
        now: Wall,
    ) -> Result<(Token, Entry), CreateError> {
        let name = Name::new(name)?;
        if name.as_str() == ROOT {
            return Err(CreateError::Reserved);
        }
        let expires = lifetime.map(|lifetime| Wall(now.0.saturating_add(lifetime.0)));
        let token = Token::new(chance::draw().map_err(DrawError)?);
        let _alone = self.alone();
        let mut next = self.known().others.clone();
        next.add(name.clone(), role, &token, now, expires)?;
        self.write(&next)?;
        let entry = self.known().others.add(name, role, &token, now, expires)?.clone();
        Ok((token, entry))
    }

    /// Revokes a token: it opens nothing from now on, whatever becomes of the file.
    ///
    /// # Errors
    /// Where there is none of that name, or it may open something again after a restart.
    pub fn revoke(&self, name: &str) -> Result<(), RevokeError> {
        if name == ROOT {
            return Err(RevokeError::Root(self.home.as_ref().map(|home| home.join(root::TOKEN))));
        }
        let _alone = self.alone();
        let mut known = self.known();
        known.others.revoke(name)?;
        let others = known.others.clone();
        drop(known);
        Ok(self.write(&others)?)
    }
}

impl From<CreateError> for Refused {
    fn from(error: CreateError) -> Self {
        let kind = match &error {
            CreateError::Name(_) | CreateError::Add(AddError::Expired) => Kind::Invalid,
            CreateError::Add(AddError::Full) => Kind::Full,
            CreateError::Reserved | CreateError::Add(_) => Kind::Conflict,
            CreateError::Draw(_) | CreateError::Private(_) => Kind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<RevokeError> for Refused {
    fn from(error: RevokeError) -> Self {
        let title = error.to_string();
        match error {
            RevokeError::NoSuchToken(_) => {
                Self::new(Kind::NotFound, title).help("`bary token ls` lists those there are")
            }
            RevokeError::Root(Some(path)) => Self::new(Kind::Conflict, title).help(format!(
                "remove `{}` and send the node SIGHUP, or start it again: it makes a new one",
                path.display()
            )),
            RevokeError::Root(None) => {
                Self::new(Kind::Conflict, title).help("start the node again: it makes a new one")
            }
            RevokeError::NotKept(_) => Self::new(Kind::Unavailable, title)
                .help("make room on the disk, and revoke it again after the next start"),
        }
    }
}
