//! Readers of single values: times, sizes, amounts. Each says what to write instead.

use bary_jobfile::range::{self, Range};
use bary_model::gang::TASKS_MAX;
use bary_model::time::Span;

/// Why a value cannot be. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    #[error(transparent)]
    Duration(#[from] bary_jobfile::duration::DurationError),
    #[error(transparent)]
    Size(#[from] bary_jobfile::size::SizeError),
    #[error("no time at all is not allowed; write for instance 30s, 10m or 1h")]
    NoTime,
    #[error("must be more than zero")]
    Zero,
    #[error("`{0}` is not a number above 0 and up to 1000000")]
    Amount(String),
    #[error(transparent)]
    Range(#[from] range::RangeError),
    #[error("`{0}` is not one byte; write a character, or \\n, \\t, \\0 or \\\\")]
    Delimiter(String),
    #[error("`{0}` is not a whole number; underscores may separate digits, as in 1_000_000")]
    Whole(String),
    #[error("{given} is more than {limit} = {most}")]
    Past { given: String, limit: &'static str, most: u64 },
    #[error("no bug is called `{given}`; there are {names}")]
    Flaw { given: String, names: String },
}

/// A time that may be zero.
pub(crate) fn time(text: &str) -> Result<Span, ValueError> {
    Ok(bary_jobfile::duration::parse(text)?)
}

/// A time that is not zero.
pub(crate) fn some_time(text: &str) -> Result<Span, ValueError> {
    let span = time(text)?;
    if span == Span::ZERO { Err(ValueError::NoTime) } else { Ok(span) }
}

/// An amount of memory in bytes, not zero.
pub(crate) fn size(text: &str) -> Result<u64, ValueError> {
    let bytes = bary_jobfile::size::parse(text)?;
    if bytes == 0 { Err(ValueError::Zero) } else { Ok(bytes) }
}

/// An amount of cores or GPUs, in thousandths; fractions are allowed.
pub(crate) fn milli(text: &str) -> Result<u64, ValueError> {
    let wrong = || ValueError::Amount(text.to_owned());
    let amount: f64 = text.parse().map_err(|_| wrong())?;
    let thousandths = (amount * 1e3).round();
    if (1.0..=1e9).contains(&thousandths) { Ok(thousandths as u64) } else { Err(wrong()) }
}

/// As [`milli`], but none at all is allowed.
pub(crate) fn milli_or_none(text: &str) -> Result<u64, ValueError> {
    if text == "0" { Ok(0) } else { milli(text) }
}

/// A positive number such as a speed.
pub(crate) fn positive(text: &str) -> Result<f64, ValueError> {
    let number: f64 = text.parse().map_err(|_| ValueError::Amount(text.to_owned()))?;
    if number > 0.0 && number <= 1e6 {
        Ok(number)
    } else {
        Err(ValueError::Amount(text.to_owned()))
    }
}

/// A count from 1, with underscores where wanted.
pub(crate) fn count(text: &str) -> Result<u32, ValueError> {
    count_to(text, "what one command can get", u32::MAX)
}

/// A count from 1 up to a limit, with underscores where wanted.
pub(crate) fn count_to(text: &str, limit: &'static str, most: u32) -> Result<u32, ValueError> {
    let digits = text.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::Whole(text.to_owned()));
    }
    match digits.parse::<u32>() {
        Ok(0) => Err(ValueError::Zero),
        Ok(count) if count <= most => Ok(count),
        _ => Err(ValueError::Past { given: digits, limit, most: most.into() }),
    }
}

/// How many tasks are one gang.
pub(crate) fn gang(text: &str) -> Result<u16, ValueError> {
    let size = count_to(text, "gang_tasks_max", TASKS_MAX.into())?;
    Ok(u16::try_from(size).unwrap_or(TASKS_MAX))
}

/// The indices of an array; one number counts them, from 0, as in a job file.
pub(crate) fn array(text: &str) -> Result<Range, ValueError> {
    let number = text.replace('_', "");
    match number.parse::<u64>() {
        Ok(count) if !text.starts_with('+') => Ok(range::first(count)?),
        _ => Ok(range::parse(text)?),
    }
}

/// The byte that inputs end with.
pub(crate) fn delimiter(text: &str) -> Result<u8, ValueError> {
    match (text, text.as_bytes()) {
        ("\\n", _) => Ok(b'\n'),
        ("\\t", _) => Ok(b'\t'),
        ("\\0", _) => Ok(0),
        ("\\\\", _) => Ok(b'\\'),
        (_, &[byte]) => Ok(byte),
        _ => Err(ValueError::Delimiter(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_thousandths() {
        assert_eq!(milli("0.5"), Ok(500));
        assert_eq!(milli_or_none("0"), Ok(0));
        for bad in ["0", "-1", "nan", "inf", "x", "1e7", "0.0001"] {
            assert!(milli(bad).is_err(), "{bad}");
            assert!(bad == "0.0001" || positive(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_number_is_a_count_of_indices() {
        assert_eq!(array("3"), Ok(Range { first: 0, step: 1, count: 3 }));
        assert_eq!(array("1-3"), Ok(Range { first: 1, step: 1, count: 3 }));
        assert_eq!(array("1_000").map(|range| range.count), Ok(1_000));
        assert!(array("0").is_err() && array("+3").is_err() && array("1,2").is_err());
    }

    #[test]
    fn a_delimiter_is_one_byte() {
        let read = ["\\n", "\\0", "\\t", ",", "\\\\"].map(delimiter);
        assert_eq!(read, [Ok(b'\n'), Ok(0), Ok(b'\t'), Ok(b','), Ok(b'\\')]);
        assert!(delimiter("ab").is_err() && delimiter("").is_err());
    }

    #[test]
    fn a_time_of_zero_is_refused_where_it_makes_no_sense() {
        assert_eq!(some_time("0"), Err(ValueError::NoTime));
        assert_eq!(some_time("1m"), Ok(Span::secs(60)));
        assert_eq!(time("0"), Ok(Span::ZERO));
        assert_eq!(count("1_000"), Ok(1_000));
        assert_eq!(count("0"), Err(ValueError::Zero));
    }
}
