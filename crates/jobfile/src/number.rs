//! Exact decimal numbers with units: `1.5` of a unit is counted in whole parts of it.

/// The number at the start of `text` and what follows it. Underscores may separate digits.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// `number` times `unit`, rounded down; `None` where it is no decimal number or too large.
pub(crate) fn scaled(number: &str, unit: u64) -> Option<u64> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return None;
    }
    let unit = u128::from(unit);
    let mut sum = u128::from(whole.parse::<u64>().ok()?).checked_mul(unit)?;
    if !fraction.is_empty() {
        let kept = &fraction[..fraction.len().min(18)];
        sum += u128::from(kept.parse::<u64>().ok()?) * unit / 10_u128.pow(kept.len() as u32);
    }
    u64::try_from(sum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let cases = [
            ("1.5", 1_000, Some(1_500)),
            ("0.1", 10, Some(1)),
            ("1_000", 1, Some(1_000)),
            ("", 1, None),
            (".5", 2, None),
            ("1.", 2, None),
            ("1.2.3", 2, None),
            ("99999999999999999999", 1, None),
            ("18446744073709551615", 2, None),
            ("0.0000000000000000000000001", 1_000, Some(0)),
        ];
        for (number, unit, want) in cases {
            assert_eq!(scaled(number, unit), want, "{number}");
        }
        assert_eq!(split("1.5GiB"), ("1.5", "GiB"));
    }
}
