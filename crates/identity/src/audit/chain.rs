//! The chain that the lines form: what the last one's number and hash were, and from them the next.
//!
//! A line is a JSON object whose last field is `hash`: the BLAKE3, under a context of its own, of
//! the hash before and of the text up to the comma before that field. So every byte of it counts.

use std::fmt;

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use super::{Entry, Line, Outcome, kept};
use crate::calendar;

/// What sets these hashes apart from all others.
const CONTEXT: &str = "barycenter audit log, line after line, version 1";
/// The version of heads and lines that is written, and the only one that is read.
const VERSION: u32 = 1;
/// What stands between a line's text and its hash, and what ends it.
const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";
/// How many bytes a line has at most, its end included: six fields, each byte of them escaped.
pub const LINE_BYTES_MAX: usize = 48 << 10;

/// The greatest number that a head may name: so many lines are never written, and one can be added.
const NUMBER_MAX: u64 = 1 << 63;

/// The end of a log so far: the number and the hash of its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    number: u64,
    hash: Hash,
}

/// The first line of every file: after which line of the log it goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    bary_audit: u32,
    after: u64,
    hash: String,
}

/// Only the version, which every version has.
#[derive(Deserialize)]
struct AnyHead {
    bary_audit: u32,
}

/// A line without its hash, in the order of its fields.
#[derive(Serialize)]
struct Body<'a> {
    number: u64,
    at: &'a str,
    who: &'a str,
    role: &'a str,
    door: &'a str,
    verb: &'a str,
    target: &'a str,
    outcome: Outcome,
    reason: &'a str,
}

/// Why a text is not the next line of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A file does not begin as one of an audit log.
    #[error("it does not begin as a file of an audit log")]
    NoHead,
    /// A newer program wrote it.
    #[error("it is of version {version}, and this program reads {VERSION}; take a newer one")]
    Newer {
        /// Its version.
        version: u32,
    },
    /// It goes on after another line than the last one.
    #[error("it goes on after another log's line {after}, or what stands before was changed")]
    Foreign {
        /// The number of that line.
        after: u64,
    },
    /// Lines are missing before it.
    #[error("{} missing before number {next}", Missing(*from, *next))]
    Missing {
        /// The first that is missing.
        from: u64,
        /// The one that stands there instead.
        next: u64,
    },
    /// It is not what was written, or not after what was written.
    #[error("number {number} was changed, or put in, or the one before it was")]
    Changed {
        /// The number that should stand there.
        number: u64,
    },
}

struct Missing(u64, u64);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 - self.0 {
            1 => write!(f, "number {} is", self.0),
            _ => write!(f, "numbers {} to {} are", self.0, self.1 - 1),
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self { number: 0, hash: Hasher::new_derive_key(CONTEXT).finalize() }
    }
}

