//! Numbers drawn by law from whole numbers and the four basic operations, so that a seed gives
//! the same weights on every machine.

use crate::lot::Lot;

/// Evenly from 0 up to 1, which is not reached.
pub(crate) fn share(lot: &mut Lot) -> f64 {
    lot.below(1 << 53) as f64 / (1_u64 << 53) as f64
}

/// Evenly from `least` to `most`.
pub(crate) fn even(lot: &mut Lot, least: f64, most: f64) -> f64 {
    least + (most - least) * share(lot)
}

/// About normal with mean 0 and deviation 1: twelve even numbers added up (Irwin and Hall 1927),
/// never past 6.
pub(crate) fn normal(lot: &mut Lot) -> f64 {
    (0..12).map(|_| share(lot)).sum::<f64>() - 6.0
}

/// `e` to the power of `x`, for `x` from -50 to 50, to ten digits: the series where it
/// converges fast, and then squared. The library's may differ between machines.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-50.0, 50.0) / 64.0;
    let mut sum = 1.0;
    for term in (1..=14_u32).rev() {
        sum = 1.0 + x / f64::from(term) * sum;
    }
    (0..6).fold(sum, |power, _| power * power)
}

/// Log-normal with median 1.
pub(crate) fn lognormal(lot: &mut Lot, sigma: f64) -> f64 {
    exp(sigma * normal(lot))
}

/// Pareto from 1 on: the exponent of an exponential number (so that no power is taken).
pub(crate) fn pareto(lot: &mut Lot, shape: f64) -> f64 {
    exp(lot.exponential() / shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_is_the_power() {
        for x in [-50.0, -1.5, -1e-9, 0.0, 0.3, 1.0, 7.25, 49.0] {
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-10, "{x}: {}", exp(x));
        }
    }

    #[test]
    fn laws_have_their_means() {
        let mut lot = Lot::new(3, "laws");
        let mean = |mut draw: Box<dyn FnMut() -> f64 + '_>| {
            (0..200_000).map(|_| draw()).sum::<f64>() / 2e5
        };
        assert!(mean(Box::new(|| normal(&mut lot))).abs() < 0.01);
        assert!(
            (mean(Box::new(|| lognormal(&mut lot, 0.5))) / (0.125_f64).exp() - 1.0).abs() < 0.02
        );
        assert!((mean(Box::new(|| pareto(&mut lot, 3.0))) - 1.5).abs() < 0.02);
        assert!((mean(Box::new(|| even(&mut lot, 1.0, 10.0))) - 5.5).abs() < 0.05);
    }
}
