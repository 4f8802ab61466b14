//! Amounts as people read them.

/// A length of time in seconds, short: `850ms`, `12.3s`, `4m05s`, `3h12m`, `5d03h`.
pub(crate) fn span(seconds: f64) -> String {
    let whole = seconds as u64;
    match seconds {
        s if s.is_nan() || s <= 0.0 => "0s".to_owned(),
        ..0.000_999_5 => format!("{:.0}us", seconds * 1e6),
        ..0.999_5 => format!("{:.0}ms", seconds * 1e3),
        ..59.95 => format!("{seconds:.1}s"),
        ..3_600.0 => format!("{}m{:02}s", whole / 60, whole % 60),
        ..86_400.0 => format!("{}h{:02}m", whole / 3_600, whole / 60 % 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole / 3_600 % 24),
    }
}

/// A size: `512 B`, `4.0 KiB`, `1.5 GiB`; nothing where it is none.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1_024 {
        return if bytes == 0 { String::new() } else { format!("{bytes} B") };
    }
    let mut amount = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while amount >= 999.95 && unit + 1 < UNITS.len() {
        amount /= 1_024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A number without needless digits: `2`, `0.5`.
pub(crate) fn plain(number: f64) -> String {
    format!("{}", (number * 1e3).round() / 1e3)
}

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        let spans = [0.0, 0.000_05, 0.85, 12.34, 245.0, 11_520.0, 442_800.0].map(span);
        assert_eq!(spans, ["0s", "50us", "850ms", "12.3s", "4m05s", "3h12m", "5d03h"]);
        let sizes = [0, 512, 4_096, 3 << 29, 1_023_999].map(size);
        assert_eq!(sizes, ["", "512 B", "4.0 KiB", "1.5 GiB", "1.0 MiB"]);
        assert_eq!((plain(2.0), plain(0.1 + 0.2)), ("2".into(), "0.3".into()));
        assert_eq!((percent(0.999), percent(1.0)), ("99%".into(), "100%".into()));
    }
}
