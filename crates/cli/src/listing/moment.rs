//! Moments of the calendar: read as RFC 3339 has them, shown as how long ago they were.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::listing::amount;

/// The present, for what is told relative to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    now: Timestamp,
}

/// Why a text names no moment. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MomentError {
    #[error("`{0}` is no moment; write 2026-12-24T18:00, 2026-12-24T18:00+01:00 or 18:00")]
    Form(String),
    #[error("`{0}` has passed")]
    Past(String),
}

/// A moment as clocks here show it, to the millisecond; a text that is none stays.
pub(crate) fn local(moment: &str) -> String {
    shown(moment, &TimeZone::system())
}

fn shown(moment: &str, zone: &TimeZone) -> String {
    match moment.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Err(_) => moment.to_owned(),
    }
}

impl Clock {
    pub(crate) fn now() -> Self {
        Self { now: Timestamp::now() }
    }

    /// So many seconds after 1970.
    #[cfg(test)]
    pub(crate) fn at(second: i64) -> Self {
        Self { now: Timestamp::from_second(second).expect("it is in the calendar") }
    }

    /// Seconds since a moment; none where the text is none.
    pub(crate) fn since(self, moment: &str) -> Option<f64> {
        let moment: Timestamp = moment.parse().ok()?;
        Some(self.now.duration_since(moment).as_secs_f64())
    }

    /// `4m05s ago`, or `in 3h12m`; nothing where there is no moment.
    pub(crate) fn ago(self, moment: &str) -> String {
        match self.since(moment) {
            Some(seconds) if seconds < 0.0 => format!("in {}", amount::span(-seconds)),
            Some(seconds) => format!("{} ago", amount::span(seconds)),
            None => moment.to_owned(),
        }
    }

    /// How long something takes that began and may have ended.
    pub(crate) fn took(self, began: &str, ended: &str) -> String {
        let Some(began) = self.since(began) else { return String::new() };
        amount::span(began - self.since(ended).unwrap_or(0.0))
    }

    /// The moment that `--at` names, as RFC 3339 writes it in UTC. A time alone is of today.
    pub(crate) fn read(self, text: &str, zone: &TimeZone) -> Result<String, MomentError> {
        let form = || MomentError::Form(text.to_owned());
        let local = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
        let today = |time: Time| local(self.now.to_zoned(zone.clone()).date().to_datetime(time));
        let moment = text.parse::<Timestamp>().ok();
        // In this order: of a date and a time, the time alone could be read too.
        let moment = moment.or_else(|| text.parse::<DateTime>().ok().and_then(local));
        let moment = moment.or_else(|| text.parse::<Time>().ok().and_then(today));
        let moment = moment.ok_or_else(form)?;
        if moment < self.now {
            return Err(MomentError::Past(text.to_owned()));
        }
        Ok(moment.to_string())
    }

    /// The moment after so much time, as RFC 3339 writes it in UTC.
    pub(crate) fn after(self, span: std::time::Duration) -> Option<String> {
        let span = jiff::SignedDuration::try_from(span).ok()?;
        Some(self.now.checked_add(span).ok()?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_how_long_ago_they_were() {
        let clock = Clock::at(3_600);
        assert_eq!(clock.ago("1970-01-01T00:55:55Z"), "4m05s ago");
        assert_eq!(clock.ago("1970-01-01T01:00:02.5Z"), "in 2.5s");
        assert_eq!(clock.ago(""), "");
        assert_eq!(clock.took("1970-01-01T00:00:00Z", "1970-01-01T00:00:10Z"), "10.0s");
        assert_eq!(clock.took("1970-01-01T00:59:00Z", ""), "1m00s");
    }

    #[test]
    fn moments_are_shown_as_clocks_here_have_them() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(shown("1970-01-01T00:00:01.23456Z", &zone), "1970-01-01 02:00:01.234");
        assert_eq!(shown("", &zone), "");
    }

    #[test]
    fn a_moment_may_be_written_short() {
        let clock = Clock::at(0);
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let read = |text: &str| clock.read(text, &zone);
        assert_eq!(read("18:30"), Ok("1970-01-01T16:30:00Z".into()));
        assert_eq!(read("1970-01-02T03:00"), Ok("1970-01-02T01:00:00Z".into()));
        assert_eq!(read("1970-01-02T03:00-01:00"), Ok("1970-01-02T04:00:00Z".into()));
        assert_eq!(read("1970-01-01T00:00"), Err(MomentError::Past("1970-01-01T00:00".into())));
        assert!(matches!(read("soon"), Err(MomentError::Form(_))));
        let later = clock.after(std::time::Duration::from_millis(1_500));
        assert_eq!(later.as_deref(), Some("1970-01-01T00:00:01.5Z"));
    }
}
