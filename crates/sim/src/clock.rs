//! A node's own clock: it drifts and jumps ahead, and never goes back.

use bary_model::time::{Moment, Span};

/// What a clock shows for each moment of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The moment of the world since which the rest holds.
    since: Moment,
    /// What it showed then.
    shown: Moment,
    /// By how many millionths it runs fast; above minus a million.
    drift: i32,
}

impl Clock {
    pub(crate) fn new(drift: i32) -> Self {
        Self { since: Moment(0), shown: Moment(0), drift }
    }

    /// What it shows at this moment of the world.
    pub(crate) fn shows(&self, at: Moment) -> Moment {
        let past = at.since(self.since).0;
        self.shown + Span(scaled(past, self.rate(), 1_000_000))
    }

    /// The first moment of the world, from `now` on, at which it shows at least `wanted`.
    pub(crate) fn when(&self, now: Moment, wanted: Moment) -> Moment {
        let ahead = wanted.since(self.shown).0;
        let at = self.since + Span(scaled(ahead, 1_000_000, self.rate()));
        if self.shows(at) < wanted { at.max(now) + Span(1) } else { at.max(now) }
    }

    /// Lets it jump ahead.
    pub(crate) fn jump(&mut self, now: Moment, by: Span) {
        self.shown = self.shows(now) + by;
        self.since = now;
    }

    fn rate(&self) -> u64 {
        (1_000_000 + i64::from(self.drift)) as u64
    }
}

fn scaled(span: u64, by: u64, of: u64) -> u64 {
    if by == of { span } else { (u128::from(span) * u128::from(by) / u128::from(of)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use bary_model::time::{Moment, Span};
    use proptest::prelude::{prop_assert, proptest};

    proptest! {
        #[test]
        fn a_clock_says_when_it_will_show_something(
            drift in -200_000..200_000_i32, jump in 0..1_u64 << 40, wanted in 0..1_u64 << 45,
        ) {
            let mut clock = Clock::new(drift);
            let now = Moment(1_000_000_000);
            clock.jump(now, Span(jump));
            let at = clock.when(now, Moment(wanted));
            prop_assert!(at >= now && clock.shows(at) >= Moment(wanted));
            prop_assert!(at == now || clock.shows(Moment(at.0 - 3)) < Moment(wanted));
        }
    }
}
