//! The audit log as text: a line of JSON for each refusal and each change, and in each the BLAKE3
//! of the line before and of itself. Who changes, removes or adds a line in the middle has to write
//! all that follow anew, and the number and hash of any later line, kept elsewhere, shows it.

pub mod chain;
pub mod reader;

use std::borrow::Cow;

use bary_api::role::Role;
use bary_model::time::Wall;
use serde::{Deserialize, Serialize};

use crate::token::redact;

/// How many bytes of a field are kept; the rest is cut off, and `…` stands for it.
pub const FIELD_BYTES_MAX: usize = 1_024;

/// What is to be written down.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When.
    pub at: Wall,
    /// The name of who asked; empty where nobody knows.
    pub who: &'a str,
    /// The role of who asked, where it is known.
    pub role: Option<Role>,
    /// Where it came in: `grpc`, `http`, `socket`, or `node` for what the node did by itself.
    pub door: &'a str,
    /// What was asked.
    pub verb: &'a str,
    /// Of which job, task, node or token.
    pub target: &'a str,
    /// What came of it.
    pub outcome: Outcome,
    /// The reason that was given for it, or why it was refused.
    pub reason: &'a str,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done, and nothing was changed.
    Refused,
}

impl Outcome {
    /// Its name, as it stands in a line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its number: one more than the line before it, from 1.
    pub number: u64,
    /// When, by RFC 3339.
    pub at: String,
    /// The name of who asked; empty where nobody knew.
    pub who: String,
    /// The role of who asked; empty where nobody knew.
    pub role: String,
    /// Where it came in.
    pub door: String,
    /// What was asked.
    pub verb: String,
    /// Of which job, task, node or token.
    pub target: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The reason that was given for it, or why it was refused.
    pub reason: String,
    /// The hash of the line before it and of itself, in 64 hexadecimal digits.
    pub hash: String,
}

/// A field as it is kept: without tokens, and not too long.
fn kept(field: &str) -> Cow<'_, str> {
    let clean = redact(field);
    if clean.len() <= FIELD_BYTES_MAX {
        return clean;
    }
    let end = clean.floor_char_boundary(FIELD_BYTES_MAX);
    Cow::Owned(format!("{}…", &clean[..end]))
}

#[cfg(test)]
mod tests {
    use super::{FIELD_BYTES_MAX, kept};
    use crate::token::Token;

    #[test]
    fn a_field_is_kept_without_tokens_and_not_too_long() {
        assert_eq!(kept("a job"), "a job");
        let token = Token::new([4; 32]);
        assert_eq!(kept(token.reveal()), "bary_***");
        assert_eq!(kept(&"x".repeat(FIELD_BYTES_MAX)).len(), FIELD_BYTES_MAX);
        let long = "ä".repeat(FIELD_BYTES_MAX);
        let cut = kept(&long);
        assert!(cut.ends_with("ä…") && cut.len() <= FIELD_BYTES_MAX + 3);
        // What begins within the limit and ends beyond it is a token all the same.
        let late = format!("{}{}", "x ".repeat(FIELD_BYTES_MAX / 2 - 5), token.reveal());
        assert!(!kept(&late).contains(&token.reveal()[..8]));
    }
}
