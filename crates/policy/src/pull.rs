//! How much a node asks for, when, and of which home. Each answer is a share of what is left,
//! `alpha * ready * power / power of all`, so that answers shrink as the work runs out and the
//! last ones are small. Blind spot: a home must know roughly how much power asks it.

use bary_model::time::Span;

use crate::distance::falloff;
use crate::parameter::given::Given;
use crate::parameter::table::{AHEAD, ALPHA, HOME_QUARTER};

/// How nodes pull.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PullConfig {
    /// The share of a node's fair part that one answer holds, above 0 and up to 1. Lower means
    /// better balance and more messages. Defaults to 0.5, about 2 N log2(T/N) messages for T
    /// tasks on N nodes.
    pub alpha: f64,
    /// The round trip at which a home attracts a quarter as strongly; not zero. The median of
    /// the cluster is sensible. Defaults to 1 ms, that of a local network.
    pub quarter: Span,
    /// How many round trips before it runs dry a node asks, from 1 to 100. Defaults to 1.5: one
    /// for the message and its answer, and a half for how much it varies.
    pub ahead: f64,
}

impl Default for PullConfig {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl PullConfig {
    /// As the parameters say, which are in their ranges.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let (alpha, ahead) = (given.number(&ALPHA), given.number(&AHEAD));
        Self { alpha, quarter: given.time(&HOME_QUARTER), ahead }
    }
}

/// How much of `ready` weight (thousandths) one answer holds for a node of `power`: never more
/// than there is. It may be less than a task; the home then gives one task.
#[must_use]
pub fn share(ready: u64, power: f64, power_of_all: f64, config: &PullConfig) -> u64 {
    // A home that has not heard of the others yet counts the node as the only one.
    let part = if power_of_all > power { power / power_of_all } else { 1.0 };
    ((ready as f64 * config.alpha * part) as u64).min(ready)
}

/// How strongly a home with `ready` weight (thousandths) attracts the ask of a node of `power`:
/// `ready * power / (1 + d/d0)^2`, rounded; only its comparison with other homes means something.
#[must_use]
pub fn attraction(ready: u64, power: f64, round_trip: Span, config: &PullConfig) -> u64 {
    (ready as f64 * power / falloff(round_trip, config.quarter)).round() as u64
}

/// How long before it runs dry a node asks a home that is `round_trip` away.
#[must_use]
pub fn asks_ahead(round_trip: Span, config: &PullConfig) -> Span {
    Span((round_trip.0 as f64 * config.ahead).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn shares_follow_power_and_shrink_with_what_is_left() {
        let config = PullConfig::default();
        let shares = [(8_000, 1.0), (8_000, 3.0), (4_000, 3.0), (0, 3.0)];
        let shares = shares.map(|(ready, power)| share(ready, power, 4.0, &config));
        assert_eq!(shares, [1_000, 3_000, 1_500, 0]);
        assert_eq!(share(8_000, 2.0, 0.0, &config), 4_000);
        assert_eq!(share(8_000, 0.0, 4.0, &config), 0);
    }

    #[test]
    fn a_near_home_attracts_more_than_a_far_one_with_somewhat_more() {
        let config = PullConfig::default();
        assert_eq!(attraction(8_000, 2.0, Span::ZERO, &config), 16_000);
        assert_eq!(attraction(20_000, 2.0, Span::millis(1), &config), 10_000);
    }

    #[test]
    fn a_node_asks_one_and_a_half_round_trips_ahead() {
        let ahead = asks_ahead(Span::millis(2), &PullConfig::default());
        assert_eq!(ahead, Span::millis(3));
        assert_eq!(asks_ahead(Span::ZERO, &PullConfig::default()), Span::ZERO);
    }

    proptest! {
        #[test]
        fn a_share_never_exceeds_what_is_ready(
            ready in any::<u64>(),
            power in any::<f64>(),
            power_of_all in any::<f64>(),
            alpha in 0.0..=1.0,
        ) {
            let config = PullConfig { alpha, ..PullConfig::default() };
            prop_assert!(share(ready, power, power_of_all, &config) <= ready);
        }
    }
}
