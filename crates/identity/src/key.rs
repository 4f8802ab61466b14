//! The private key of a node or of a cluster's authority: Ed25519 (RFC 8032), made of 32 random
//! bytes. A node's number is a hash of its public key, so that nobody has to hand numbers out.

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::name::Name;
use crate::token::overwrite;

/// What an Ed25519 key begins with as PKCS #8 (RFC 8410); the 32 bytes follow.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// How many bits the number of a node has: few enough that some more beside it fit what JSON
/// writes exactly, and enough that two of a thousand nodes share one in one of a million clusters.
pub const NUMBER_BITS: u32 = 40;

/// A private key. `Debug` does not show it, and its bytes are overwritten when it is dropped.
pub struct Key {
    pair: KeyPair,
    pkcs8: Vec<u8>,
}

/// A text or its bytes are no private key of this kind. It does not hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no Ed25519 private key in PKCS #8")]
pub struct KeyError;

/// Nothing can be asked for with this key: the library refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate can be asked for: {0}")]
pub struct RequestError(pub(crate) rcgen::Error);

/// Nothing was signed with this key: the library refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing was signed: {0}")]
pub struct SignError(pub(crate) rcgen::Error);

impl Key {
    /// The key of 32 bytes, which must come from the system's source of randomness.
    ///
    /// # Errors
    /// Where the library takes no such key; any 32 bytes are one.
    pub fn new(mut random: [u8; 32]) -> Result<Self, KeyError> {
        let mut pkcs8 = Vec::with_capacity(PKCS8_HEAD.len() + random.len());
        pkcs8.extend_from_slice(&PKCS8_HEAD);
        pkcs8.extend_from_slice(&random);
        overwrite(&mut random);
        Self::read(pkcs8)
    }

    /// Takes the bytes that [`Key::reveal`] gives.
    ///
    /// # Errors
    /// Where they are none.
    pub fn read(pkcs8: Vec<u8>) -> Result<Self, KeyError> {
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519);
        Ok(Self { pair: pair.map_err(|_| KeyError)?, pkcs8 })
    }

    /// Its bytes in PKCS #8, for the one file that it is written to and for TLS.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The number of the node that has it.
    #[must_use]
    pub fn number(&self) -> u64 {
        number(self.pair.der_bytes())
    }

    /// Asks for a certificate under a name: a signing request (RFC 2986) in DER, which proves that
    /// the key is known.
    ///
    /// # Errors
    /// Where the library refuses.
    pub fn request(&self, name: &Name) -> Result<Vec<u8>, RequestError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = called(name);
        let request = params.serialize_request(&self.pair).map_err(RequestError)?;
        Ok(request.der().to_vec())
    }

    /// Signs a message.
    ///
    /// # Errors
    /// Where the library refuses.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        SigningKey::sign(&self.pair, message).map_err(SignError)
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        overwrite(&mut self.pkcs8);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:010x})", self.number())
    }
}

/// The number of a node with this public key (its 32 bytes). Its highest bit is always set: 0
/// stands for no member, and small numbers for nodes that are in no cluster.
#[must_use]
pub fn number(public: &[u8]) -> u64 {
    let hash = blake3::hash(public);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first) >> (u64::BITS - NUMBER_BITS) | 1 << (NUMBER_BITS - 1)
}

/// A subject of this name.
pub(crate) fn called(name: &Name) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name.as_str());
    subject
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyError, NUMBER_BITS};

    #[test]
    fn a_key_is_read_as_it_was_written_and_has_one_number() {
        let key = Key::new([7; 32]).expect("32 bytes are a key");
        let read = Key::read(key.reveal().to_vec()).expect("it was written as one");
        assert_eq!((read.number(), read.reveal()), (key.number(), key.reveal()));
        let other = Key::new([8; 32]).expect("32 bytes are a key");
        assert_ne!(other.number(), key.number());
        assert_eq!(key.number() >> (NUMBER_BITS - 1), 1);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = Key::new([7; 32]).expect("32 bytes are a key");
        for wrong in [&[][..], &good.reveal()[1..], &good.reveal()[..40], &[0; 48]] {
            assert_eq!(Key::read(wrong.to_vec()).err(), Some(KeyError));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = Key::new([0xA5; 32]).expect("32 bytes are a key");
        assert_eq!(format!("{key:?}"), format!("Key({:010x})", key.number()));
    }
}
