//! Moments of the calendar, in UTC.

use std::time::Duration;

/// A moment for the name of a directory, so that names sort by time: `20261121-114500-123`.
pub(crate) fn stamp(since_1970: Duration) -> String {
    let [year, month, day, hour, minute, second] = parts(since_1970);
    let milli = since_1970.subsec_millis();
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}-{milli:03}")
}

/// A moment as ISO 8601 writes it.
pub(crate) fn iso(since_1970: Duration) -> String {
    let [year, month, day, hour, minute, second] = parts(since_1970);
    let milli = since_1970.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Year, month, day, hour, minute and second, counted in eras of 400 years from 1 March 0000.
fn parts(since_1970: Duration) -> [u64; 6] {
    let seconds = since_1970.as_secs();
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    [year, month, day, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(iso(Duration::ZERO), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(Duration::from_millis(951_782_399_999)), "2000-02-28T23:59:59.999Z");
        assert_eq!(iso(Duration::from_secs(951_782_400)), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso(Duration::from_secs(1_709_251_200)), "2024-03-01T00:00:00.000Z");
        assert_eq!(stamp(Duration::from_secs(1_767_225_599)), "20251231-235959-000");
    }
}
