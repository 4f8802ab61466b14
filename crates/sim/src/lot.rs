//! Dice with the ways of drawing that a world needs; whole numbers and the four basic
//! operations only, so that a seed gives the same draws on every machine.

use bary_policy::dice::Dice;

/// Dice for one purpose.
#[derive(Clone, Debug)]
pub(crate) struct Lot(Dice);

impl Lot {
    /// The stream that `seed` gives for `purpose`.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(Dice::new(seed, purpose))
    }

    /// The dice themselves.
    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.0
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Whether something of this chance in a hundred happens.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// Whether something of this chance in a million happens; what never happens is not drawn.
    pub(crate) fn million(&mut self, chance: u32) -> bool {
        chance > 0 && self.below(1_000_000) < u64::from(chance)
    }

    /// One of these, of which there is at least one.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// An exponentially distributed number with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        minus_ln(self.0.next_u64() >> 11 | 1)
    }
}

/// The logarithm of `2^53 / bits`, for `bits` from 1 below 2^53, to nine digits.
///
/// With `bits = m * 2^e` and `m` in [1/2, 1), `ln m` is `2 artanh((m - 1) / (m + 1))`, of which
/// eight terms of the series are taken. The library's logarithm may differ between machines.
fn minus_ln(bits: u64) -> f64 {
    let zeros = bits.leading_zeros();
    let mantissa = (bits << zeros) as f64 / (1_u128 << 64) as f64;
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut sum = 0.0;
    for term in (0..8_u32).rev() {
        sum = sum * square + 1.0 / f64::from(2 * term + 1);
    }
    f64::from(zeros - 11) * std::f64::consts::LN_2 - 2.0 * z * sum
}

#[cfg(test)]
mod tests {
    use super::{Lot, minus_ln};

    #[test]
    fn the_logarithm_is_the_logarithm() {
        for bits in [1, 2, 3, 12_345, 1 << 30, (1 << 52) + 1, (1 << 53) - 1] {
            let exact = ((1_u64 << 53) as f64 / bits as f64).ln();
            assert!((minus_ln(bits) - exact).abs() < 1e-8, "{bits}: {}", minus_ln(bits));
        }
    }

    #[test]
    fn exponential_draws_have_mean_and_deviation_one() {
        let mut lot = Lot::new(5, "exponential");
        let draws: Vec<f64> = (0..100_000).map(|_| lot.exponential()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 1e5;
        assert!((0.99..1.01).contains(&mean) && (0.97..1.03).contains(&variance));
    }
}
