//! What a rule wanted lately: the most within a window, so that nodes are only taken away which
//! were not wanted for so long. The caller keeps it between two looks.

use std::collections::VecDeque;

use bary_model::time::{Moment, Span};

/// The most looks that are remembered; of more, the oldest are forgotten.
const LOOKS_MAX: usize = 4_096;

/// The greatest numbers that were wanted, each later than the next greater one.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    greatest: VecDeque<(Moment, u64)>,
}

impl Recent {
    /// Adds what is wanted now, and gives the most that was wanted within `window` of now, which
    /// is never less. Moments do not go back.
    pub fn most(&mut self, now: Moment, wanted: u64, window: Span) -> u64 {
        while self.greatest.back().is_some_and(|(_, before)| *before <= wanted) {
            self.greatest.pop_back();
        }
        self.greatest.push_back((now, wanted));
        let old = |at: Moment| now.since(at) > window;
        while self.greatest.len() > LOOKS_MAX
            || self.greatest.front().is_some_and(|(at, _)| old(*at))
        {
            self.greatest.pop_front();
        }
        self.greatest.front().map_or(wanted, |(_, most)| *most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_most_of_all_within_the_window(
            looks in vec((0..30_u64, 0..50_u64), 1..200), window in 0..100_u64,
        ) {
            let (mut recent, mut seen, mut now) = (Recent::default(), Vec::new(), 0);
            for (gap, wanted) in looks {
                now += gap;
                seen.push((now, wanted));
                let within = seen.iter().filter(|(at, _)| now - at <= window);
                let most = within.map(|(_, wanted)| *wanted).max();
                let found = recent.most(Moment(0) + Span::secs(now), wanted, Span::secs(window));
                prop_assert_eq!(Some(found), most);
            }
        }
    }
}
