//! How long a thief waits after it found nothing: `0.2 ms * 2^fails`, at most 20 ms, so that idle
//! nodes are quick to find new work and do not flood those that have none.

use bary_model::time::Span;

/// The wait before the first attempt after a success.
pub const FIRST: Span = Span::micros(200);
/// The longest wait.
pub const LONGEST: Span = Span::millis(20);

/// How long to wait after `fails` attempts in a row have found nothing.
#[must_use]
pub fn wait(fails: u32) -> Span {
    // After seven doublings the longest wait is passed; more would only overflow.
    FIRST.times(1 << fails.min(7)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [0, 1, 6, 7, u32::MAX].map(wait);
        assert_eq!(waits, [200, 400, 12_800, 20_000, 20_000].map(Span::micros));
    }
}
