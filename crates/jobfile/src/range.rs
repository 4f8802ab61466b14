//! The indices of an array as people write them: `1-100`, `0-99:5`, `1-1_000_000`.

use bary_model::inputs::{Column, Grouping, Inputs, InputsError};

use crate::limits;

/// Numbers from `first` on, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first number.
    pub first: u64,
    /// The distance between two; at least 1.
    pub step: u64,
    /// How many; at least 1.
    pub count: u64,
}

/// Why a text is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It is a list of ranges.
    #[error("`{text}` is a list; an array is one range: write a task for each part of it")]
    List {
        /// The whole text.
        text: String,
    },
    /// It is one number, which may be meant as a count or as an index.
    #[error(
        "`{text}` is one number; write 0-{} for {text} indices, {text}-{text} for one",
        .number - 1
    )]
    Single {
        /// The text.
        text: String,
        /// The number in it; at least 1.
        number: u64,
    },
    /// It ends before it begins, or counts zero indices.
    #[error("`{text}` is empty; an array needs at least one index")]
    Empty {
        /// The whole text.
        text: String,
    },
    /// It has more indices than an array may have.
    #[error(
        "`{text}` has {count} indices, more than array_indices_max = {}",
        limits::ARRAY_INDICES_MAX
    )]
    TooMany {
        /// The whole text.
        text: String,
        /// How many there would be.
        count: u64,
    },
    /// It has another form.
    #[error("`{text}` is not a range; write FIRST-LAST or FIRST-LAST:STEP, as in 1-100 or 0-99:5")]
    Malformed {
        /// The whole text.
        text: String,
    },
}

/// Reads `FIRST-LAST` or `FIRST-LAST:STEP`; both ends belong to it.
///
/// # Errors
/// Where the text has another form, or the range is empty or longer than the named limit.
pub fn parse(text: &str) -> Result<Range, RangeError> {
    let whole = || text.to_owned();
    if text.contains(',') {
        return Err(RangeError::List { text: whole() });
    }
    let malformed = || RangeError::Malformed { text: whole() };
    let (ends, step) = match text.split_once(':') {
        Some((ends, step)) => (ends, integer(step).filter(|&step| step > 0).ok_or_else(malformed)?),
        None => (text, 1),
    };
    let Some((first, last)) = ends.split_once('-') else {
        return Err(match integer(ends) {
            Some(0) => RangeError::Empty { text: whole() },
            Some(number) if step == 1 => RangeError::Single { text: whole(), number },
            _ => malformed(),
        });
    };
    let (first, last) =
        (integer(first).ok_or_else(malformed)?, integer(last).ok_or_else(malformed)?);
    if last < first {
        return Err(RangeError::Empty { text: whole() });
    }
    limited(Range { first, step, count: (last - first) / step + 1 }, text)
}

/// The indices `0` to `count - 1`.
///
/// # Errors
/// Where the count is zero or past the named limit.
pub fn first(count: u64) -> Result<Range, RangeError> {
    let text = count.to_string();
    if count == 0 {
        return Err(RangeError::Empty { text });
    }
    limited(Range { first: 0, step: 1, count }, &text)
}

fn limited(range: Range, text: &str) -> Result<Range, RangeError> {
    if range.count > limits::ARRAY_INDICES_MAX {
        return Err(RangeError::TooMany { text: text.to_owned(), count: range.count });
    }
    Ok(range)
}

fn integer(text: &str) -> Option<u64> {
    let digits = text.trim().replace('_', "");
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&n| plain && i64::try_from(n).is_ok())
}

impl Range {
    /// The numbers as inputs of a spec, one a row.
    ///
    /// # Errors
    /// Never for a range that [`parse`] or [`first`] made.
    pub fn inputs(self) -> Result<Inputs, InputsError> {
        Inputs::new(vec![vec![self.column()]], Grouping::Single)
    }

    /// The numbers as one source among others.
    #[must_use]
    pub fn column(self) -> Column {
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Column::Numbers { first: signed(self.first), step: signed(self.step), count: self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        assert_eq!(parse("1-100"), Ok(Range { first: 1, step: 1, count: 100 }));
        assert_eq!(parse("0-99:5"), Ok(Range { first: 0, step: 5, count: 20 }));
        assert_eq!(parse("1-1_000_000").map(|range| range.count), Ok(1_000_000));
        assert_eq!(parse("7-7").map(|range| range.count), Ok(1));
        assert_eq!(first(3), Ok(Range { first: 0, step: 1, count: 3 }));
        assert_eq!(parse("5-6").map(|range| range.inputs().map(|i| i.rows())), Ok(Ok(2)));
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_fix() {
        let cases = [
            ("1-10,15", "is a list"),
            ("5", "write 0-4 for 5 indices, 5-5 for one"),
            ("0", "is empty"),
            ("9-1", "is empty"),
            ("1-10:0", "is not a range"),
            ("a-b", "is not a range"),
            ("-5--1", "is not a range"),
            ("", "is not a range"),
            ("1-1_000_000_001", "has 1000000001 indices, more than array_indices_max = 1000000000"),
        ];
        for (text, want) in cases {
            let error = parse(text).expect_err("it is no good range").to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert!(first(0).is_err());
        assert_eq!(parse("0-999_999_999").map(|range| range.count), Ok(limits::ARRAY_INDICES_MAX));
    }
}
