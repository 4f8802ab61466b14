//! Whose token is whose: names, roles, hashes and expiry. It never holds a token itself, so what
//! it is printed to is no secret that opens anything.

pub mod file;

use bary_api::role::Role;
use bary_model::time::Wall;

use crate::name::Name;
use crate::token::{Token, TokenHash};

/// How many tokens a keyring knows at most, expired ones included.
pub const TOKENS_MAX: usize = 1_000;

/// One token that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name that it goes by; no two have the same.
    pub name: Name,
    /// What its holder may do.
    pub role: Role,
    /// When it was made.
    pub created: Wall,
    /// From when on it is not good any more; `None` where it is good until revoked.
    pub expires: Option<Wall>,
    /// When it was last presented, as far as is known.
    pub used: Option<Wall>,
    /// The token's hash.
    pub hash: TokenHash,
}

/// The tokens that are known, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    entries: Vec<Entry>,
}

/// Why a token opens nothing. The keyring is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// Nobody has it; it never was, or was revoked.
    #[error("the token is not known")]
    Unknown,
    /// Its time is over.
    #[error("the token `{name}` has expired")]
    Expired {
        /// Its name.
        name: Name,
        /// When it expired.
        at: Wall,
    },
}

/// Why a token was not added. The keyring is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// There is one of that name, good or expired.
    #[error("there is a token `{0}` already; revoke it first, or take another name")]
    NameTaken(Name),
    /// The same token is known by another name.
    #[error("that token is known already, as `{0}`")]
    Known(Name),
    /// It is over before it begins.
    #[error("the token would expire before it is made")]
    Expired,
    /// There are as many as there may be.
    #[error("there are {TOKENS_MAX} tokens already; revoke those that nobody needs")]
    Full,
}

/// There is no token of that name. The keyring is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no token `{0}`")]
pub struct NoSuchToken(pub Box<str>);

impl Keyring {
    /// Whose a token is at `now`, which is noted as its last use. All entries are compared, each in
    /// constant time, so how long it takes says nothing about what is known.
    ///
    /// # Errors
    /// Where nobody has it, or not any more.
    pub fn look_up(&mut self, hash: &TokenHash, now: Wall) -> Result<&Entry, LookUpError> {
        let mut found = None;
        for (at, entry) in self.entries.iter().enumerate() {
            if entry.hash == *hash {
                found = Some(at);
            }
        }
        let entry = found.map(|at| &mut self.entries[at]).ok_or(LookUpError::Unknown)?;
        match entry.expires {
            Some(at) if at <= now => Err(LookUpError::Expired { name: entry.name.clone(), at }),
            _ => {
                entry.used = entry.used.max(Some(now));
                Ok(entry)
            }
        }
    }

    /// Adds a token under a name that none has yet.
    ///
    /// # Errors
    /// Where it cannot be; see [`AddError`].
    pub fn add(
        &mut self,
        name: Name,
        role: Role,
        token: &Token,
        created: Wall,
        expires: Option<Wall>,
    ) -> Result<&Entry, AddError> {
        self.insert(Entry { name, role, created, expires, used: None, hash: token.hash() })
    }

    /// Removes the token of a name; it opens nothing from now on.
    ///
    /// # Errors
    /// Where there is none.
    pub fn revoke(&mut self, name: &str) -> Result<Entry, NoSuchToken> {
        let at = self.entries.iter().position(|entry| entry.name.as_str() == name);
        at.map(|at| self.entries.remove(at)).ok_or_else(|| NoSuchToken(name.into()))
    }

    /// Takes over from an older reading of it when its tokens were last used.
    pub fn take_uses(&mut self, of: &Self) {
        for entry in &mut self.entries {
            let known = of.entries.iter().find(|known| known.hash == entry.hash);
            entry.used = entry.used.max(known.and_then(|known| known.used));
        }
    }

