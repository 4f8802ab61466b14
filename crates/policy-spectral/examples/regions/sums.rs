//! Means, and draws of the laws that loads and noise follow.

use bary_policy::dice::Dice;

/// The geometric mean; 1 of nothing.
pub(crate) fn geomean(values: &[f64]) -> f64 {
    (mean(&values.iter().map(|value| value.ln()).collect::<Vec<_>>())).exp()
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A number of mean 1 that is as often small as memory fades.
pub(crate) fn exponential(dice: &mut Dice) -> f64 {
    -(1.0 - dice.unit()).ln()
}

/// A number of mean 0 and deviation 1: twelve dice less six.
pub(crate) fn normal(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0
}
