//! The keyring as a sheet of text: a line for each token.
//!
//! ```text
//! bary-keyring 1
//! NAME ROLE CREATED EXPIRES|never USED|never HASH
//! sum: HASH
//! ```

use super::{AddError, Entry, Keyring, TOKENS_MAX};
use crate::calendar::{self, NoMoment, moment, moment_or_never, text_or_never};
use crate::name::{Name, NameError};
use crate::sheet::{self, Sheet};
use crate::token::TokenHash;

/// The keyring's kind of text.
const SHEET: Sheet = Sheet { magic: "bary-keyring", version: 1, what: "keyring" };
/// How many bytes the file has at most: more than [`TOKENS_MAX`] of the longest lines.
pub const BYTES_MAX: usize = TOKENS_MAX * 320;

/// Why a text is no keyring: where, and what would help.
pub type ParseError = sheet::ParseError<LineFault>;

/// What is wrong with a token's line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It has not its six words.
    #[error(
        "it has {0} words instead of 6: NAME ROLE CREATED EXPIRES USED HASH, one blank between"
    )]
    Words(usize),
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its role is none.
    #[error(transparent)]
    Role(#[from] bary_api::role::UnknownRole),
    /// A moment is none.
    #[error(transparent)]
    Moment(#[from] NoMoment),
    /// A hash is none.
    #[error("`{0}` is no hash of 64 hexadecimal digits in lower case")]
    Hash(Box<str>),
    /// It does not go with the lines above.
    #[error(transparent)]
    Add(#[from] AddError),
}

impl Keyring {
    /// The text that [`Keyring::parse`] reads.
    #[must_use]
    pub fn print(&self) -> String {
        SHEET.print(self.entries().iter().map(|entry| {
            let Entry { name, role, created, expires, used, hash } = entry;
            let created = calendar::text(*created);
            let [expires, used] = [expires, used].map(|at| text_or_never(*at));
            format!("{name} {role} {created} {expires} {used} {hash}")
        }))
    }

    /// The keyring that a text holds.
    ///
    /// # Errors
    /// Where it holds none, or one that was changed since; see [`ParseError`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut keyring = Self::default();
        SHEET.parse(text, |line| Ok::<_, LineFault>(keyring.insert(entry(line)?).map(|_| ())?))?;
        Ok(keyring)
    }
}

fn entry(line: &str) -> Result<Entry, LineFault> {
    let words: Vec<&str> = line.split(' ').collect();
    let &[name, role, created, expires, used, hash] = words.as_slice() else {
        return Err(LineFault::Words(words.len()));
    };
    Ok(Entry {
        name: Name::new(name)?,
        role: role.parse()?,
        created: moment(created)?,
        expires: moment_or_never(expires)?,
        used: moment_or_never(used)?,
        hash: TokenHash::parse(hash).ok_or_else(|| LineFault::Hash(hash.into()))?,
    })
}

#[cfg(test)]
mod tests {
    use bary_api::role::Role;
    use bary_model::time::Wall;

    use super::{BYTES_MAX, Keyring, LineFault, ParseError};
    use crate::calendar::NEVER;
    use crate::keyring::TOKENS_MAX;
    use crate::name::{self, Name};
    use crate::token::Token;

    const NOW: Wall = Wall(1_763_745_574_123_456_789);

    fn keyring() -> Keyring {
        let mut keyring = Keyring::default();
        let soon = Some(Wall(NOW.0 + 1));
        let table = [("ci", Role::Operator, None), ("sum", Role::Viewer, soon)];
        for (at, (name, role, expires)) in table.into_iter().enumerate() {
            let (name, token) = (Name::new(name).expect("it is one"), Token::new([at as u8; 32]));
            keyring.add(name, role, &token, NOW, expires).expect("it is new");
        }
        keyring.look_up(&Token::new([1; 32]).hash(), NOW).expect("it is known");
        keyring
    }

    /// The text of a keyring with these lines between head and a sum that fits.
    fn text(lines: &str) -> String {
        let above = format!("bary-keyring 1\n{lines}");
        let sum = blake3::hash(above.as_bytes());
        format!("{above}sum: {}\n", sum.to_hex())
    }

    #[test]
    fn a_keyring_is_read_as_it_was_printed() {
        for keyring in [Keyring::default(), keyring()] {
            assert_eq!(Keyring::parse(&keyring.print()), Ok(keyring));
        }
        assert!(!keyring().print().contains(Token::new([0; 32]).reveal()));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let right = keyring().print();
        for at in 0..right.len() {
            for bit in 0..7 {
                let mut bytes = right.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).expect("seven bits are ASCII");
                assert!(Keyring::parse(&changed).is_err(), "byte {at}, bit {bit}");
            }
            assert!(Keyring::parse(&right[..at]).is_err(), "cut to {at}");
        }
        assert!(Keyring::parse(&format!("{right}\n")).is_err());
    }

    #[test]
    fn a_fault_names_its_line_and_what_would_help() {
        let hash = Token::new([9; 32]).hash().to_string();
        let day = "2026-11-21T17:19:34Z";
        let table = [
            (String::new(), "it has 1 words instead of 6"),
            (format!("a admin {day} never {hash}"), "it has 5 words"),
            (format!("a  admin {day} never never {hash}"), "it has 7 words"),
            (format!("a/b admin {day} never never {hash}"), "`/` cannot stand there"),
            (format!("a root {day} never never {hash}"), "there are viewer, operator and admin"),
            (format!("a admin never never never {hash}"), "`never` is no moment; write one as"),
            (format!("a admin {day} soon never {hash}"), "`soon` is no moment"),
            (format!("a admin {day} {day} never {hash}"), "would expire before it is made"),
            (format!("a admin {day} never never {}", &hash[1..]), "is no hash of 64"),
            (format!("a admin {day} never never {}", hash.to_uppercase()), "in lower case"),
            (format!("b admin {day} never never {hash}"), "known already, as `ok`"),
        ];
        for (line, told) in table {
            let good = format!("ok viewer {day} never never {hash}");
            let error = Keyring::parse(&text(&format!("{good}\n{line}\n")));
            let error = error.expect_err("the line is wrong").to_string();
            assert!(error.starts_with("line 3: "), "{error}");
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_name_stands_once() {
        let line = |token: u8| {
            let hash = Token::new([token; 32]).hash();
            format!("a admin 2026-11-21T17:19:34Z never never {hash}\n")
        };
        let error = Keyring::parse(&text(&(line(1) + &line(2)))).expect_err("it is twice");
        assert!(matches!(error, ParseError::Line { line: 3, fault: LineFault::Add(_) }));
        assert!(error.to_string().contains("there is a token `a` already"), "{error}");
    }

    #[test]
    fn what_is_no_keyring_is_told() {
        let error = Keyring::parse("{}").expect_err("it is none").to_string();
        assert_eq!(error, "line 1 is not `bary-keyring 1`: this is no keyring");
    }

    #[test]
    fn the_largest_keyring_has_room() {
        let moment = crate::calendar::text(Wall(u64::MAX)).len();
        let line = name::BYTES_MAX + "operator".len() + 3 * moment.max(NEVER.len()) + 64 + 6;
        assert!(line * TOKENS_MAX + 200 < BYTES_MAX, "{line} bytes a line");
    }
}
