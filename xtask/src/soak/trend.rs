//! A straight line through what was sampled: the slope by least squares, and its standard error.

/// How something grew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trend {
    /// Per unit of time.
    pub(crate) slope: f64,
    /// Standard error of the slope.
    pub(crate) error: f64,
}

impl Trend {
    /// The trend of points (time, value); none of fewer than three, or of a single time.
    pub(crate) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        if points.len() < 3 {
            return None;
        }
        let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
        let (middle, level) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|(at, _)| (at - middle).powi(2)).sum();
        if spread == 0.0 {
            return None;
        }
        let joint: f64 = points.iter().map(|(at, value)| (at - middle) * (value - level)).sum();
        let slope = joint / spread;
        let rest = |(at, value): &(f64, f64)| (value - level - slope * (at - middle)).powi(2);
        let rest: f64 = points.iter().map(rest).sum();
        Some(Self { slope, error: (rest / (count - 2.0) / spread).sqrt() })
    }

    /// Whether the slope is below this for sure, as far as two standard errors tell; none where
    /// that cannot be told.
    pub(crate) fn below(&self, bound: f64) -> Option<bool> {
        if self.slope + 2.0 * self.error < bound {
            return Some(true);
        }
        (self.slope - 2.0 * self.error > bound).then_some(false)
    }
}

/// Means of points over stretches of time of this length: neighbouring samples are alike, and would
/// make the error of a slope look smaller than it is.
pub(crate) fn means(points: &[(f64, f64)], stretch: f64) -> Vec<(f64, f64)> {
    let number = |at: f64| (at / stretch).floor();
    let groups = points.chunk_by(|a, b| number(a.0) == number(b.0));
    let mean = |group: &[(f64, f64)]| {
        let count = group.len() as f64;
        let sum = group.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / count, sum.1 / count)
    };
    groups.map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::{Trend, means};

    #[test]
    fn a_line_has_its_slope_and_noise_an_error() {
        let line: Vec<_> = (0..10).map(|n| (f64::from(n), 3.0 + 2.0 * f64::from(n))).collect();
        let trend = Trend::of(&line).expect("there are ten");
        assert!((trend.slope - 2.0).abs() < 1e-9 && trend.error < 1e-9, "{trend:?}");
        assert_eq!((trend.below(2.1), trend.below(1.9)), (Some(true), Some(false)));
        // Worked out by hand: slope 0.5, sum of squares 1.5, spread 5.
        let noisy = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 2.0)];
        let trend = Trend::of(&noisy).expect("there are four");
        assert!((trend.slope - 0.5).abs() < 1e-9, "{trend:?}");
        assert!((trend.error - (1.5_f64 / 2.0 / 5.0).sqrt()).abs() < 1e-9, "{trend:?}");
        assert_eq!(trend.below(0.6), None);
        assert_eq!(Trend::of(&noisy[..2]), None);
    }

    #[test]
    fn stretches_are_averaged() {
        let points = [(0.0, 1.0), (0.5, 3.0), (1.0, 5.0), (3.5, 7.0)];
        assert_eq!(means(&points, 1.0), [(0.25, 2.0), (1.0, 5.0), (3.5, 7.0)]);
    }
}
