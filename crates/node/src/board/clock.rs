//! The clock of a shard as the calendar has it: every moment that is told to people is a text of
//! RFC 3339 in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use bary_identity::calendar;
use bary_model::time::{Moment, Span, Wall};

/// When the clock of a shard was zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    origin: Wall,
}

impl Clock {
    /// A clock that was zero at this moment of the calendar.
    pub(crate) fn since(origin: SystemTime) -> Self {
        Self { origin: wall(origin) }
    }

    /// Its time now.
    pub(crate) fn now(self) -> Moment {
        Moment(now().since(self.origin).0)
    }

    /// What the calendar said at a moment.
    pub(crate) fn wall(self, at: Moment) -> Wall {
        self.origin + Span(at.0)
    }

    /// A moment as RFC 3339 has it.
    pub(crate) fn text(self, at: Moment) -> String {
        calendar::text(self.wall(at))
    }

    /// A moment in seconds since 1970 began.
    pub(crate) fn seconds(self, at: Moment) -> f64 {
        self.wall(at).0 as f64 / 1e9
    }
}

/// What the calendar says now.
pub(crate) fn now() -> Wall {
    wall(SystemTime::now())
}

/// A moment as the calendar has it.
pub(crate) fn wall(at: SystemTime) -> Wall {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_told_in_utc_and_read_again() {
        let clock = Clock::since(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let told = clock.text(Moment(1_500_000_000));
        assert_eq!(told, "2023-11-14T22:13:21.5Z");
        assert_eq!(calendar::parse(&told), Some(clock.wall(Moment(1_500_000_000))));
        assert!((clock.seconds(Moment(1_500_000_000)) - 1_700_000_001.5).abs() < 1e-3);
    }
}