    /// Every entry, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn insert(&mut self, entry: Entry) -> Result<&Entry, AddError> {
        if self.entries.len() >= TOKENS_MAX {
            return Err(AddError::Full);
        }
        if entry.expires.is_some_and(|at| at <= entry.created) {
            return Err(AddError::Expired);
        }
        for known in &self.entries {
            if known.name == entry.name {
                return Err(AddError::NameTaken(entry.name));
            }
            if known.hash == entry.hash {
                return Err(AddError::Known(known.name.clone()));
            }
        }
        self.entries.push(entry);
        Ok(&self.entries[self.entries.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use bary_api::role::Role;
    use bary_model::time::Wall;

    use super::{AddError, Keyring, LookUpError, NoSuchToken, TOKENS_MAX};
    use crate::name::Name;
    use crate::token::Token;

    fn name(text: &str) -> Name {
        Name::new(text).expect("the test names them well")
    }

    fn token(number: usize) -> Token {
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_le_bytes());
        Token::new(random)
    }

    /// A keyring of `count` tokens, named by their numbers.
    fn keyring(count: usize) -> Keyring {
        let mut keyring = Keyring::default();
        for number in 0..count {
            let role = Role::ALL[number % 3];
            let name = name(&format!("t{number}"));
            keyring.add(name, role, &token(number), Wall(5), None).expect("each is new");
        }
        keyring
    }

    #[test]
    fn each_token_is_found_and_no_other() {
        let mut keyring = keyring(20);
        for number in 0..20 {
            let entry = keyring.look_up(&token(number).hash(), Wall(9)).expect("it was added");
            assert_eq!(entry.name.as_str(), format!("t{number}"));
            assert_eq!((entry.role, entry.used), (Role::ALL[number % 3], Some(Wall(9))));
        }
        let other = keyring.look_up(&token(20).hash(), Wall(9));
        assert_eq!(other, Err(LookUpError::Unknown));
    }

    #[test]
    fn a_token_is_good_until_its_time_and_not_at_it() {
        let mut keyring = Keyring::default();
        let (one, until) = (token(1), Some(Wall(20)));
        keyring.add(name("short"), Role::Viewer, &one, Wall(10), until).expect("it is new");
        assert!(keyring.look_up(&one.hash(), Wall(19)).is_ok());
        let expired = LookUpError::Expired { name: name("short"), at: Wall(20) };
        assert_eq!(keyring.look_up(&one.hash(), Wall(20)), Err(expired));
        assert_eq!(keyring.entries()[0].used, Some(Wall(19)));
        let late = keyring.add(name("late"), Role::Viewer, &token(2), Wall(10), Some(Wall(10)));
        assert_eq!(late, Err(AddError::Expired));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_take_back_a_use() {
        let mut keyring = keyring(1);
        for now in [Wall(9), Wall(3)] {
            keyring.look_up(&token(0).hash(), now).expect("it is known");
        }
        assert_eq!(keyring.entries()[0].used, Some(Wall(9)));
        let mut read = self::keyring(2);
        read.take_uses(&keyring);
        let used: Vec<_> = read.entries().iter().map(|entry| entry.used).collect();
        assert_eq!(used, [Some(Wall(9)), None]);
    }

    #[test]
    fn names_and_tokens_are_there_once() {
        let mut keyring = keyring(2);
        let before = keyring.clone();
        let taken = keyring.add(name("t1"), Role::Viewer, &token(7), Wall(5), None);
        assert_eq!(taken, Err(AddError::NameTaken(name("t1"))));
        let known = keyring.add(name("other"), Role::Admin, &token(0), Wall(5), None);
        assert_eq!(known, Err(AddError::Known(name("t0"))));
        assert_eq!(keyring, before);
    }

    #[test]
    fn a_revoked_token_opens_nothing_and_its_name_is_free() {
        let mut keyring = keyring(3);
        assert_eq!(keyring.revoke("t1").map(|entry| entry.hash), Ok(token(1).hash()));
        assert_eq!(keyring.look_up(&token(1).hash(), Wall(9)), Err(LookUpError::Unknown));
        assert_eq!(keyring.revoke("t1"), Err(NoSuchToken("t1".into())));
        assert!(keyring.add(name("t1"), Role::Viewer, &token(9), Wall(5), None).is_ok());
        assert_eq!(keyring.entries().len(), 3);
    }

    #[test]
    fn a_full_keyring_takes_no_more() {
        let mut keyring = keyring(TOKENS_MAX);
        let more = keyring.add(name("more"), Role::Viewer, &token(TOKENS_MAX), Wall(5), None);
        assert_eq!(more, Err(AddError::Full));
    }
}
