//! Amounts of memory as people write them: `4GiB`, `512M`, `1.5GB`, or a number of bytes.

use crate::number;

/// Why a text is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount of memory; write 4GiB, 512M, 1.5GB or a number of bytes")]
pub struct SizeError {
    /// The whole text.
    pub text: String,
}

/// Reads an amount in bytes: `K`, `KiB` and so on are powers of 1024, `KB` and so on of 1000.
///
/// # Errors
/// Where the text has another form, or the amount does not fit 64 bits.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let (number, unit) = number::split(text.trim());
    let wrong = || SizeError { text: text.to_owned() };
    let factor = factor(&unit.trim_start().to_ascii_lowercase()).ok_or_else(wrong)?;
    number::scaled(number, factor).ok_or_else(wrong)
}

fn factor(unit: &str) -> Option<u64> {
    let (base, letter): (u64, &str) = match unit {
        "" | "b" => return Some(1),
        _ => match (unit.strip_suffix("ib"), unit.strip_suffix('b')) {
            (Some(letter), _) => (1_024, letter),
            (None, Some(letter)) => (1_000, letter),
            (None, None) => (1_024, unit),
        },
    };
    let power = ["k", "m", "g", "t", "p"].iter().position(|name| *name == letter)?;
    Some(base.pow(power as u32 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let cases = [
            ("4GiB", 4 << 30),
            ("512M", 512 << 20),
            ("1.5GB", 1_500_000_000),
            ("1k", 1_024),
            ("1kB", 1_000),
            ("100", 100),
            ("100 B", 100),
            ("2TiB", 2 << 40),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        for text in ["", "G", "-1G", "1X", "1GiBs", "99999999P", "1e9", "i", "1ib"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
