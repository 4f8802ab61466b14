//! Moments of the calendar as text, by RFC 3339 in UTC: `2026-11-21T17:19:34.5Z`.

use bary_model::time::Wall;
use jiff::Timestamp;

/// A moment as text, to the nanosecond; trailing zeros are left out.
#[must_use]
pub fn text(at: Wall) -> String {
    let at = Timestamp::from_nanosecond(at.0.into());
    // 64 bits of nanoseconds end in 2554, where the calendar goes on.
    at.unwrap_or(Timestamp::MAX).to_string()
}

/// The moment that a text names, where it is one since 1970 and before 2554.
#[must_use]
pub fn parse(text: &str) -> Option<Wall> {
    let at: Timestamp = text.parse().ok()?;
    u64::try_from(at.as_nanosecond()).ok().map(Wall)
}

/// What stands for no moment.
pub const NEVER: &str = "never";

/// A text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no moment; write one as 2026-11-21T17:19:34Z")]
pub struct NoMoment(Box<str>);

/// The moment that a text names.
///
/// # Errors
/// Where it names none.
pub fn moment(text: &str) -> Result<Wall, NoMoment> {
    parse(text).ok_or_else(|| NoMoment(text.into()))
}

/// As [`moment`], or none where the text is [`NEVER`].
///
/// # Errors
/// As [`moment`].
pub fn moment_or_never(text: &str) -> Result<Option<Wall>, NoMoment> {
    if text == NEVER { Ok(None) } else { moment(text).map(Some) }
}

/// The text that [`moment_or_never`] reads.
#[must_use]
pub fn text_or_never(at: Option<Wall>) -> String {
    at.map_or_else(|| NEVER.to_owned(), text)
}

#[cfg(test)]
mod tests {
    use bary_model::time::Wall;

    use super::{moment_or_never, parse, text, text_or_never};

    #[test]
    fn no_moment_is_read_as_it_was_written() {
        for at in [None, Some(Wall(1_500_000_000))] {
            assert_eq!(moment_or_never(&text_or_never(at)), Ok(at));
        }
        assert!(moment_or_never("soon").is_err());
    }

    #[test]
    fn a_moment_is_read_as_it_was_written() {
        assert_eq!(text(Wall(0)), "1970-01-01T00:00:00Z");
        assert_eq!(text(Wall(1_500_000_000)), "1970-01-01T00:00:01.5Z");
        for at in [0, 1, 999, 1_763_745_574_123_456_789, u64::MAX] {
            assert_eq!(parse(&text(Wall(at))), Some(Wall(at)));
        }
        assert_eq!(parse("1970-01-01T02:00:00+02:00"), Some(Wall(0)));
        for wrong in ["", "never", "1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "2026-11-21"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
