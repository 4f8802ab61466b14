//! Tasks that a cluster makes for itself while it has room: one more as long as the average load is
//! below a target, of weight `min(available * 0.1, 10)`, where `available` is the capacity that is
//! not loaded (the published adaptive task generator, whose target is 80). Blind spots: an average
//! hides that one node may be full; and with little room left the weights grow so small that their
//! overhead is all there is, which is why the smallest is bounded.

use bary_model::weight::Weight;

/// When tasks are made, and how heavy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// Below which average load tasks are made, in percent of the capacity; above 0 and up to 100.
    /// Defaults to 80.
    pub target_load: f64,
    /// Which share of what is available a task takes. Defaults to 0.1.
    pub share: f64,
    /// The heaviest task. Defaults to 10.
    pub weight_max: f64,
    /// The lightest task that is worth while; none is made where less would fit. Defaults to 0.1.
    pub weight_min: f64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { target_load: 80.0, share: 0.1, weight_max: 10.0, weight_min: 0.1 }
    }
}

/// What is wrong with an [`Adaptive`]. Nothing was changed; the caller corrects the field.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AdaptiveFault {
    /// The target is none.
    #[error("a target load of {0} is not above 0 and up to 100 percent")]
    Target(f64),
    /// The share is none.
    #[error("a share of {0} is not above 0 and up to 1")]
    Share(f64),
    /// No weight lies between the lightest and the heaviest, or they are none.
    #[error("weights from {least} to {most} are none")]
    Weights {
        /// The lightest.
        least: f64,
        /// The heaviest.
        most: f64,
    },
}

impl Adaptive {
    /// Every fault at once; none where it is good.
    #[must_use]
    pub fn check(&self) -> Vec<AdaptiveFault> {
        let mut faults = Vec::new();
        if !(self.target_load > 0.0 && self.target_load <= 100.0) {
            faults.push(AdaptiveFault::Target(self.target_load));
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            faults.push(AdaptiveFault::Share(self.share));
        }
        let (least, most) = (self.weight_min, self.weight_max);
        if !(least <= most && Weight::new(least).is_ok() && Weight::new(most).is_ok()) {
            faults.push(AdaptiveFault::Weights { least, most });
        }
        faults
    }

    /// The weight of the next task, if there is to be one: `load` is what was given out and has
    /// not ended, `capacity` how much the nodes take, both in thousandths of weight.
    #[must_use]
    pub fn next(&self, load: u64, capacity: u64) -> Option<Weight> {
        let full = capacity as f64 * self.target_load / 100.0;
        if load as f64 >= full {
            return None;
        }
        let available = capacity.saturating_sub(load) as f64 / 1e3;
        let weight = (available * self.share).min(self.weight_max);
        Weight::new(weight).ok().filter(|_| weight >= self.weight_min)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn next(load: u64, capacity: u64) -> Option<f64> {
        Adaptive::default().next(load, capacity).map(Weight::units)
    }

    #[test]
    fn weights_are_a_tenth_of_what_is_free_and_ten_at_most() {
        assert_eq!(next(0, 1_000_000), Some(10.0));
        assert_eq!(next(40_000, 100_000), Some(6.0));
        assert_eq!(next(79_999, 100_000), Some(2.0));
        assert_eq!(next(80_000, 100_000), None);
        assert_eq!(next(0, 0), None);
        assert_eq!(next(0, 500), None);
    }

    #[test]
    fn what_cannot_be_is_told() {
        let wrong = Adaptive { target_load: 0.0, share: 2.0, weight_max: 0.01, weight_min: 1.0 };
        assert_eq!(wrong.check().len(), 3);
        assert_eq!(Adaptive::default().check(), []);
    }

    proptest! {
        #[test]
        fn it_stops_close_above_the_target(capacity in 1_000..10_000_000_u64) {
            let rule = Adaptive::default();
            let mut load = 0;
            while let Some(weight) = rule.next(load, capacity) {
                load += weight.thousandths();
            }
            let least = if capacity < 5_000 { 0 } else { capacity * 8 / 10 };
            prop_assert!((least..=capacity).contains(&load), "{load} of {capacity}");
        }
    }
}
