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

/// How far a home is, in steps: each is three times as far as the one before, and all within the
/// quarter distance are as near as can be. Homes of one step are taken for equally near.
#[must_use]
pub fn nearness(round_trip: Span, config: &PullConfig) -> u32 {
    let times = round_trip.0 / config.quarter.0.max(1);
    if times <= 1 { 0 } else { times.ilog(3) + 1 }
}

/// A home of at most this [`nearness`] is near: nodes may wait there as well as anywhere.
pub const NEAR: u32 = 2;

/// How far away nodes may be, in round trips, for which `ready` weight (thousandths) at a home is
/// worth the way: those that are served by it, of `power` (thousandths of weight a second), would
/// need longer for it. What is near always is.
#[must_use]
pub fn reach(ready: u64, power: f64, config: &PullConfig) -> Span {
    let near = Span(config.quarter.0.saturating_mul(3_u64.pow(NEAR)).saturating_sub(1));
    // What lasts longer than any way is cut off before it could overflow.
    near.max(Span::from_secs_f64((ready as f64 / power.max(1e-9)).min(1e6)))
}

/// Whether `ready` weight at a home is worth the way of a node there; see [`reach`].
#[must_use]
pub fn is_worth_the_way(ready: u64, power: f64, round_trip: Span, config: &PullConfig) -> bool {
    round_trip <= reach(ready, power, config)
}

/// How much of `ready` weight (thousandths) a node of `power` (thousandths of weight a second) that
/// is far away gets at least: what keeps it busy until an answer to its next ask could be there,
/// as far as others, of the power `here`, would not have done it by then.
#[must_use]
pub fn ahead_of_the_way(
    ready: u64,
    power: f64,
    here: f64,
    round_trip: Span,
    config: &PullConfig,
) -> u64 {
    if nearness(round_trip, config) <= NEAR {
        return 0;
    }
    let way = asks_ahead(round_trip, config).as_secs_f64();
    let beyond = (ready as f64 - here * way).max(0.0) * config.alpha;
    (power * way).min(beyond) as u64
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
    fn homes_are_near_in_steps() {
        let config = PullConfig::default();
        let steps = [0, 1_000, 1_999, 2_000, 2_999, 3_000, 9_000, 100_000].map(Span::micros);
        let steps = steps.map(|round_trip| nearness(round_trip, &config));
        assert_eq!(steps, [0, 0, 0, 1, 1, 2, 3, 5]);
    }

    #[test]
    fn little_work_is_not_worth_a_long_way() {
        let config = PullConfig::default();
        let worth = |ready, ms| is_worth_the_way(ready, 1_000.0, Span::millis(ms), &config);
        assert!(worth(1, 1) && worth(101, 100));
        assert!(!worth(99, 100));
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
