//! Under which keys jobs were submitted. A key is known for a day and up to a number of keys, by
//! the times that are on record: whoever replays the records knows the same keys.

use std::collections::{BTreeMap, VecDeque};

use bary_model::id::{JobNo, ShardId};
use bary_model::job::{About, SubmissionKey};
use bary_model::time::{Span, Wall};
use serde::{Deserialize, Serialize};

/// Most keys that a ledger remembers; a submission repeated after so many others counts as new.
pub const KEYS_MAX: usize = 1_000_000;
/// For how long a key is remembered; a submission repeated later counts as new.
pub const KEY_KEPT: Span = Span::secs(24 * 3_600);

/// A key that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The key, with what was submitted under it.
    pub key: SubmissionKey,
    /// The job that it made.
    pub job: JobNo,
    /// When.
    pub at: Wall,
}

impl Used {
    /// A key that a job of a shard was submitted under at a moment of the calendar; where that is
    /// not on record, as the job says. One that is the shard's own number is remembered for ever:
    /// under it the job is submitted that a state is made for.
    pub(crate) fn of(
        shard: ShardId,
        key: SubmissionKey,
        job: JobNo,
        at: Wall,
        about: &About,
    ) -> Self {
        let at = match at {
            _ if key.key == u128::from(shard.0) => Wall(u64::MAX),
            Wall(0) => about.submitted.unwrap_or_default(),
            at => at,
        };
        Self { key, job, at }
    }
}

/// The keys that are remembered.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    known: BTreeMap<u128, Known>,
    /// In the order in which they were used; one that was used anew since counts once, at its last
    /// place.
    order: VecDeque<(u128, JobNo)>,
}

/// What is known of a key besides itself.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    content: u64,
    job: JobNo,
    at: Wall,
}

impl Keys {
    /// The job that was submitted under a key, and the key as it was given then; nothing where
    /// that is too long ago.
    #[must_use]
    pub fn find(&self, key: u128, now: Wall) -> Option<(JobNo, SubmissionKey)> {
        let known = self.known.get(&key).filter(|known| !is_over(known.at, now))?;
        Some((known.job, SubmissionKey { key, content: known.content }))
    }

    /// All of them, in the order in which they were used.
    pub fn all(&self) -> impl Iterator<Item = Used> {
        self.order.iter().filter_map(|(key, job)| {
            let known = self.known.get(key)?;
            let key = SubmissionKey { key: *key, content: known.content };
            (known.job == *job).then_some(Used { key, job: *job, at: known.at })
        })
    }

    /// Remembers a key. Where there are too many, the oldest is forgotten.
    pub fn remember(&mut self, used: Used) {
        let Used { key: SubmissionKey { key, content }, job, at } = used;
        self.known.insert(key, Known { content, job, at });
        self.order.push_back((key, job));
        while self.known.len() > KEYS_MAX {
            self.forget_oldest();
        }
    }

    /// Forgets what is too long ago by now.
    pub fn pass(&mut self, now: Wall) {
        while let Some((key, job)) = self.order.front() {
            let known = self.known.get(key).filter(|known| known.job == *job);
            if known.is_some_and(|known| !is_over(known.at, now)) {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((key, job)) = self.order.pop_front() else { return };
        // It may have been used anew since.
        if self.known.get(&key).is_some_and(|known| known.job == job) {
            self.known.remove(&key);
        }
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

fn is_over(at: Wall, now: Wall) -> bool {
    now.since(at) >= KEY_KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(key: u128, job: u32, at: Wall) -> Used {
        Used { key: SubmissionKey { key, content: 7 }, job: JobNo(job), at }
    }

    #[test]
    fn a_key_is_known_for_a_day_and_used_anew_after_that() {
        let mut keys = Keys::default();
        let (first, day) = (Wall(5), Wall(5) + KEY_KEPT);
        keys.remember(used(1, 0, first));
        keys.remember(used(2, 1, Wall(6)));
        keys.pass(Wall(day.0 - 1));
        assert_eq!(keys.find(1, Wall(day.0 - 1)).map(|(job, _)| job), Some(JobNo(0)));
        assert_eq!(keys.find(1, day), None, "it is not found although it is still there");
        keys.pass(day);
        assert_eq!(keys.all().map(|used| used.job).collect::<Vec<_>>(), [JobNo(1)]);
        keys.remember(used(1, 2, day));
        keys.pass(Wall(6) + KEY_KEPT);
        assert_eq!(keys.find(1, day).map(|(job, _)| job), Some(JobNo(2)));
        assert_eq!((keys.known.len(), keys.order.len()), (1, 1));
    }

    #[test]
    fn the_key_of_a_state_is_known_for_ever() {
        let (key, about) = (SubmissionKey { key: 9, content: 7 }, About::default());
        let own = Used::of(ShardId(9), key, JobNo(0), Wall(5), &about);
        let other = Used::of(ShardId(8), key, JobNo(0), Wall(5), &about);
        let mut keys = Keys::default();
        keys.remember(own);
        keys.pass(Wall(u64::MAX));
        assert!(keys.find(9, Wall(u64::MAX)).is_some());
        assert_eq!(other.at, Wall(5));
    }

    #[test]
    fn the_oldest_are_forgotten_past_the_limit() {
        let mut keys = Keys::default();
        for job in 0..=KEYS_MAX as u32 {
            keys.remember(used(job.into(), job, Wall(5)));
        }
        assert_eq!(keys.known.len(), KEYS_MAX);
        assert_eq!((keys.find(0, Wall(5)), keys.order.len()), (None, KEYS_MAX));
        assert!(keys.find(1, Wall(5)).is_some());
    }
}
