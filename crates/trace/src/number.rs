//! Numbers of traces: times, sizes and processors that are possible.

use bary_model::time::Span;

use crate::fault::{Reason, shown};
use crate::limits::{MILLI_CPUS_MAX, SPAN_MAX, TASK_BYTES_MAX};

/// A number, or a reason that says what it is of.
pub(crate) fn number(what: &'static str, text: &str) -> Result<f64, Reason> {
    let wrong = || Reason::Number { what, given: shown(text), want: "a number" };
    text.parse().map_err(|_| wrong())
}

/// A whole number that is not negative.
pub(crate) fn whole(what: &'static str, text: &str) -> Result<u64, Reason> {
    let want = "a whole number that is not negative";
    text.parse().map_err(|_| Reason::Number { what, given: shown(text), want })
}

/// A time from seconds, rounded to nanoseconds.
pub(crate) fn seconds(what: &'static str, secs: f64) -> Result<Span, Reason> {
    if !(0.0..=SPAN_MAX.as_secs_f64()).contains(&secs) {
        let want = "a number of seconds from 0 to 100 years";
        return Err(Reason::Number { what, given: secs.to_string().into(), want });
    }
    Ok(Span((secs * 1e9).round() as u64))
}

/// A time from nanoseconds.
pub(crate) fn nanos(what: &'static str, nanos: u64) -> Result<Span, Reason> {
    if nanos > SPAN_MAX.0 {
        let want = "at most 100 years in nanoseconds";
        return Err(Reason::Number { what, given: nanos.to_string().into(), want });
    }
    Ok(Span(nanos))
}

/// A size in bytes, rounded.
pub(crate) fn bytes(what: &'static str, bytes: f64) -> Result<u64, Reason> {
    if !(0.0..=TASK_BYTES_MAX as f64).contains(&bytes) {
        let want = "a number of bytes from 0 to an exbibyte";
        return Err(Reason::Number { what, given: bytes.to_string().into(), want });
    }
    Ok(bytes.round() as u64)
}

/// A size in bytes that is whole already.
pub(crate) fn size(what: &'static str, bytes: u64) -> Result<u64, Reason> {
    if bytes > TASK_BYTES_MAX {
        let want = "a number of bytes from 0 to an exbibyte";
        return Err(Reason::Number { what, given: bytes.to_string().into(), want });
    }
    Ok(bytes)
}

/// Thousandths of processors, from processors.
pub(crate) fn cpus(what: &'static str, cpus: f64) -> Result<u64, Reason> {
    let thousandths = (cpus * 1e3).round();
    if !(0.0..=MILLI_CPUS_MAX as f64).contains(&thousandths) {
        let want = "a number of processors from 0 to a million";
        return Err(Reason::Number { what, given: cpus.to_string().into(), want });
    }
    Ok(thousandths as u64)
}
