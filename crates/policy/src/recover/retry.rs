//! How long a failed task waits: `base * factor^(attempt - 1)`, at most `max`, of which the share
//! `jitter` is drawn at random, so that tasks that failed together do not return together.

use bary_model::action::Backoff;
use bary_model::time::Span;

use crate::dice::Dice;

/// How long to wait after `attempt`, counted from 1, has failed; between the whole wait less its
/// random share and the whole wait. It takes one draw, whatever the backoff.
#[must_use]
pub fn delay(backoff: &Backoff, attempt: u16, dice: &mut Dice) -> Span {
    let lot = dice.unit();
    let longest = backoff.max.0 as f64;
    let grown = backoff.base.0 as f64 * power(backoff.factor.max(1.0), attempt.saturating_sub(1));
    let whole = grown.min(longest);
    let jitter = if backoff.jitter > 0.0 { backoff.jitter.min(1.0) } else { 0.0 };
    let nanos = whole * (1.0 - jitter * (1.0 - lot));
    Span(nanos.round() as u64).min(backoff.max)
}

/// `base^exponent` by squaring: the library's own differs between machines in the last bit.
fn power(mut base: f64, mut exponent: u16) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn waits_grow_by_the_factor_up_to_the_longest() {
        let steady = Backoff { jitter: 0.0, ..Backoff::default() };
        let waits = [1, 2, 3, 11, u16::MAX].map(|n| delay(&steady, n, &mut Dice::new(1, "retry")));
        assert_eq!(waits, [100, 200, 400, 60_000, 60_000].map(Span::millis));
    }

    #[test]
    fn tasks_that_failed_together_return_apart() {
        let mut dice = Dice::new(1, "retry");
        let waits = [(); 2].map(|()| delay(&Backoff::default(), 1, &mut dice));
        assert_ne!(waits[0], waits[1]);
    }

    #[test]
    fn numbers_that_mean_nothing_neither_panic_nor_wait_for_ever() {
        let odd = Backoff { factor: f64::NAN, jitter: f64::NAN, ..Backoff::default() };
        assert_eq!(delay(&odd, 5, &mut Dice::new(1, "retry")), odd.base);
        let none = Backoff { base: Span::ZERO, factor: f64::INFINITY, ..Backoff::default() };
        assert!(delay(&none, 5, &mut Dice::new(1, "retry")) <= none.max);
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds(
            base_ms in 0..1_000_u64,
            more_ms in 0..100_000_u64,
            factor in 1.0..10.0,
            jitter in 0.0..=1.0,
            attempt in 1..u16::MAX,
            seed in any::<u64>(),
        ) {
            let max = Span::millis(base_ms + more_ms);
            let backoff = Backoff { base: Span::millis(base_ms), max, factor, jitter };
            let waited = delay(&backoff, attempt, &mut Dice::new(seed, "retry"));
            let least = (backoff.base.0 as f64 * (1.0 - jitter)).floor() as u64;
            prop_assert!(waited.0 >= least && waited <= backoff.max, "{waited:?}");
        }
    }
}
