//! Copies of stragglers, after LATE (Zaharia et al., OSDI 2008) and Mantri (Ananthanarayanan et
//! al., OSDI 2010): of the slowest tasks that run, a node that has nothing to do gets a copy of
//! the one that is thought to take longest still, where a fresh run would take less. Nobody hears
//! how far a task is; one that is overdue is thought to take as long again as it is late. Its
//! blind spot: a task that takes long by its nature looks like a straggler where nothing says how
//! long it is.

use bary_model::time::Span;

use crate::parameter::given::Given;
use crate::parameter::waiting::{AGE_MIN, COPIES_MAX, SLOW_SHARE, SPECULATE};

/// When stragglers are copied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Late {
    /// Which share of running tasks counts as slow, above 0 and up to 1. Defaults to a quarter.
    pub slow_share: f64,
    /// How many copies there may be at a time; at least 1. Defaults to 10.
    pub copies_max: u64,
    /// How long a task has run at least before it is copied. Defaults to a second.
    pub age_min: Span,
}

/// A task that runs, as the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How long it has run.
    pub elapsed: Span,
    /// How long it should take where it runs.
    pub expected: Span,
    /// How long it should take on the node that has nothing to do; none where it may not go there.
    pub fresh: Option<Span>,
}

impl Run {
    /// How much longer it is thought to take.
    #[must_use]
    pub fn remaining(&self) -> Span {
        let (elapsed, expected) = (self.elapsed.0, self.expected.0);
        Span(elapsed.abs_diff(expected))
    }

    /// How slow it is: how long it has run over how long it should take, in thousandths.
    #[must_use]
    pub fn slowness(&self) -> u64 {
        let ratio = u128::from(self.elapsed.0) * 1_000 / u128::from(self.expected.0.max(1));
        u64::try_from(ratio).unwrap_or(u64::MAX)
    }
}

impl Late {
    /// As the parameters say; none where stragglers are not copied.
    #[must_use]
    pub fn with(given: &Given) -> Option<Self> {
        (given.word(&SPECULATE) == "late").then(|| Self {
            slow_share: given.number(&SLOW_SHARE),
            copies_max: given.whole(&COPIES_MAX),
            age_min: given.time(&AGE_MIN),
        })
    }

    /// Which of the tasks that run is to be copied, while there are so many copies, if any is.
    #[must_use]
    pub fn pick(&self, runs: &[Run], copies: u64) -> Option<usize> {
        if copies >= self.copies_max || runs.is_empty() {
            return None;
        }
        let mut slowness: Vec<u64> = runs.iter().map(Run::slowness).collect();
        slowness.sort_unstable_by(|a, b| b.cmp(a));
        let slow = (runs.len() as f64 * self.slow_share).ceil() as usize;
        let least = slowness[slow.clamp(1, runs.len()) - 1];
        let late = runs.iter().enumerate().filter(|(_, run)| {
            let old = run.elapsed >= self.age_min && run.elapsed > run.expected;
            let sooner = run.fresh.is_some_and(|fresh| run.remaining() > fresh);
            old && sooner && run.slowness() >= least
        });
        late.max_by_key(|(at, run)| (run.remaining(), std::cmp::Reverse(*at))).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Late = Late { slow_share: 0.25, copies_max: 2, age_min: Span::secs(1) };

    fn run(elapsed: u64, expected: u64) -> Run {
        let (elapsed, expected) = (Span::millis(elapsed), Span::millis(expected));
        Run { elapsed, expected, fresh: Some(expected) }
    }

    #[test]
    fn the_one_that_takes_longest_still_is_copied() {
        let runs = [run(900, 1_000), run(2_500, 1_000), run(4_000, 1_000), run(5_000, 4_900)];
        assert_eq!(LATE.pick(&runs, 0), Some(2));
        assert_eq!(LATE.pick(&runs, 2), None, "there are copies enough");
        assert_eq!(LATE.pick(&[], 0), None);
    }

    #[test]
    fn what_a_fresh_run_would_not_end_sooner_is_left_alone() {
        assert_eq!(LATE.pick(&[run(2_000, 1_000)], 0), None);
        assert_eq!(LATE.pick(&[run(2_001, 1_000)], 0), Some(0));
        assert_eq!(LATE.pick(&[Run { fresh: None, ..run(9_000, 1_000) }], 0), None);
    }

    #[test]
    fn the_young_are_left_alone_and_so_are_those_that_are_no_slower_than_others() {
        assert_eq!(LATE.pick(&[run(999, 100)], 0), None);
        let mut runs = vec![run(3_000, 1_000); 8];
        runs.push(Run { fresh: None, ..run(9_000, 1_000) });
        runs.push(Run { fresh: None, ..run(9_000, 1_000) });
        runs.push(Run { fresh: None, ..run(9_000, 1_000) });
        assert_eq!(LATE.pick(&runs, 0), None, "the slowest quarter cannot be copied");
    }
}
