//! Work in fixed point, so that sums and comparisons are the same on every CPU.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much work a task is, in thousandths of a unit of its user's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Weight(u64);

/// Why a number cannot be a weight. Nothing was changed; the caller gives another number.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("weight {given} is not a number from {} to {}", Weight::MIN, Weight::MAX)]
pub struct WeightError {
    /// The number that was given.
    pub given: f64,
}

impl Weight {
    /// One unit: what a task weighs when nobody says.
    pub const ONE: Self = Self(1_000);
    /// The lightest task, a thousandth.
    pub const MIN: Self = Self(1);
    /// The heaviest task, a million; a billion of these still add up in 64 bits.
    pub const MAX: Self = Self(1_000_000_000);

    /// A weight of `units`, rounded to thousandths.
    ///
    /// # Errors
    /// Where `units` is NaN, zero, negative or past a million.
    pub fn new(units: f64) -> Result<Self, WeightError> {
        let thousandths = (units * 1e3).round();
        if !(thousandths >= Self::MIN.0 as f64 && thousandths <= Self::MAX.0 as f64) {
            return Err(WeightError { given: units });
        }
        Ok(Self(thousandths as u64))
    }

    /// The weight in thousandths.
    #[must_use]
    pub fn thousandths(self) -> u64 {
        self.0
    }

    /// The weight in units.
    #[must_use]
    pub fn units(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// The weight of `count` such tasks, in thousandths.
    #[must_use]
    pub fn times(self, count: u64) -> u64 {
        self.0.saturating_mul(count)
    }
}

impl TryFrom<u64> for Weight {
    type Error = WeightError;

    /// A weight of so many thousandths.
    fn try_from(thousandths: u64) -> Result<Self, WeightError> {
        let weight = Self(thousandths);
        let good = (Self::MIN..=Self::MAX).contains(&weight);
        if good { Ok(weight) } else { Err(WeightError { given: weight.units() }) }
    }
}

impl From<Weight> for u64 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.units())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_a_positive_number() {
        for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY, 1e7, 1e-9] {
            assert!(Weight::new(bad).is_err(), "{bad} must be refused");
        }
        assert!(Weight::try_from(0).is_err());
        assert!(Weight::try_from(Weight::MAX.thousandths() + 1).is_err());
        assert_eq!(Weight::new(5.25).map(Weight::thousandths), Ok(5_250));
    }
}
