//! Lengths of time as people write them: `1h30m`, `250ms`, `1.5s`, or a number of seconds.

use bary_model::time::Span;

use crate::number;

/// Why a text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A part of it is no number with a unit.
    #[error("`{text}` is not a length of time; write 1h30m, 45s, 250ms or a number of seconds")]
    Malformed {
        /// The whole text.
        text: String,
    },
    /// It is longer than the longest length, 584 years.
    #[error("`{text}` is too long; the longest time is 213503d")]
    TooLong {
        /// The whole text.
        text: String,
    },
}

/// The units, longest first, in nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a length of time: numbers with units, longest first, or one number of seconds.
///
/// # Errors
/// Where the text has another form, or the time does not fit.
pub fn parse(text: &str) -> Result<Span, DurationError> {
    let malformed = || DurationError::Malformed { text: text.to_owned() };
    let too_long = || DurationError::TooLong { text: text.to_owned() };
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut units = &UNITS[..];
    if rest.is_empty() {
        return Err(malformed());
    }
    while !rest.is_empty() {
        let (number, after) = number::split(rest);
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let unit = if unit.is_empty() && next.is_empty() && units.len() == UNITS.len() {
            "s"
        } else {
            unit
        };
        let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(malformed)?;
        let nanos = match number::scaled(number, units[place].1) {
            Some(nanos) => nanos,
            None if number::scaled(number, 0).is_some() => return Err(too_long()),
            None => return Err(malformed()),
        };
        total = total.checked_add(nanos).ok_or_else(too_long)?;
        units = &units[place + 1..];
        rest = next;
    }
    Ok(Span(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let cases = [
            ("1h30m", Span::secs(5_400)),
            ("250ms", Span::millis(250)),
            ("1.5s", Span::millis(1_500)),
            ("90", Span::secs(90)),
            ("0.25", Span::millis(250)),
            ("2d", Span::secs(172_800)),
            ("1m0.5s", Span::millis(60_500)),
            ("7us", Span::micros(7)),
            ("0", Span::ZERO),
            (" 1_000s ", Span::secs(1_000)),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "h", "-1s", "1s1h", "1h30", "1x", "1e3", "1 h", "ten", "1h1h", "1..2s"] {
            assert!(matches!(parse(text), Err(DurationError::Malformed { .. })), "{text}");
        }
        let long = parse("99999999999h");
        assert!(matches!(long, Err(DurationError::TooLong { .. })), "{long:?}");
    }
}
