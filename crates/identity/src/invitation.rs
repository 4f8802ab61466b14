//! Which join tokens let a node in, how often still, and until when. As the keyring it knows
//! hashes only.

pub mod file;

use bary_model::time::Wall;

use crate::name::Name;
use crate::token::{Token, TokenHash};

/// How many invitations are kept at most, used and expired ones not counted.
pub const INVITATIONS_MAX: usize = 1_000;

/// One invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The name that it goes by; no two have the same.
    pub name: Name,
    /// When it was made.
    pub created: Wall,
    /// From when on it lets nobody in; `None` where it does until revoked.
    pub expires: Option<Wall>,
    /// How many nodes it lets in still; `None` where any number.
    pub uses: Option<u32>,
    /// Whether who joins may let others in, for which he is given the authority's key.
    pub admits: bool,
    /// The token's hash.
    pub hash: TokenHash,
}

/// All invitations that let in, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitations {
    all: Vec<Invitation>,
}

/// Why a token lets nobody in. The invitations are as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// There is none of this token: there never was, it was revoked, or it is used up.
    #[error("the join token is not known here, was revoked, or is used up")]
    Unknown,
    /// Its time is over.
    #[error("the join token `{name}` has expired")]
    Expired {
        /// Its name.
        name: Name,
    },
}

/// Why nobody was invited. The invitations are as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// There is one of that name.
    #[error("there is a join token `{0}` already; revoke it first, or take another name")]
    NameTaken(Name),
    /// The same token is known already.
    #[error("that join token is known already, as `{0}`")]
    Known(Name),
    /// It would let nobody in.
    #[error("the join token would let nobody in: it expires before it is made, or has no use")]
    Useless,
    /// There are as many as there may be.
    #[error("there are {INVITATIONS_MAX} join tokens already; revoke those that nobody needs")]
    Full,
}

impl Invitation {
    /// An invitation by a token.
    #[must_use]
    pub fn new(name: Name, token: &Token, created: Wall) -> Self {
        let (expires, uses, admits) = (None, None, true);
        Self { name, created, expires, uses, admits, hash: token.hash() }
    }
}

impl Invitations {
    /// Adds one. Those that have expired make room.
    ///
    /// # Errors
    /// Where it cannot be; see [`InviteError`].
    pub fn invite(&mut self, new: Invitation) -> Result<(), InviteError> {
        if new.expires.is_some_and(|at| at <= new.created) || new.uses == Some(0) {
            return Err(InviteError::Useless);
        }
        for known in &self.all {
            if known.name == new.name {
                return Err(InviteError::NameTaken(new.name));
            }
            if known.hash == new.hash {
                return Err(InviteError::Known(known.name.clone()));
            }
        }
        if self.all.len() >= INVITATIONS_MAX {
            self.all.retain(|one| one.expires.is_none_or(|at| at > new.created));
        }
        if self.all.len() >= INVITATIONS_MAX {
            return Err(InviteError::Full);
        }
        self.all.push(new);
        Ok(())
    }

    /// Whether a token lets in at `now`: the invitation as it was, of which one use is spent.
    ///
    /// # Errors
    /// Where it does not.
    pub fn spend(&mut self, hash: &TokenHash, now: Wall) -> Result<Invitation, SpendError> {
        let mut found = None;
        // All are compared, so that how long it takes says nothing of what is known.
        for (at, one) in self.all.iter().enumerate() {
            if one.hash == *hash {
                found = Some(at);
            }
        }
        let at = found.ok_or(SpendError::Unknown)?;
        let one = self.all[at].clone();
        if one.expires.is_some_and(|at| at <= now) {
            return Err(SpendError::Expired { name: one.name });
        }
        match &mut self.all[at].uses {
            Some(1) => drop(self.all.remove(at)),
            Some(uses) => *uses -= 1,
            None => {}
        }
        Ok(one)
    }

    /// Removes one; true where there was one of that name.
    pub fn revoke(&mut self, name: &str) -> bool {
        let before = self.all.len();
        self.all.retain(|one| one.name.as_str() != name);
        self.all.len() < before
    }

    /// All, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Invitation] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use bary_model::time::Wall;

    use super::{INVITATIONS_MAX, Invitation, Invitations, InviteError, SpendError};
    use crate::name::Name;
    use crate::token::Token;

    fn token(number: usize) -> Token {
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_le_bytes());
        Token::new(random)
    }

    fn one(number: usize) -> Invitation {
        let name = Name::new(&format!("t{number}")).expect("it is one");
        Invitation::new(name, &token(number), Wall(10))
    }

    #[test]
    fn an_invitation_lets_in_as_often_as_it_says() {
        let mut all = Invitations::default();
        all.invite(Invitation { uses: Some(2), ..one(1) }).expect("it is new");
        all.invite(one(2)).expect("it is new");
        for _ in 0..2 {
            assert!(all.spend(&token(1).hash(), Wall(20)).is_ok());
        }
        assert_eq!(all.spend(&token(1).hash(), Wall(20)), Err(SpendError::Unknown));
        for _ in 0..100 {
            assert!(all.spend(&token(2).hash(), Wall(20)).is_ok());
        }
        assert_eq!(all.all().len(), 1);
    }

    #[test]
    fn an_invitation_lets_in_until_its_time_and_not_at_it() {
        let mut all = Invitations::default();
        all.invite(Invitation { expires: Some(Wall(20)), ..one(1) }).expect("it is new");
        assert!(all.spend(&token(1).hash(), Wall(19)).is_ok());
        let expired = SpendError::Expired { name: one(1).name };
        assert_eq!(all.spend(&token(1).hash(), Wall(20)), Err(expired));
        assert_eq!(all.spend(&token(2).hash(), Wall(19)), Err(SpendError::Unknown));
    }

    #[test]
    fn what_lets_nobody_in_is_no_invitation() {
        let mut all = Invitations::default();
        for wrong in [
            Invitation { uses: Some(0), ..one(1) },
            Invitation { expires: Some(Wall(10)), ..one(1) },
        ] {
            assert_eq!(all.invite(wrong), Err(InviteError::Useless));
        }
        all.invite(one(1)).expect("it is new");
        assert_eq!(all.invite(one(1)), Err(InviteError::NameTaken(one(1).name)));
        let again = Invitation { name: one(2).name, ..one(1) };
        assert_eq!(all.invite(again), Err(InviteError::Known(one(1).name)));
        assert!(all.revoke("t1") && !all.revoke("t1"));
        assert_eq!(all.spend(&token(1).hash(), Wall(20)), Err(SpendError::Unknown));
    }

    #[test]
    fn expired_ones_make_room_and_no_others() {
        let mut all = Invitations::default();
        for number in 0..INVITATIONS_MAX {
            let expires = (number == 0).then_some(Wall(11));
            all.invite(Invitation { expires, ..one(number) }).expect("there is room");
        }
        let late = |number| Invitation { created: Wall(12), ..one(number) };
        assert_eq!(all.invite(late(INVITATIONS_MAX)), Ok(()));
        assert_eq!(all.invite(late(INVITATIONS_MAX + 1)), Err(InviteError::Full));
    }
}
