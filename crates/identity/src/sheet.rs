//! A text of lines under a head with a version, and a sum over all of it at its end, so that no
//! change by a slip or a failing disk goes unseen.
//!
//! ```text
//! bary-keyring 1
//! LINE
//! sum: HASH
//! ```

/// A kind of such texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// What the first line begins with.
    pub magic: &'static str,
    /// The version that is written and the newest that is read.
    pub version: u32,
    /// What it is, as in "this is no keyring".
    pub what: &'static str,
}

/// What the last line begins with; no other line may.
const SUM: &str = "sum: ";

/// Why a text is no sheet of its kind, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The first line is not that of its kind.
    #[error("line 1 is not `{} {}`: this is no {}", .0.magic, .0.version, .0.what)]
    NotOne(Sheet),
    /// A newer program wrote it.
    #[error("it is of version {version}, and this program reads up to {known}; take a newer one")]
    Newer {
        /// Its version.
        version: u32,
        /// The newest that is read.
        known: u32,
    },
    /// The sum at its end is missing: it was cut off.
    #[error("line {line}: the file ends without its sum; it was cut off")]
    NoSum {
        /// The line at which it should stand.
        line: usize,
    },
    /// The sum is of another text: something above it was changed.
    #[error(
        "line {line}: the sum does not fit what stands above it; the file was changed by hand \
             or damaged"
    )]
    WrongSum {
        /// Where the sum stands.
        line: usize,
    },
}

/// Why the lines of a text are not what they should be: where, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError<F: std::error::Error> {
    /// It is no such text at all, of a newer version, or was changed.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A line is wrong.
    #[error("line {line}: {fault}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: F,
    },
}

impl Sheet {
    /// Reads a text line by line.
    ///
    /// # Errors
    /// Where it is no such text, or `one` finds a fault in a line.
    pub fn parse<F: std::error::Error>(
        &self,
        text: &str,
        mut one: impl FnMut(&str) -> Result<(), F>,
    ) -> Result<(), ParseError<F>> {
        for (line, words) in self.lines(text)? {
            one(words).map_err(|fault| ParseError::Line { line, fault })?;
        }
        Ok(())
    }

    /// The text of some lines.
    #[must_use]
    pub fn print(&self, lines: impl IntoIterator<Item = String>) -> String {
        let mut text = format!("{} {}\n", self.magic, self.version);
        for line in lines {
            text += &line;
            text.push('\n');
        }
        let sum = blake3::hash(text.as_bytes()).to_hex();
        text + SUM + &sum + "\n"
    }

    /// The lines of a text, each with its number from 1.
    ///
    /// # Errors
    /// Where it is no such text, or was changed since; see [`SheetError`].
    pub fn lines<'t>(&self, text: &'t str) -> Result<Vec<(usize, &'t str)>, SheetError> {
        let mut lines = Vec::new();
        let mut above = 0;
        for (at, line) in text.split_inclusive('\n').enumerate() {
            if line.starts_with(SUM) {
                return check(text, above, at + 1).map(|()| lines);
            }
            above += line.len();
            let line = line.strip_suffix('\n').unwrap_or(line);
            match at {
                0 => self.head(line)?,
                _ => lines.push((at + 1, line)),
            }
        }
        if above == 0 {
            return Err(SheetError::NotOne(*self));
        }
        Err(SheetError::NoSum { line: text.lines().count() + 1 })
    }

    fn head(&self, line: &str) -> Result<(), SheetError> {
        let version = line.strip_prefix(self.magic).and_then(|rest| rest.strip_prefix(' '));
        match version.and_then(|version| version.parse().ok()) {
            Some(version) if version == self.version => Ok(()),
            Some(version) if version > self.version => {
                Err(SheetError::Newer { version, known: self.version })
            }
            _ => Err(SheetError::NotOne(*self)),
        }
    }
}

/// Whether the rest of the text is the sum of what stands above it, and nothing else.
fn check(text: &str, above: usize, line: usize) -> Result<(), SheetError> {
    let (above, sum) = text.split_at(above);
    let right = format!("{SUM}{}\n", blake3::hash(above.as_bytes()).to_hex());
    if sum == right { Ok(()) } else { Err(SheetError::WrongSum { line }) }
}

#[cfg(test)]
mod tests {
    use super::{Sheet, SheetError};

    const SHEET: Sheet = Sheet { magic: "bary-test", version: 2, what: "test" };

    #[test]
    fn lines_are_read_as_they_were_printed() {
        let text = SHEET.print(["one 1".to_owned(), "two".to_owned()]);
        assert_eq!(SHEET.lines(&text), Ok(vec![(2, "one 1"), (3, "two")]));
        assert_eq!(SHEET.lines(&SHEET.print([])), Ok(Vec::new()));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let right = SHEET.print(["one 1".to_owned()]);
        for at in 0..right.len() {
            for bit in 0..7 {
                let mut bytes = right.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).expect("seven bits are ASCII");
                assert!(SHEET.lines(&changed).is_err(), "byte {at}, bit {bit}");
            }
            assert!(SHEET.lines(&right[..at]).is_err(), "cut to {at}");
        }
        assert!(SHEET.lines(&format!("{right}\n")).is_err());
    }

    #[test]
    fn what_is_no_sheet_a_newer_or_half_of_one_is_told() {
        let whole = SHEET.print([]);
        for wrong in ["", "{}", "bary-test 1\n", "bary-test x\n"] {
            assert_eq!(SHEET.lines(wrong), Err(SheetError::NotOne(SHEET)), "{wrong}");
        }
        let newer = SHEET.lines("bary-test 3\nnew");
        assert_eq!(newer, Err(SheetError::Newer { version: 3, known: 2 }));
        assert_eq!(SHEET.lines("bary-test 2\n"), Err(SheetError::NoSum { line: 2 }));
        let cut = SHEET.lines(&whole[..whole.len() - 1]);
        assert_eq!(cut, Err(SheetError::WrongSum { line: 2 }));
        let both = whole.clone() + &whole;
        assert_eq!(SHEET.lines(&both), Err(SheetError::WrongSum { line: 2 }));
    }
}
