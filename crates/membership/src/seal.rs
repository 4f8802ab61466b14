//! Seals datagrams with the cluster's secret (XChaCha20-Poly1305), so that nobody else can read
//! or make them, not even who sends one; and takes each only once.
//!
//! A sealed datagram is a version, the secret's generation, a random nonce of 24 bytes, and sealed:
//! sender, its life, a number from 1 on, and the bytes.

use std::sync::{Mutex, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::replay::{Replay, Stale};

/// The version that is written and read.
const VERSION: u8 = 1;
/// How many bytes a nonce has.
const NONCE: usize = 24;
/// How many bytes stand before what is sealed.
const HEAD: usize = 2 + NONCE;
/// How many bytes the sender and its numbers take.
const WHO: usize = 3 * 8;
/// How many bytes a datagram is longer for being sealed.
pub const OVERHEAD: usize = HEAD + WHO + 16;
/// From how many members datagrams are taken.
const SENDERS_MAX: usize = 16_384;

/// A secret of the cluster. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret {
    /// Counts the secrets that the cluster has had; it may begin anew after 255.
    pub generation: u8,
    /// The secret, which is random.
    pub bytes: [u8; 32],
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(generation {})", self.generation)
    }
}

/// Seals datagrams of one life of a node, and opens those of others.
pub struct Sealer {
    me: u64,
    life: u64,
    /// The secret that is written with first; the others are read.
    secrets: RwLock<Vec<(u8, XChaCha20Poly1305)>>,
    state: Mutex<State>,
}

struct State {
    number: u64,
    replay: Replay,
}

/// A datagram, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The member that sealed it.
    pub sender: u64,
    /// What it said.
    pub bytes: Vec<u8>,
}

/// Why a datagram is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is none of ours, or of another version.
    #[error("it is no sealed datagram of this version")]
    NotOne,
    /// It was sealed with a secret that is not known.
    #[error("it was sealed with a secret of generation {0}, which is not known")]
    Generation(u8),
    /// It was not sealed with the cluster's secret, or was changed.
    #[error("it was not sealed with the cluster's secret")]
    Forged,
    /// It was taken already, or may have been.
    #[error("it came again, or much too late")]
    Replayed,
    /// It is from this node itself.
    #[error("it is this node's own")]
    Own,
    /// Too many members have sent datagrams.
    #[error("there are more than {SENDERS_MAX} senders")]
    TooMany,
}

/// What is to be sealed cannot be, as it is too long for the cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the datagram is too long to be sealed")]
pub struct SealError;

impl Sealer {
    /// What seals for the life of a node, which must be higher than those before. The first secret
    /// seals; those before it are still taken, and there must be at least one.
    #[must_use]
    pub fn new(me: u64, life: u64, secrets: &[Secret]) -> Self {
        let state = Mutex::new(State { number: 0, replay: Replay::new(SENDERS_MAX) });
        Self { me, life, secrets: RwLock::new(ciphers(secrets)), state }
    }

    /// Seals with the first of these from now on, and opens what is sealed with any of them; what
    /// was opened before is still known.
    pub fn change(&self, secrets: &[Secret]) {
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = ciphers(secrets);
    }

    /// Seals a datagram.
    ///
    /// # Errors
    /// Where it is too long, or there is no secret.
    pub fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let (generation, cipher) = secrets.first().ok_or(SealError)?;
        let number = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.number += 1;
            state.number
        };
        let mut plain = Vec::with_capacity(WHO + bytes.len());
        for word in [self.me, self.life, number] {
            plain.extend_from_slice(&word.to_be_bytes());
        }
        plain.extend_from_slice(bytes);
        let nonce = XNonce::generate();
        let head = [VERSION, *generation];
        let sealed = cipher.encrypt(&nonce, Payload { msg: &plain, aad: &head });
        let sealed = sealed.map_err(|_| SealError)?;
        Ok([&head[..], nonce.as_slice(), &sealed].concat())
    }

    /// Opens a datagram; each only once.
    ///
    /// # Errors
    /// Where it is to be dropped.
    pub fn open(&self, datagram: &[u8]) -> Result<Opened, OpenError> {
        let (head, sealed) = datagram.split_at_checked(HEAD).ok_or(OpenError::NotOne)?;
        let (head, nonce) = head.split_at(2);
        if head[0] != VERSION {
            return Err(OpenError::NotOne);
        }
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let mut ciphers =
            secrets.iter().filter(|(generation, _)| *generation == head[1]).peekable();
        ciphers.peek().ok_or(OpenError::Generation(head[1]))?;
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError::NotOne)?;
        let open = |cipher: &XChaCha20Poly1305| {
            cipher.decrypt(&nonce, Payload { msg: sealed, aad: head }).ok()
        };
        // Two that were drawn at a time have one number.
        let plain = ciphers.find_map(|(_, cipher)| open(cipher)).ok_or(OpenError::Forged)?;
        let (who, bytes) = plain.split_at_checked(WHO).ok_or(OpenError::NotOne)?;
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(who.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        let [sender, life, number] = words;
        if sender == self.me {
            return Err(OpenError::Own);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.replay.take(sender, life, number) {
            Ok(()) => Ok(Opened { sender, bytes: bytes.to_vec() }),
            Err(Stale::Full) => Err(OpenError::TooMany),
            Err(Stale::Again | Stale::Old | Stale::EarlierLife) => Err(OpenError::Replayed),
        }
    }
}

