//! How distance weakens what draws across it: every rule that looks at distance divides by
//! `(1 + d/d0)^2`, where `d0` is the distance at which only a quarter is left.

use bary_model::time::Span;

/// `(1 + distance/quarter)^2`, at least 1; a `quarter` of zero counts as a nanosecond.
#[must_use]
pub fn falloff(distance: Span, quarter: Span) -> f64 {
    // Written out rather than as a power, whose last bit may differ between machines.
    let side = 1.0 + distance.0 as f64 / quarter.0.max(1) as f64;
    side * side
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_quarter_distance_a_quarter_is_left() {
        let quarter = Span::millis(10);
        let factors = [Span::ZERO, quarter, quarter.times(9)].map(|d| falloff(d, quarter));
        assert_eq!(factors, [1.0, 4.0, 100.0]);
        assert!(falloff(quarter, Span::ZERO).is_finite());
    }
}
