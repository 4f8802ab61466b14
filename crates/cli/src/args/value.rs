//! Readers of single values: times, sizes, amounts. Each says what to write instead.

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
    #[error("`{0}` is not a whole number; underscores may separate digits, as in 1_000_000")]
    Whole(String),
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
    let wrong = || ValueError::Whole(text.to_owned());
    match text.replace('_', "").parse::<u32>().map_err(|_| wrong())? {
        0 => Err(ValueError::Zero),
        count => Ok(count),
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
    fn a_time_of_zero_is_refused_where_it_makes_no_sense() {
        assert_eq!(some_time("0"), Err(ValueError::NoTime));
        assert_eq!(some_time("1m"), Ok(Span::secs(60)));
        assert_eq!(time("0"), Ok(Span::ZERO));
        assert_eq!(count("1_000"), Ok(1_000));
        assert_eq!(count("0"), Err(ValueError::Zero));
    }
}
