//! How far a member finds the others: it tells all of them with its beats where that has changed,
//! so that each knows the ways between any two.

use std::collections::BTreeMap;

use bary_model::time::Span;
use bary_policy::trip;
use serde::{Deserialize, Serialize};

use super::book::MEMBERS_MAX;

/// How long a message to each member and its answer take, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trips(pub(super) BTreeMap<u64, u32>);

impl Trips {
    /// It as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Nothing in it refuses to be written, and a vector takes all.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// The trips that bytes from a member are.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let trips: Self = postcard::from_bytes(bytes).ok()?;
        (trips.0.len() <= MEMBERS_MAX).then_some(trips)
    }

    /// What is told after it was measured anew: a way that is about as long as it was told stays.
    pub(super) fn after(&self, measured: impl Iterator<Item = (u64, Span)>) -> Self {
        let told = |(member, now): (u64, Span)| {
            let before = self.0.get(&member).copied();
            let same = before.filter(|before| !trip::differ(Span::micros((*before).into()), now));
            let micros = u32::try_from(now.0 / 1_000).unwrap_or(u32::MAX);
            (member, same.unwrap_or(micros))
        };
        Self(measured.take(MEMBERS_MAX).map(told).collect())
    }
}

#[cfg(test)]
mod tests {
    use bary_model::time::Span;
    use proptest::prelude::{any, prop, proptest};

    use super::Trips;

    proptest! {
        #[test]
        fn trips_are_read_as_they_were_told(
            all in prop::collection::vec(any::<(u64, u32)>(), 0..50),
        ) {
            let trips = Trips(all.into_iter().collect());
            assert_eq!(Trips::decode(&trips.encode()), Some(trips));
        }

        #[test]
        fn no_bytes_are_too_strange_to_read(bytes in any::<Vec<u8>>()) {
            drop(Trips::decode(&bytes));
        }
    }

    #[test]
    fn only_ways_that_are_other_than_they_were_are_news() {
        let first =
            Trips::default().after([(1, Span::millis(10)), (2, Span::millis(1))].into_iter());
        assert_eq!(first.after([(1, Span::millis(11)), (2, Span::millis(1))].into_iter()), first);
        let other = first.after([(1, Span::millis(20))].into_iter());
        assert_eq!(other, Trips([(1, 20_000)].into()));
    }
}
