//! How long a failed task waits: `1s`, or `1s,max=1m,factor=2,jitter=0.5`.

use bary_model::action::Backoff;

use crate::args::value::{self, ValueError};

/// Why a text is no back-off. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BackoffError {
    #[error(transparent)]
    Time(#[from] ValueError),
    #[error("`{0}` is not a part; write BASE,max=TIME,factor=N,jitter=0..1")]
    Part(String),
    #[error("factor `{0}` is not a number from 1 to 1000")]
    Factor(String),
    #[error("jitter `{0}` is not a number from 0 to 1")]
    Jitter(String),
    #[error("max is shorter than the first wait")]
    Max,
}

/// Reads a back-off; what is not said stays as it is by default.
pub(crate) fn parse(text: &str) -> Result<Backoff, BackoffError> {
    let mut made = Backoff::default();
    let mut capped = false;
    for item in text.split(',') {
        match item.split_once('=') {
            None | Some(("base", _)) => {
                made.base = value::time(item.trim_start_matches("base="))?;
            }
            Some(("max", max)) => {
                made.max = value::time(max)?;
                capped = true;
            }
            Some(("factor", factor)) => {
                let read = factor.parse().ok().filter(|n| (1.0..=1e3).contains(n));
                made.factor = read.ok_or_else(|| BackoffError::Factor(factor.to_owned()))?;
            }
            Some(("jitter", jitter)) => {
                let read = jitter.parse().ok().filter(|n| (0.0..=1.0).contains(n));
                made.jitter = read.ok_or_else(|| BackoffError::Jitter(jitter.to_owned()))?;
            }
            Some(_) => return Err(BackoffError::Part(item.to_owned())),
        }
    }
    if made.base > made.max && capped {
        return Err(BackoffError::Max);
    }
    made.max = made.max.max(made.base);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::time::Span;

    #[test]
    fn parts_are_read_and_checked() {
        let read = parse("1s,factor=1.5,jitter=0").expect("it is a back-off");
        assert_eq!((read.base, read.max), (Span::secs(1), Span::secs(60)));
        assert_eq!((read.factor, read.jitter), (1.5, 0.0));
        assert_eq!(parse("5m").map(|read| read.max), Ok(Span::secs(300)));
        for bad in ["", "x", "1s,max=10ms", "1s,factor=0.5", "1s,jitter=2", "1s,much=1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
