//! The fingerprint of a cluster: the BLAKE3 hash of its authority's certificate. Who has it knows
//! the cluster when he meets it, and cannot pass for a member of it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many characters write one.
pub const DIGITS: usize = 43;

/// A fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has {DIGITS} letters, digits, `-` and `_`")]
pub struct FingerprintError;

impl Fingerprint {
    /// That of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(*blake3::hash(certificate).as_bytes())
    }

    /// A number for the cluster, which says nothing of what it is the fingerprint of to those who
    /// have not got it: 8 bytes of its hash.
    #[must_use]
    pub fn number(&self) -> u64 {
        let hash = blake3::hash(&self.0);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_be_bytes(first)
    }

    /// The key under which members of the cluster meet in a DHT: as little as [`Self::number`]
    /// says, and nothing that goes with that number.
    #[must_use]
    pub fn rendezvous(&self) -> [u8; 20] {
        let hash = blake3::derive_key("bary 2026 rendezvous of a cluster's members", &self.0);
        let mut key = [0; 20];
        key.copy_from_slice(&hash[..20]);
        key
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(FingerprintError),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, FingerprintError};

    #[test]
    fn a_fingerprint_is_read_as_it_was_written() {
        let print = Fingerprint::of(b"a certificate");
        assert_eq!(print.to_string().parse(), Ok(print));
        assert_ne!(print, Fingerprint::of(b"another"));
        assert_ne!(print.number(), Fingerprint::of(b"another").number());
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        let good = Fingerprint::of(b"a certificate").to_string();
        for wrong in ["", &good[1..], &format!("{good}A"), &good.replace(&good[..1], "+")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError), "{wrong}");
        }
    }
}