impl Chain {
    /// The number of the last line; 0 before the first.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The hash of the last line, in 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.to_hex().to_string()
    }

    /// The head of a file that goes on from here, with its end of line.
    #[must_use]
    pub fn head(&self) -> String {
        let number = self.number;
        format!("{{\"bary_audit\":{VERSION},\"after\":{number},\"hash\":\"{}\"}}\n", self.hash())
    }

    /// The chain that a file's head goes on from. `text` is without its end of line.
    ///
    /// # Errors
    /// Where it is no head, or not byte for byte as one is written.
    pub fn of_head(text: &str) -> Result<Self, Misfit> {
        let any: AnyHead = serde_json::from_str(text).map_err(|_| Misfit::NoHead)?;
        if any.bary_audit > VERSION {
            return Err(Misfit::Newer { version: any.bary_audit });
        }
        let head: Head = serde_json::from_str(text).map_err(|_| Misfit::NoHead)?;
        let hash = Hash::from_hex(&head.hash).map_err(|_| Misfit::NoHead)?;
        let chain = Self { number: head.after, hash };
        let first = Self::default();
        let is_exact = chain.head().strip_suffix('\n') == Some(text);
        let is_first = chain.number == 0;
        if !is_exact || (is_first && chain != first) || chain.number > NUMBER_MAX {
            return Err(Misfit::NoHead);
        }
        Ok(chain)
    }

    /// Whether a file that goes on from `head` goes on from here.
    ///
    /// # Errors
    /// Where it does not.
    pub fn fits(&self, head: &Self) -> Result<(), Misfit> {
        if head == self {
            return Ok(());
        }
        if head.number > self.number {
            return Err(Misfit::Missing { from: self.number + 1, next: head.number + 1 });
        }
        Err(Misfit::Foreign { after: head.number })
    }

    /// Makes the next line of an entry: what it says, and its text with its end of line.
    pub fn append(&mut self, entry: &Entry<'_>) -> (Line, String) {
        let at = calendar::text(entry.at);
        let role = entry.role.map_or("", |role| role.name());
        let [who, door, verb] = [entry.who, entry.door, entry.verb].map(kept);
        let [target, reason] = [entry.target, entry.reason].map(kept);
        let (number, outcome) = (self.number + 1, entry.outcome);
        let body = Body {
            number,
            at: &at,
            who: &who,
            role,
            door: &door,
            verb: &verb,
            target: &target,
            outcome,
            reason: &reason,
        };
        let mut text = serde_json::to_string(&body).expect("text and numbers are always JSON");
        text.pop();
        let hash = self.advance(&text);
        text += &format!("{BEFORE_HASH}{hash}{AFTER_HASH}\n");
        let line = Line {
            number,
            at,
            who: who.into_owned(),
            role: role.to_owned(),
            door: door.into_owned(),
            verb: verb.into_owned(),
            target: target.into_owned(),
            outcome,
            reason: reason.into_owned(),
            hash,
        };
        (line, text)
    }

    /// Takes a text, without its end of line, as the next line.
    ///
    /// # Errors
    /// Where it is not; the chain is as before.
    pub fn check(&mut self, text: &str) -> Result<Line, Misfit> {
        let changed = Misfit::Changed { number: self.number + 1 };
        let Ok(line) = serde_json::from_str::<Line>(text) else { return Err(changed) };
        if line.number > self.number + 1 {
            return Err(Misfit::Missing { from: self.number + 1, next: line.number });
        }
        let end = format!("{BEFORE_HASH}{}{AFTER_HASH}", line.hash);
        let Some(body) = text.strip_suffix(&end) else { return Err(changed) };
        let mut next = *self;
        if line.number != self.number + 1 || next.advance(body) != line.hash {
            return Err(changed);
        }
        *self = next;
        Ok(line)
    }

    /// Goes on by the line of this text, which is without its hash; gives the hash.
    fn advance(&mut self, body: &str) -> String {
        let mut hasher = Hasher::new_derive_key(CONTEXT);
        hasher.update(self.hash.as_bytes()).update(body.as_bytes());
        *self = Self { number: self.number + 1, hash: hasher.finalize() };
        self.hash()
    }
}

#[cfg(test)]
mod tests {
    use bary_api::role::Role;
    use bary_model::time::Wall;

    use super::{Chain, LINE_BYTES_MAX, Misfit};
    use crate::audit::{Entry, FIELD_BYTES_MAX, Outcome};
    use crate::token::Token;

