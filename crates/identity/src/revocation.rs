//! That somebody is a member no more: signed by the cluster's authority, so that any member can
//! pass it on, and nobody can make it up.
//!
//! ```text
//! bary-revoked 1
//! NUMBER NAME REVOKED SIGNATURE
//! sum: HASH
//! ```

use bary_model::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::authority::Authority;
use crate::calendar::{self, NoMoment, moment};
use crate::key::SignError;
use crate::name::{Name, NameError};
use crate::sheet::{self, Sheet};

/// How many revocations are kept at most.
pub const REVOCATIONS_MAX: usize = 1_024;
/// The kind of their text.
const SHEET: Sheet = Sheet { magic: "bary-revoked", version: 1, what: "list of revocations" };

/// One revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whose it is: the number that follows from the member's key.
    pub number: u64,
    /// What the member was called.
    pub name: Name,
    /// When it was made.
    pub at: Wall,
    signature: Vec<u8>,
}

/// Why a text is no list of revocations: where, and what would help.
pub type ParseError = sheet::ParseError<LineFault>;

/// What is wrong with the line of a revocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It has not its four words.
    #[error("it is not NUMBER NAME REVOKED SIGNATURE, one blank between")]
    Words,
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its moment is none.
    #[error(transparent)]
    Moment(#[from] NoMoment),
    /// There are too many.
    #[error("there are more than {REVOCATIONS_MAX}")]
    TooMany,
}

impl Revocation {
    /// Has an authority say that a member is none any more.
    ///
    /// # Errors
    /// Where the library refuses.
    pub fn sign(
        authority: &Authority,
        number: u64,
        name: Name,
        at: Wall,
    ) -> Result<Self, SignError> {
        let unsigned = Self { number, name, at, signature: Vec::new() };
        let signature = authority.key().sign(unsigned.text().as_bytes())?;
        Ok(Self { signature, ..unsigned })
    }

    /// Whether the authority of this certificate in DER has signed it.
    #[must_use]
    pub fn is_signed_by(&self, authority: &[u8]) -> bool {
        let Ok((_, read)) = X509Certificate::from_der(authority) else { return false };
        let key = UnparsedPublicKey::new(&ED25519, &*read.public_key().subject_public_key.data);
        key.verify(self.text().as_bytes(), &self.signature).is_ok()
    }

    /// What is signed.
    fn text(&self) -> String {
        format!("{} {}", SHEET.magic, self.words())
    }

    fn words(&self) -> String {
        format!("{:010x} {} {}", self.number, self.name, calendar::text(self.at))
    }
}

/// The text that [`parse`] reads.
#[must_use]
pub fn print<'r>(all: impl IntoIterator<Item = &'r Revocation>) -> String {
    let line =
        |one: &Revocation| format!("{} {}", one.words(), URL_SAFE_NO_PAD.encode(&one.signature));
    SHEET.print(all.into_iter().map(line))
}

/// The revocations that a text holds. Whether they were signed is to be asked of each.
///
/// # Errors
/// Where it holds none; see [`ParseError`].
pub fn parse(text: &str) -> Result<Vec<Revocation>, ParseError> {
    let mut all = Vec::new();
    SHEET.parse(text, |line| {
        if all.len() >= REVOCATIONS_MAX {
            return Err(LineFault::TooMany);
        }
        all.push(one(line)?);
        Ok(())
    })?;
    Ok(all)
}

fn one(line: &str) -> Result<Revocation, LineFault> {
    let words: Vec<&str> = line.split(' ').collect();
    let &[number, name, at, signature] = words.as_slice() else { return Err(LineFault::Words) };
    let number = u64::from_str_radix(number, 16).map_err(|_| LineFault::Words)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LineFault::Words)?;
    Ok(Revocation { number, name: Name::new(name)?, at: moment(at)?, signature })
}

#[cfg(test)]
mod tests {
    use bary_model::time::Wall;

    use super::{Revocation, parse, print};
    use crate::authority::Authority;
    use crate::key::Key;
    use crate::name::Name;

    const NOW: Wall = Wall(1_763_745_574_123_456_789);

    fn authority(seed: u8) -> Authority {
        let (name, key) = (Name::new("lab"), Key::new([seed; 32]));
        let (name, key) = (name.expect("it is one"), key.expect("32 bytes are a key"));
        Authority::found(&name, key, [seed; 16], NOW).expect("all is good")
    }

    fn revocation(by: &Authority) -> Revocation {
        let name = Name::new("beta").expect("it is one");
        Revocation::sign(by, 7 << 36, name, NOW).expect("a key can sign")
    }

    #[test]
    fn what_was_signed_is_read_and_checked_as_it_was() {
        let lab = authority(1);
        let read = parse(&print([&revocation(&lab)])).expect("it was printed as one");
        assert_eq!(read, [revocation(&lab)]);
        assert!(read[0].is_signed_by(lab.certificate()));
    }

    #[test]
    fn nobody_else_can_revoke_anybody() {
        let (lab, other) = (authority(1), authority(2));
        assert!(!revocation(&other).is_signed_by(lab.certificate()));
        let signed = revocation(&lab);
        let name = Name::new("gamma").expect("it is one");
        for changed in [
            Revocation { number: 8 << 36, ..signed.clone() },
            Revocation { name, ..signed.clone() },
            Revocation { at: Wall(NOW.0 + 1), ..signed.clone() },
            Revocation { signature: Vec::new(), ..signed },
        ] {
            assert!(!changed.is_signed_by(lab.certificate()), "{changed:?}");
        }
    }
}
