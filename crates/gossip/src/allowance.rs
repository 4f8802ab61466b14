//! How many bytes may still go into answers: a bucket that fills at a rate and holds one second.

use bary_model::time::Moment;

/// A token bucket.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    rate: u64,
    left: u64,
    filled: Moment,
}

impl Allowance {
    /// A full bucket that gains `rate` bytes a second.
    pub(crate) fn new(rate: u64) -> Self {
        Self { rate, left: rate, filled: Moment::default() }
    }

    /// Lets in what has come since the last time.
    pub(crate) fn fill(&mut self, now: Moment) {
        let gained = u128::from(now.since(self.filled).0) * u128::from(self.rate) / 1_000_000_000;
        // Too little time for one byte is kept for the next call.
        if gained > 0 {
            let gained = u64::try_from(gained).unwrap_or(u64::MAX);
            self.left = self.left.saturating_add(gained).min(self.rate);
            self.filled = now;
        }
    }

    /// Takes `bytes` if they are there, and says whether.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Allowance;
    use bary_model::time::{Moment, Span};

    #[test]
    fn it_gives_its_rate_and_no_more() {
        let mut allowance = Allowance::new(1_000);
        assert!(allowance.take(1_000) && !allowance.take(1));
        allowance.fill(Moment::default() + Span::millis(100));
        assert!(allowance.take(100) && !allowance.take(1));
        allowance.fill(Moment::default() + Span::secs(100));
        assert!(allowance.take(1_000) && !allowance.take(1));
    }
}
