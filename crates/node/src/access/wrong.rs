//! How many wrong tokens are listened to: some at once, and then one for each period. It protects
//! the audit log and the processor from floods; guessing a token is hopeless at any rate. Strangers
//! who connect as members are written down no more often.

use bary_model::time::{Span, Wall};

/// How many wrong tokens may come at once.
pub(crate) const BURST_MAX: u64 = 20;
/// After how long one more may come.
const PERIOD: Span = Span::secs(1);
const TOLERANCE: u64 = BURST_MAX * PERIOD.0;

/// The wrong tokens of late.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    /// How long it takes until all of them are paid off, each taking a period, in nanoseconds.
    owed: u64,
    /// When that was so.
    seen: Wall,
    /// How many were shed since the last that was not.
    shed: u64,
}

impl Wrong {
    /// Counts one more. Gives how many were shed before it, or, where it is shed too, after how
    /// long the next one would not be. A clock that is set back pays nothing off and costs nothing.
    pub(crate) fn count(&mut self, now: Wall) -> Result<u64, Span> {
        self.owed = self.owed.saturating_sub(now.since(self.seen).0);
        self.seen = now;
        let owed = self.owed + PERIOD.0;
        if owed > TOLERANCE {
            self.shed += 1;
            return Err(Span(owed - TOLERANCE));
        }
        self.owed = owed;
        Ok(std::mem::take(&mut self.shed))
    }
}

#[cfg(test)]
mod tests {
    use bary_model::time::{Span, Wall};

    use super::{BURST_MAX, Wrong};

    const START: u64 = 1_763_745_574_000_000_000;

    fn at(seconds: u64) -> Wall {
        Wall(START + seconds * 1_000_000_000)
    }

    #[test]
    fn some_come_at_once_and_then_one_a_second() {
        let mut wrong = Wrong::default();
        for _ in 0..BURST_MAX {
            assert_eq!(wrong.count(at(0)), Ok(0));
        }
        for _ in 0..7 {
            assert_eq!(wrong.count(at(0)), Err(Span::secs(1)));
        }
        assert_eq!(wrong.count(at(1)), Ok(7));
        assert!(wrong.count(at(1)).is_err());
        assert_eq!(wrong.count(at(3)), Ok(1));
        assert_eq!(wrong.count(at(3)), Ok(0));
        assert!(wrong.count(at(3)).is_err());
    }

    #[test]
    fn after_a_pause_there_is_a_burst_again_and_no_more() {
        let mut wrong = Wrong::default();
        for round in [0, 1_000] {
            let let_in = (0..100).filter(|_| wrong.count(at(round)).is_ok()).count();
            assert_eq!(let_in as u64, BURST_MAX);
        }
    }

    #[test]
    fn a_clock_set_back_closes_the_door_for_no_longer() {
        let mut wrong = Wrong::default();
        while wrong.count(at(3_600)).is_ok() {}
        let wait = wrong.count(at(0)).expect_err("as many came of late");
        assert!(wait <= Span::secs(1), "{wait:?}");
        assert!(wrong.count(at(1)).is_ok());
    }
}
