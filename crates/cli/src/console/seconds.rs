//! Seconds as people write them: whole ones without a point, others with up to three digits.

use bary_model::time::{Moment, Span};

/// Nanoseconds in a thousandth of a second.
const THOUSANDTH: u64 = 1_000_000;

/// The longest task, in thousandths of a second.
pub(crate) const TASK_THOUSANDTHS_MAX: u64 = 1_000_000_000;

/// A span, rounded to thousandths of a second.
pub(crate) fn shown(span: Span) -> String {
    let thousandths = (span.0 + THOUSANDTH / 2) / THOUSANDTH;
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:03}").trim_end_matches('0').to_owned()
}

/// The same with one digit at most, for means.
pub(crate) fn about(seconds: f64) -> String {
    shown(Span::millis((seconds * 10.0).round() as u64 * 100))
}

/// What a process says is left of what takes so long, which is some thousandths old when it is
/// told: in whole seconds where all of it is so many, and in tenths otherwise.
pub(crate) fn stepped(left: Span, takes: Span) -> Span {
    let second = 1_000 * THOUSANDTH;
    let step = if takes.0.is_multiple_of(second) { second } else { second / 10 };
    Span((left.0 + step / 2) / step * step)
}

/// Seconds since the beginning, as JSON has them.
pub(crate) fn number(at: Moment) -> f64 {
    (at.0 / THOUSANDTH) as f64 / 1e3
}

/// Reads a time in seconds, as thousandths; not zero, and no longer than any task may take.
pub(crate) fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 || whole.len() > 9 {
        return None;
    }
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    let all = whole.parse::<u64>().ok()? * 1_000 + part;
    (1..=TASK_THOUSANDTHS_MAX).contains(&all).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::{TASK_THOUSANDTHS_MAX, about, shown, stepped, thousandths};
    use bary_model::time::Span;

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in ["", "0", "-1", "5s", ".5", "5.", "1e3", "2,5", "0.0005", "1000000.1", "５"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
        assert_eq!(thousandths("1000000"), Some(TASK_THOUSANDTHS_MAX));
        assert_eq!(about(0.349), "0.3");
    }

    #[test]
    fn what_is_left_of_whole_seconds_falls_by_whole_seconds() {
        let left = |left, takes| shown(stepped(Span::millis(left), Span::millis(takes)));
        assert_eq!([left(4_054, 5_000), left(36, 5_000)], ["4", "0"]);
        assert_eq!([left(1_530, 2_500), left(180, 200)], ["1.5", "0.2"]);
    }

    #[test]
    fn a_time_is_read_as_it_is_shown() {
        for all in (1..3_000).chain([10_010, 999_999_999, TASK_THOUSANDTHS_MAX]) {
            assert_eq!(thousandths(&shown(Span::millis(all))), Some(all));
        }
    }
}
