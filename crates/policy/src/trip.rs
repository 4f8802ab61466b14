//! How long the way to a peer and back is, from what was measured of it.

use bary_model::time::Span;

/// The least of the last few round trips to one peer: queues only ever make one longer, and a
/// least that is not seen again fades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeastTrip {
    estimate: f64,
}

impl LeastTrip {
    /// How much of the way to a longer round trip the estimate goes.
    const GAIN: f64 = 0.1;

    /// The first that was measured.
    #[must_use]
    pub fn new(first: Span) -> Self {
        Self { estimate: first.0 as f64 }
    }

    /// Learns one more: a shorter one counts at once, a longer one a tenth.
    pub fn learn(&mut self, trip: Span) {
        let trip = trip.0 as f64;
        let further = (trip - self.estimate) * Self::GAIN;
        self.estimate = if further < 0.0 { trip } else { self.estimate + further };
    }

    /// The estimate.
    #[must_use]
    pub fn span(self) -> Span {
        Span(self.estimate as u64)
    }
}

/// Round trips that differ by less than this are one: what a machine does in between takes as long.
const NEAR: Span = Span::micros(100);
/// Those that differ by less than this part of the shorter are one too.
const CHANGE: f64 = 0.25;

/// Whether two round trips are so far apart that it matters to whoever goes by them.
#[must_use]
pub fn differ(one: Span, other: Span) -> bool {
    let apart = one.0.abs_diff(other.0);
    apart > NEAR.0 && apart as f64 > CHANGE * one.0.min(other.0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    #[test]
    fn a_least_that_is_not_seen_again_fades() {
        let mut trip = LeastTrip::new(Span::millis(10));
        trip.learn(Span::millis(4));
        assert_eq!(trip.span(), Span::millis(4));
        trip.learn(Span::millis(14));
        assert_eq!(trip.span(), Span::millis(5));
    }

    #[test]
    fn what_differs_by_a_quarter_and_more_than_noise_matters() {
        let differ = |a, b| differ(Span::micros(a), Span::micros(b));
        assert!(differ(100_000, 126_000) && differ(126_000, 100_000));
        assert!(!differ(100_000, 124_000) && !differ(10, 90) && differ(0, 101));
    }

    proptest! {
        #[test]
        fn an_estimate_lies_among_what_was_measured(
            trips in proptest::collection::vec(0..u64::MAX >> 12, 1..40),
        ) {
            let mut least = LeastTrip::new(Span(trips[0]));
            trips[1..].iter().for_each(|trip| least.learn(Span(*trip)));
            let (low, high) = (trips.iter().min(), trips.iter().max());
            let span = least.span().0;
            prop_assert!(low.is_some_and(|low| *low <= span + 1));
            prop_assert!(high.is_some_and(|high| span <= *high));
        }
    }
}
