//! The invitations as a sheet of text: a line for each.
//!
//! ```text
//! bary-invitations 1
//! NAME CREATED EXPIRES|never USES|any admits|joins HASH
//! sum: HASH
//! ```

use super::{INVITATIONS_MAX, Invitation, Invitations, InviteError};
use crate::calendar::{self, NoMoment, moment, moment_or_never, text_or_never};
use crate::name::{Name, NameError};
use crate::sheet::{self, Sheet};
use crate::token::TokenHash;

/// The invitations' kind of text.
const SHEET: Sheet = Sheet { magic: "bary-invitations", version: 1, what: "list of invitations" };
/// What stands for any number of uses.
const ANY: &str = "any";
/// What whoever joins may do: let others in, or not.
const ADMITS: [&str; 2] = ["joins", "admits"];
/// How many bytes the file has at most: more than [`INVITATIONS_MAX`] of the longest lines.
pub const BYTES_MAX: usize = INVITATIONS_MAX * 320;

/// Why a text is no list of invitations: where, and what would help.
pub type ParseError = sheet::ParseError<LineFault>;

/// What is wrong with an invitation's line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It has not its six words.
    #[error(
        "it has {0} words instead of 6: NAME CREATED EXPIRES USES admits|joins HASH, one blank \
             between"
    )]
    Words(usize),
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A moment is none.
    #[error(transparent)]
    Moment(#[from] NoMoment),
    /// Its number of uses is none.
    #[error("`{0}` is no number of uses; write one from 1 on, or {ANY}")]
    Uses(Box<str>),
    /// It does not say whether who joins may let others in.
    #[error("`{0}` is neither admits nor joins")]
    Admits(Box<str>),
    /// A hash is none.
    #[error("`{0}` is no hash of 64 hexadecimal digits in lower case")]
    Hash(Box<str>),
    /// It does not go with the lines above.
    #[error(transparent)]
    Invite(#[from] InviteError),
}

impl Invitations {
    /// The text that [`Invitations::parse`] reads.
    #[must_use]
    pub fn print(&self) -> String {
        SHEET.print(self.all().iter().map(|one| {
            let Invitation { name, created, expires, uses, admits, hash } = one;
            let created = calendar::text(*created);
            let expires = text_or_never(*expires);
            let uses = uses.map_or(ANY.into(), |uses| uses.to_string());
            format!("{name} {created} {expires} {uses} {} {hash}", ADMITS[usize::from(*admits)])
        }))
    }

    /// The invitations that a text holds.
    ///
    /// # Errors
    /// Where it holds none, or such as were changed since; see [`ParseError`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut all = Self::default();
        SHEET.parse(text, |line| Ok::<_, LineFault>(all.invite(one(line)?)?))?;
        Ok(all)
    }
}

fn one(line: &str) -> Result<Invitation, LineFault> {
    let words: Vec<&str> = line.split(' ').collect();
    let &[name, created, expires, uses, admits, hash] = words.as_slice() else {
        return Err(LineFault::Words(words.len()));
    };
    let uses = match uses {
        ANY => None,
        uses => Some(uses.parse().map_err(|_| LineFault::Uses(uses.into()))?),
    };
    let may = ADMITS.iter().position(|word| *word == admits);
    Ok(Invitation {
        name: Name::new(name)?,
        created: moment(created)?,
        expires: moment_or_never(expires)?,
        uses,
        admits: may.ok_or_else(|| LineFault::Admits(admits.into()))? == 1,
        hash: TokenHash::parse(hash).ok_or_else(|| LineFault::Hash(hash.into()))?,
    })
}

#[cfg(test)]
mod tests {
    use bary_model::time::Wall;

    use super::{Invitation, Invitations, SHEET};
    use crate::name::Name;
    use crate::token::Token;

    fn invitation(number: u8) -> Invitation {
        let name = Name::new(&format!("t{number}")).expect("it is one");
        Invitation::new(name, &Token::new([number; 32]), Wall(1_763_745_574_123_456_789))
    }

    #[test]
    fn invitations_are_read_as_they_were_printed() {
        let mut all = Invitations::default();
        assert_eq!(Invitations::parse(&all.print()), Ok(all.clone()));
        let until = Some(Wall(2_000_000_000_000_000_000));
        for one in [
            invitation(1),
            Invitation { uses: Some(3), admits: false, ..invitation(2) },
            Invitation { expires: until, ..invitation(3) },
        ] {
            all.invite(one).expect("it is new");
        }
        assert_eq!(Invitations::parse(&all.print()), Ok(all));
    }

    #[test]
    fn a_fault_names_its_line_and_what_would_help() {
        let hash = Token::new([9; 32]).hash().to_string();
        let day = "2026-11-21T17:19:34Z";
        let table = [
            (String::new(), "it has 1 words instead of 6"),
            (format!("a/b {day} never 1 admits {hash}"), "`/` cannot stand there"),
            (format!("a never never 1 admits {hash}"), "`never` is no moment"),
            (format!("a {day} soon 1 admits {hash}"), "`soon` is no moment"),
            (format!("a {day} never -1 admits {hash}"), "`-1` is no number of uses"),
            (format!("a {day} never 0 admits {hash}"), "would let nobody in"),
            (format!("a {day} never any may {hash}"), "`may` is neither admits nor joins"),
            (format!("a {day} never any joins {}", &hash[1..]), "is no hash of 64"),
        ];
        for (line, told) in table {
            let text = SHEET.print([line]);
            let error = Invitations::parse(&text).expect_err("the line is wrong").to_string();
            assert!(error.starts_with("line 2: ") && error.contains(told), "{error}");
        }
    }
}
