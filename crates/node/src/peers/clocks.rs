//! How far a member is, and what its clock shows when this one's shows something: by pings that are
//! said back. Moments in messages are of the sender's clock, and are read by this one's.

use std::sync::Arc;

use bary_model::message::{Frame, Message, Outcomes, Say};
use bary_model::time::{Moment, Span};

/// Another member's clock, as the fastest round trip of late has shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// How long a message there and back takes.
    pub(super) round_trip: Span,
    /// What is added to a moment of theirs to make it one of ours, in nanoseconds.
    ahead: i128,
    /// How many answers were slower since.
    slower: u32,
    /// How many of them, up to the last one, were far slower.
    far: u32,
}

/// After how many slower answers the fastest one counts no more: about ten seconds of beats.
const SLOWER_MAX: u32 = 32;
/// The same of far slower ones, one after another: then the way is another one, which all shall
/// know within a second.
const FAR_MAX: u32 = 3;
/// A far slower answer takes so many times as long, and at least so much longer. What a machine
/// does in between seldom takes that long three times in a row.
const FAR_TIMES: u64 = 4;
const FAR_LEAST: Span = Span::millis(10);

impl Clock {
    /// One that shows so many nanoseconds less than the own one.
    pub(crate) fn behind(nanos: i128) -> Self {
        Self { round_trip: Span::ZERO, ahead: nanos, slower: 0, far: 0 }
    }

    /// What is known after one more answer: `sent` and `now` by the own clock, `theirs` in between.
    pub(super) fn after(before: Option<Self>, sent: Moment, theirs: Moment, now: Moment) -> Self {
        let round_trip = now.since(sent);
        let kept = before.and_then(|known| known.slowed(round_trip));
        kept.unwrap_or_else(|| {
            let middle = i128::from(sent.0) + i128::from(round_trip.0 / 2);
            Self { round_trip, ahead: middle - i128::from(theirs.0), slower: 0, far: 0 }
        })
    }

    /// What is known after an answer that does not count; none where it does.
    fn slowed(self, round_trip: Span) -> Option<Self> {
        let far = if self.is_far(round_trip) { self.far + 1 } else { 0 };
        let counts = round_trip < self.round_trip || self.slower >= SLOWER_MAX || far >= FAR_MAX;
        (!counts).then_some(Self { slower: self.slower + 1, far, ..self })
    }

    /// Whether an answer that took so long was far slower.
    pub(super) fn is_far(self, round_trip: Span) -> bool {
        round_trip >= self.round_trip.times(FAR_TIMES) && round_trip >= self.round_trip + FAR_LEAST
    }

    /// Whether the last answer was far slower and the one before was not.
    pub(super) fn is_doubted(self) -> bool {
        self.far == 1
    }

    /// A moment of theirs by the own clock; its zero for one before that.
    fn own(&self, theirs: Moment) -> Moment {
        let own = i128::from(theirs.0) + self.ahead;
        Moment(u64::try_from(own.max(0)).unwrap_or(u64::MAX))
    }

    /// A frame of theirs, its moments by the own clock.
    pub(crate) fn read(&self, frame: Frame) -> Frame {
        let Some((number, message)) = frame.body else { return frame };
        let message = match &message.say {
            Say::Outcomes(outcomes) => {
                let say = Say::Outcomes(self.outcomes(outcomes));
                Arc::new(Message { say, ..*message })
            }
            Say::Repeat(batches) => {
                let batches = batches.iter().map(|outcomes| self.outcomes(outcomes));
                Arc::new(Message { say: Say::Repeat(batches.collect()), ..*message })
            }
            _ => message,
        };
        Frame { body: Some((number, message)), ..frame }
    }

    fn outcomes(&self, outcomes: &Outcomes) -> Outcomes {
        let items = outcomes.items.iter().cloned().map(|mut item| {
            item.usage.began = self.own(item.usage.began);
            item
        });
        Outcomes { items: Arc::new(items.collect()), ..outcomes.clone() }
    }
}

#[cfg(test)]
mod tests {
    use bary_model::time::{Moment, Span};

    use super::{Clock, SLOWER_MAX};

    #[test]
    fn a_moment_of_theirs_is_read_by_the_own_clock() {
        // Theirs shows 5,000 when ours shows 1,050.
        let clock = Clock::after(None, Moment(1_000), Moment(5_000), Moment(1_100));
        assert_eq!(clock.round_trip, Span(100));
        assert_eq!(clock.own(Moment(6_000)), Moment(2_050));
        assert_eq!(clock.own(Moment(3_000)), Moment(0), "that was before this clock began");
        let behind = Clock::after(None, Moment(5_000), Moment(0), Moment(5_000));
        assert_eq!(behind.own(Moment(10)), Moment(5_010));
    }

    #[test]
    fn the_fastest_answer_counts_until_it_is_old() {
        let fast = Clock::after(None, Moment(0), Moment(50), Moment(100));
        let mut clock = fast;
        for _ in 0..SLOWER_MAX {
            clock = Clock::after(Some(clock), Moment(0), Moment(900), Moment(1_000));
            assert_eq!(clock.round_trip, fast.round_trip);
        }
        clock = Clock::after(Some(clock), Moment(0), Moment(900), Moment(1_000));
        assert_eq!(clock.round_trip, Span(1_000));
    }

    #[test]
    fn a_way_that_has_become_far_slower_is_known_after_three_answers() {
        let answer = |clock, trip: Span| Clock::after(Some(clock), Moment(0), Moment(0), at(trip));
        let answers =
            |clock, trip, count: usize| (0..count).fold(clock, |clock, _| answer(clock, trip));
        let slow = Span::millis(40);
        let near = Clock::after(None, Moment(0), Moment(0), at(Span::micros(300)));
        let once = answer(near, slow);
        assert!(once.is_doubted() && !near.is_doubted());
        let twice = answer(once, slow);
        assert!(!twice.is_doubted());
        assert_eq!(twice.round_trip, near.round_trip, "a machine may have had other things to do");
        assert_eq!(answer(twice, slow).round_trip, slow);
        let again = answers(answer(twice, Span::micros(900)), slow, 2);
        assert_eq!(again.round_trip, near.round_trip, "three that are not one after another");
        let little = answers(near, Span::millis(9), 5);
        assert_eq!(little.round_trip, near.round_trip, "that is no other way");
        let far = Clock::after(None, Moment(0), Moment(0), at(slow));
        let busy = answers(far, Span::millis(100), 5);
        assert_eq!(busy.round_trip, far.round_trip, "nor is that");
    }

    fn at(trip: Span) -> Moment {
        Moment(0) + trip
    }
}
