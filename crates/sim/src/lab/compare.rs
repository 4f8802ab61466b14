//! Runs over several seeds as one row a policy: medians and how far apart the runs were.

use crate::lab::measures::{MEASURES, Measures};

/// The runs of one policy.
#[derive(Clone, Debug)]
pub struct Row {
    /// The policy, as it was named.
    pub policy: String,
    /// Its runs, by seed.
    pub runs: Vec<(u64, Measures)>,
}

/// The middle of several runs, and the ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Middle {
    /// The value in the middle; the mean of two where their number is even.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Middle {
    /// The middle of these.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
            return Self::default();
        };
        let half = values.len() / 2;
        let odd = values.len() % 2 == 1;
        let median = if odd { values[half] } else { (values[half - 1] + values[half]) / 2.0 };
        Self { median, min, max }
    }
}

impl Row {
    /// The middle of a measure, by its position in the table of measures.
    #[must_use]
    pub fn middle(&self, measure: usize) -> Middle {
        Middle::of(self.runs.iter().map(|(_, run)| (MEASURES[measure].of)(run)))
    }
}

/// The position of a measure in the table of measures, by its name.
#[must_use]
pub fn position(name: &str) -> Option<usize> {
    MEASURES.iter().position(|measure| measure.name == name)
}

/// The positions of the rows by a measure, the best first; of equals the one that came first.
#[must_use]
pub fn ranked(rows: &[Row], measure: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (rows[*a].middle(measure).median, rows[*b].middle(measure).median);
        match MEASURES[measure].better {
            crate::lab::measures::Better::High => b.total_cmp(&a),
            crate::lab::measures::Better::Low => a.total_cmp(&b),
        }
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_is_between_the_two() {
        assert_eq!(Middle::of([3.0, 1.0, 2.0]), Middle { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Middle::of([4.0, 1.0]), Middle { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Middle::of([]), Middle::default());
    }
}
