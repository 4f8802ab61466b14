//! How many tasks a node runs at a time: `4`, `50%`, `+2`, `-1`, or `0` for as many as there are.

use std::str::FromStr;

/// Slots, most often relative to the cores of this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slots {
    /// So many.
    Count(u32),
    /// A share of the cores, in percent.
    Percent(f64),
    /// The cores and so many more or fewer.
    Offset(i64),
    /// As many as a node may have.
    Unbounded,
}

/// Why a text is no number of slots. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a number of slots; write 4, 50%, +2, -1, or 0 for {}", Slots::MOST)]
pub(crate) struct SlotsError {
    given: String,
}

impl Slots {
    /// What `0` means: as many as one node of a process may have with files to spare.
    pub(crate) const MOST: u32 = 256;

    /// The slots on a machine with so many cores; at least 1.
    pub(crate) fn of(self, cores: u32) -> u32 {
        let wanted = match self {
            Self::Count(count) => i64::from(count),
            Self::Percent(percent) => (f64::from(cores) * percent / 100.0).round() as i64,
            Self::Offset(more) => i64::from(cores).saturating_add(more),
            Self::Unbounded => i64::from(Self::MOST),
        };
        u32::try_from(wanted.max(1)).unwrap_or(u32::MAX)
    }
}

impl FromStr for Slots {
    type Err = SlotsError;

    fn from_str(text: &str) -> Result<Self, SlotsError> {
        let wrong = || SlotsError { given: text.to_owned() };
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.parse().map_err(|_| wrong())?;
            let good = percent > 0.0 && percent <= 10_000.0;
            return if good { Ok(Self::Percent(percent)) } else { Err(wrong()) };
        }
        if text.starts_with(['+', '-']) {
            return text.parse::<i32>().map(|n| Self::Offset(n.into())).map_err(|_| wrong());
        }
        match text.parse::<u32>().map_err(|_| wrong())? {
            0 => Ok(Self::Unbounded),
            count if count <= 65_536 => Ok(Self::Count(count)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_relative_to_the_cores() {
        let on_eight = |text: &str| text.parse::<Slots>().map(|slots| slots.of(8));
        assert_eq!(on_eight("3"), Ok(3));
        assert_eq!(on_eight("50%"), Ok(4));
        assert_eq!(on_eight("+2"), Ok(10));
        assert_eq!(on_eight("-3"), Ok(5));
        assert_eq!(on_eight("-30"), Ok(1));
        assert_eq!(on_eight("1%"), Ok(1));
        assert_eq!(on_eight("0"), Ok(Slots::MOST));
        for bad in ["", "x", "%", "0%", "-", "1.5", "nan%", "99999999"] {
            assert!(bad.parse::<Slots>().is_err(), "{bad}");
        }
    }
}