fn ciphers(secrets: &[Secret]) -> Vec<(u8, XChaCha20Poly1305)> {
    let cipher = |secret: &Secret| XChaCha20Poly1305::new(&Key::from(secret.bytes));
    secrets.iter().map(|secret| (secret.generation, cipher(secret))).collect()
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("me", &self.me).field("life", &self.life).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::{OVERHEAD, OpenError, Opened, Sealer, Secret};

    fn secret(generation: u8) -> Secret {
        Secret { generation, bytes: [generation; 32] }
    }

    fn sealer(me: u64) -> Sealer {
        Sealer::new(me, 1, &[secret(1)])
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_once_by_others(
            bytes in prop::collection::vec(any::<u8>(), 0..1_400),
        ) {
            let (one, two) = (sealer(1), sealer(2));
            let sealed = one.seal(&bytes).expect("it is short");
            assert_eq!(sealed.len(), bytes.len() + OVERHEAD);
            assert_eq!(two.open(&sealed), Ok(Opened { sender: 1, bytes }));
            assert_eq!(two.open(&sealed), Err(OpenError::Replayed));
            assert_eq!(one.open(&sealed), Err(OpenError::Own));
        }

        #[test]
        fn no_bytes_from_elsewhere_are_opened(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            assert!(sealer(2).open(&bytes).is_err());
        }
    }

    #[test]
    fn every_changed_bit_is_found() {
        let sealed = sealer(1).seal(b"a rumour").expect("it is short");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer(2).open(&changed).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn nothing_of_what_is_sealed_can_be_read() {
        let sealed = Sealer::new(0x0102_0304_0506_0708, 1, &[secret(1)]).seal(&[b'x'; 64]);
        let sealed = sealed.expect("it is short");
        let has = |bytes: &[u8]| sealed.windows(bytes.len()).any(|window| window == bytes);
        assert!(!has(b"xxxx") && !has(&[1, 2, 3, 4]) && !has(&[5, 6, 7, 8]));
    }

    #[test]
    fn a_new_secret_is_written_and_the_one_before_still_read() {
        let (old, new) = (sealer(1), Sealer::new(2, 1, &[secret(2), secret(1)]));
        let from_old = old.seal(b"before").expect("it is short");
        assert_eq!(new.open(&from_old).map(|opened| opened.bytes), Ok(b"before".to_vec()));
        let from_new = new.seal(b"after").expect("it is short");
        assert_eq!(old.open(&from_new), Err(OpenError::Generation(2)));
        let other = Sealer::new(3, 1, &[Secret { generation: 2, bytes: [9; 32] }]);
        assert_eq!(other.open(&from_new), Err(OpenError::Forged));
    }

    #[test]
    fn secrets_change_while_it_is_used_and_two_of_one_number_are_both_tried() {
        let (one, two) = (sealer(1), sealer(2));
        let old = one.seal(b"before").expect("it is short");
        one.change(&[secret(2)]);
        let new = one.seal(b"after").expect("it is short");
        assert_eq!(two.open(&new), Err(OpenError::Generation(2)));
        two.change(&[Secret { generation: 2, bytes: [9; 32] }, secret(2), secret(1)]);
        assert_eq!(two.open(&new).map(|opened| opened.bytes), Ok(b"after".to_vec()));
        assert_eq!(two.open(&new), Err(OpenError::Replayed));
        assert_eq!(two.open(&old).map(|opened| opened.bytes), Ok(b"before".to_vec()));
        two.change(&[secret(2)]);
        let late = sealer(3).seal(b"late").expect("it is short");
        assert_eq!(two.open(&late), Err(OpenError::Generation(1)));
    }
}
