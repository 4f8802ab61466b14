//! The name that a token goes by, in the keyring and in the audit log.

use std::fmt;

/// How many bytes a name has at most.
pub const BYTES_MAX: usize = 64;

/// A name: 1 to 64 letters, digits and `.`, `_`, `-`, `@` of ASCII, of which the first is a letter
/// or a digit. So it is one word in a file, on a command line and in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no character, or too many.
    #[error("a name has 1 to {BYTES_MAX} characters, not {0}")]
    Length(usize),
    /// It has a character that no name has there.
    #[error(
        "`{0}` cannot stand there in a name; take letters, digits, `.`, `_`, `-` and `@`, \
         and begin with a letter or a digit"
    )]
    Character(char),
}

impl Name {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// Where it is none; see [`NameError`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > BYTES_MAX {
            return Err(NameError::Length(text.chars().count()));
        }
        let fits = |at: usize, c: char| {
            c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '.' | '_' | '-' | '@'))
        };
        match text.char_indices().find(|&(at, c)| !fits(at, c)) {
            Some((_, c)) => Err(NameError::Character(c)),
            None => Ok(Self(text.into())),
        }
    }

    /// It as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, Name, NameError};

    #[test]
    fn a_name_is_one_plain_word() {
        for good in ["a", "ci", "7", "Build.bot_2-x@example.org", &"n".repeat(BYTES_MAX)] {
            assert_eq!(Name::new(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for wrong in [" ", "a b", "-a", "@", "a/b", "a\n", "ä", "uid:0", "a\u{202e}"] {
            assert!(matches!(Name::new(wrong), Err(NameError::Character(_))), "{wrong:?}");
        }
        for wrong in ["", &"n".repeat(BYTES_MAX + 1)] {
            assert!(matches!(Name::new(wrong), Err(NameError::Length(_))), "{wrong:?}");
        }
    }
}