    fn entry(target: &str) -> Entry<'_> {
        let (who, door, verb, reason) = ("ci", "grpc", "cancel", "a \"test\"\n");
        let (role, outcome) = (Some(Role::Operator), Outcome::Done);
        Entry { at: Wall(5), who, role, door, verb, target, outcome, reason }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let (mut written, mut read) = (Chain::default(), Chain::default());
        for number in 1..=3 {
            let (line, text) = written.append(&entry("job 7"));
            assert_eq!(line.number, number);
            let text = text.strip_suffix('\n').expect("a line ends");
            assert!(!text.contains('\n'));
            assert_eq!(read.check(text), Ok(line));
            assert_eq!(read, written);
        }
        let (line, _) = written.append(&Entry { role: None, who: "", ..entry("") });
        assert_eq!((line.role.as_str(), line.reason.as_str()), ("", "a \"test\"\n"));
    }

    #[test]
    fn a_line_has_the_fields_that_its_readers_know() {
        let (_, text) = Chain::default().append(&entry("job 7"));
        let known = "{\"number\":1,\"at\":\"1970-01-01T00:00:00.000000005Z\",\"who\":\"ci\",\
            \"role\":\"operator\",\"door\":\"grpc\",\"verb\":\"cancel\",\"target\":\"job 7\",\
            \"outcome\":\"done\",\"reason\":\"a \\\"test\\\"\\n\",\"hash\":\"";
        assert!(text.starts_with(known), "{text}");
    }

    #[test]
    fn the_hash_is_of_the_line_before_and_of_this_ones_text() {
        let (mut one, mut other) = (Chain::default(), Chain::default());
        let (_, first) = one.append(&entry("job 7"));
        other.append(&entry("job 8"));
        let (_, second) = one.append(&entry("job 9"));
        let (_, same) = other.append(&entry("job 9"));
        assert_eq!(first.len(), second.len());
        assert_ne!(second, same);
        assert_eq!(second[..second.len() - 67], same[..same.len() - 67]);
    }

    #[test]
    fn a_missing_a_doubled_and_a_foreign_line_are_told_apart() {
        let mut chain = Chain::default();
        let texts: Vec<String> = (0..4).map(|_| chain.append(&entry("")).1).collect();
        let text = |at: usize| texts[at].trim_end();
        let mut chain = Chain::default();
        chain.check(text(0)).expect("it is the first");
        let missing = Misfit::Missing { from: 2, next: 4 };
        assert_eq!(missing.to_string(), "numbers 2 to 3 are missing before number 4");
        assert_eq!(chain.check(text(3)), Err(missing));
        assert_eq!(chain.check(text(0)), Err(Misfit::Changed { number: 2 }));
        let mut other = Chain::default();
        other.append(&entry("other"));
        let (_, forged) = other.append(&entry(""));
        assert_eq!(chain.check(forged.trim_end()), Err(Misfit::Changed { number: 2 }));
        assert!(chain.check(text(1)).is_ok());
    }

    #[test]
    fn a_head_says_where_a_file_goes_on() {
        let mut chain = Chain::default();
        let first = chain;
        for _ in 0..3 {
            let head = chain.head();
            assert_eq!(Chain::of_head(head.trim_end()), Ok(chain));
            chain.append(&entry(""));
        }
        assert_eq!(chain.fits(&chain), Ok(()));
        assert_eq!(first.fits(&chain), Err(Misfit::Missing { from: 1, next: 4 }));
        assert_eq!(chain.fits(&first), Err(Misfit::Foreign { after: 0 }));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let mut chain = Chain::default();
        chain.append(&entry(""));
        let head = chain.head();
        let head = head.trim_end();
        let zero = head.replace("\"after\":1", "\"after\":0");
        let spaced = head.replace(':', ": ");
        let late = head.replace("\"after\":1", &format!("\"after\":{}", u64::MAX));
        for wrong in ["", "{}", "bary", &zero, &late, &spaced, &head[1..], &head.to_uppercase()] {
            assert_eq!(Chain::of_head(wrong), Err(Misfit::NoHead), "{wrong}");
        }
        let newer = Chain::of_head("{\"bary_audit\":2,\"new\":[]}");
        assert_eq!(newer, Err(Misfit::Newer { version: 2 }));
    }

    #[test]
    fn the_longest_line_is_within_its_limit_and_no_token_is_in_it() {
        let nulls = "\0".repeat(2 * FIELD_BYTES_MAX);
        let (who, door, verb, target, reason) = (&*nulls, &*nulls, &*nulls, &*nulls, &*nulls);
        let longest = Entry { who, door, verb, target, reason, ..entry("") };
        let (_, text) = Chain::default().append(&longest);
        assert!(text.len() < LINE_BYTES_MAX, "{}", text.len());
        let token = Token::new([8; 32]);
        let secret = token.reveal();
        let (who, door, verb, target, reason) = (secret, secret, secret, secret, secret);
        let (_, text) =
            Chain::default().append(&Entry { who, door, verb, target, reason, ..longest });
        assert!(!text.contains(&secret[5..20]), "{text}");
    }
}
