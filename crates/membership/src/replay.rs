//! Which of a sender's datagrams were taken already: a window over their numbers (RFC 6479), so
//! that one that comes twice, or was recorded and is played again, is taken once.

use std::collections::BTreeMap;

/// How far behind the newest a datagram may be.
pub(crate) const WINDOW: u64 = 1_024;
/// Bits of a word.
const BITS: u64 = u64::BITS as u64;
/// Words of the window; one more than it has, so that it may move by parts of a word.
const WORDS: usize = (WINDOW / BITS) as usize + 1;

/// What was taken of one life of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    life: u64,
    /// The highest number that was taken.
    newest: u64,
    /// Which of the last numbers were taken, each at the bit of its number.
    bits: [u64; WORDS],
}

/// What was taken of all senders.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    senders: BTreeMap<u64, Seen>,
    senders_max: usize,
}

/// Why a datagram is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stale {
    /// It was taken already.
    Again,
    /// It is so old that nobody knows.
    Old,
    /// It is of an earlier life of its sender.
    EarlierLife,
    /// There are too many senders.
    Full,
}

impl Replay {
    pub(crate) fn new(senders_max: usize) -> Self {
        Self { senders: BTreeMap::new(), senders_max }
    }

    /// Takes a datagram's number, which is from 1 on in each life, once.
    pub(crate) fn take(&mut self, sender: u64, life: u64, number: u64) -> Result<(), Stale> {
        let full = self.senders.len() >= self.senders_max;
        if full && !self.senders.contains_key(&sender) {
            return Err(Stale::Full);
        }
        let fresh = Seen { life, newest: 0, bits: [0; WORDS] };
        let seen = self.senders.entry(sender).or_insert_with(|| fresh.clone());
        if life < seen.life {
            return Err(Stale::EarlierLife);
        }
        if life > seen.life {
            *seen = fresh;
        }
        seen.take(number)
    }
}

impl Seen {
    fn take(&mut self, number: u64) -> Result<(), Stale> {
        if number + WINDOW <= self.newest {
            return Err(Stale::Old);
        }
        if number > self.newest {
            // The words between the newest and this one stand for numbers that have not come.
            let (from, to) = (self.newest / BITS, number / BITS);
            for word in (from + 1..=to).rev().take(WORDS) {
                self.bits[slot(word)] = 0;
            }
            self.newest = number;
        }
        let (word, bit) = (slot(number / BITS), 1 << (number % BITS));
        if self.bits[word] & bit != 0 {
            return Err(Stale::Again);
        }
        self.bits[word] |= bit;
        Ok(())
    }
}

fn slot(word: u64) -> usize {
    (word % WORDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{prop, proptest};

    use super::{Replay, Stale, WINDOW};

    proptest! {
        #[test]
        fn each_number_is_taken_once_as_far_back_as_the_window(
            steps in prop::collection::vec((0_u64..2_000, 0_u64..3_000), 1..300),
        ) {
            let (mut replay, mut taken, mut newest) = (Replay::new(10), BTreeSet::new(), 0_u64);
            for (ahead, back) in steps {
                let number = (newest + ahead).saturating_sub(back).max(1);
                let right = if number + WINDOW <= newest {
                    Err(Stale::Old)
                } else if taken.insert(number) {
                    Ok(())
                } else {
                    Err(Stale::Again)
                };
                assert_eq!(replay.take(7, 1, number), right, "{number} of {newest}");
                newest = newest.max(number);
            }
        }
    }

    #[test]
    fn a_later_life_begins_anew_and_an_earlier_one_is_over() {
        let mut replay = Replay::new(10);
        assert_eq!(replay.take(7, 1, 500), Ok(()));
        assert_eq!(replay.take(7, 2, 1), Ok(()));
        assert_eq!(replay.take(7, 1, 501), Err(Stale::EarlierLife));
        assert_eq!(replay.take(7, 2, 1), Err(Stale::Again));
    }

    #[test]
    fn no_more_senders_are_kept_than_may_be() {
        let mut replay = Replay::new(2);
        assert_eq!((replay.take(1, 1, 1), replay.take(2, 1, 1)), (Ok(()), Ok(())));
        assert_eq!(replay.take(3, 1, 1), Err(Stale::Full));
        assert_eq!(replay.take(2, 1, 2), Ok(()));
    }
}
