//! An access token: `bary_` and 43 characters that write 32 random bytes in base64url. Its holder
//! alone keeps it; a node keeps its BLAKE3 hash, from which nobody gets the token back.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::mem;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What every token begins with, so that scanners for leaked secrets find it.
pub const PREFIX: &str = "bary_";
/// How many characters follow.
const DIGITS: usize = 43;
/// What stands for a token in a text that had one.
const REDACTED: &str = "bary_***";

/// A token. `Debug` does not show it, and its memory is overwritten when it is dropped.
pub struct Token(String);

/// A text is no token. It does not hold the text, which may be a token with a slip in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token; one is `{PREFIX}` and {DIGITS} characters")]
pub struct TokenError;

/// The BLAKE3 hash of a token's text. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(blake3::Hash);

impl Token {
    /// The token of 32 bytes, which must come from the system's source of randomness.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        // Enough at once: growing would leave a copy behind.
        let mut text = String::with_capacity(PREFIX.len() + DIGITS);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(random, &mut text);
        Self(text)
    }

    /// Takes a text as a token.
    ///
    /// # Errors
    /// Where it is none, by its form; whether anybody knows it is the keyring's to say.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let digits = text.strip_prefix(PREFIX).ok_or(TokenError)?;
        let mut random = [0; 32];
        let read = URL_SAFE_NO_PAD.decode_slice(digits, &mut random);
        overwrite(&mut random);
        match read {
            Ok(32) => Ok(Self(text.to_owned())),
            _ => Err(TokenError),
        }
    }

    /// Its text, for the one place that it is shown at or written to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(blake3::hash(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        overwrite(&mut mem::take(&mut self.0).into_bytes());
    }
}

/// Overwrites what was secret. The compiler is told that somebody looks, so that it writes.
pub fn overwrite(secret: &mut [u8]) {
    secret.fill(0);
    black_box(secret);
}

impl TokenHash {
    /// The hash that 64 hexadecimal digits, in lower case, write.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let hash = blake3::Hash::from_hex(hex).ok()?;
        (hash.to_hex().as_str() == hex).then_some(Self(hash))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({})", &self.0.to_hex()[..8])
    }
}

/// How many characters of a token are enough to be taken for one.
const NEARLY: usize = 40;

/// The text with `bary_***` for everything in it that looks like a token, or like nearly all of
/// one: what is written to a log may hold what a caller typed at the wrong place.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains(PREFIX) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let secret = from.bytes().take_while(|&byte| is_digit(byte)).count();
        clean.push_str(if secret >= NEARLY { REDACTED } else { &from[..secret] });
        rest = &from[secret..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Token, TokenError, TokenHash, redact};

    fn is_ascii_word(c: char) -> bool {
        c.is_ascii() && super::is_digit(c as u8)
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(random in any::<[u8; 32]>()) {
            let token = Token::new(random);
            assert_eq!(token.reveal().len(), 48);
            let read = Token::parse(token.reveal()).expect("it was written as one");
            assert_eq!(read.reveal(), token.reveal());
            assert_eq!(read.hash(), token.hash());
            assert_eq!(TokenHash::parse(&token.hash().to_string()), Some(token.hash()));
        }

        #[test]
        fn whatever_stands_around_a_token_it_is_redacted(
            before in any::<String>(),
            random in any::<[u8; 32]>(),
            after in any::<String>(),
        ) {
            let token = Token::new(random);
            let clean = redact(&format!("{before}{}{after}", token.reveal())).into_owned();
            assert!(!clean.contains(&token.reveal()[5..]), "{clean}");
            assert!(clean.starts_with(before.trim_end_matches(is_ascii_word)), "{clean}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = Token::new([7; 32]);
        let good = good.reveal();
        let short = &good[..47];
        let long = format!("{good}A");
        let loose = format!("{}_", &good[..47]);
        let table = ["", "bary_", &good[5..], short, &long, &good.to_uppercase(), &loose];
        for wrong in table {
            assert_eq!(Token::parse(wrong).err(), Some(TokenError), "{wrong}");
        }
        assert!(Token::parse(&good.replace("Bw", "B+")).is_err());
        assert!(Token::parse(&format!(" {good}")).is_err());
    }

    #[test]
    fn every_bit_of_a_token_counts() {
        let hash = Token::new([0; 32]).hash();
        for bit in 0..256 {
            let mut random = [0; 32];
            random[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Token::new(random).hash(), hash, "bit {bit}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let token = Token::new([7; 32]);
        let shown = format!("{token:?} {:?} {TokenError:?} {TokenError}", Some(&token));
        assert!(!shown.contains(&token.reveal()[5..15]), "{shown}");
    }

    #[test]
    fn what_looks_like_a_token_is_not_kept() {
        let token = Token::new([0xA5; 32]);
        let secret = token.reveal();
        let text = format!("curl -H 'Bearer {secret}' {secret}?t={secret} ü");
        assert_eq!(redact(&text), "curl -H 'Bearer bary_***' bary_***?t=bary_*** ü");
        assert_eq!(redact(&secret[..40]), "bary_***");
        for plain in ["", "run bary_job", "bary_bary_", "bary_ü", "bary_nightly_reconciliation"] {
            assert_eq!(redact(plain), plain);
        }
    }
}
