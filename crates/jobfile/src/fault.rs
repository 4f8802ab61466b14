//! What is wrong with a job file, where, and what to write instead.

use std::fmt;
use std::ops::Range;

/// One fault. Nothing has run when faults are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file as the user named it, or the flag that is wrong.
    pub path: String,
    /// Where in the file; `None` where a flag or the whole file is meant.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that is known.
    pub fix: Option<String>,
}

/// A place in a file, with the line that stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub width: usize,
    /// The line, without what a terminal would obey; cut where it is very long.
    pub text: String,
    /// How many characters of the line were cut before `text`.
    pub cut: usize,
}

/// The most characters of a line that are shown.
const SHOWN: usize = 120;

impl Place {
    /// The place of a span of bytes; past the end of the source, its end.
    #[must_use]
    pub fn of(source: &str, span: Range<usize>) -> Self {
        let start = floor(source, span.start);
        let end = floor(source, span.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let before = source[line_start..start].chars().count();
        let width = source[start..end.min(line_end)].chars().count().max(1);
        let cut = before.saturating_sub(SHOWN / 2);
        let shown = source[line_start..line_end].chars().skip(cut).take(SHOWN);
        let text: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self {
            line: source[..start].matches('\n').count() + 1,
            column: before + 1,
            width: width.min(SHOWN.saturating_sub(before - cut)).max(1),
            text: text.trim_end().to_owned(),
            cut,
        }
    }
}

fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            write!(f, "{}: {}", self.path, self.message)?;
            return self.write_fix(f);
        };
        let (line, column) = (place.line, place.column);
        writeln!(f, "{}:{line}:{column}: {}", self.path, self.message)?;
        writeln!(f, "{line:5} | {}", place.text)?;
        let indent = column - 1 - place.cut;
        write!(f, "      | {:indent$}{}", "", "^".repeat(place.width))?;
        self.write_fix(f)
    }
}

impl Fault {
    fn write_fix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fix {
            Some(fix) => write!(f, "\nhelp: {fix}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_line_with_a_caret_and_the_fix() {
        let source = "name = \"é\"\ncomand = 1\n";
        let fault = Fault {
            path: "job.toml".into(),
            place: Some(Place::of(source, 12..18)),
            message: "unknown key `comand`".into(),
            fix: Some("did you mean `command`?".into()),
        };
        let want = "job.toml:2:1: unknown key `comand`\n    2 | comand = 1\n      | ^^^^^^\n\
                    help: did you mean `command`?";
        assert_eq!(fault.to_string(), want);
    }

    #[test]
    fn a_long_line_is_cut_around_its_place() {
        let source = format!("{}x{}", "é".repeat(500), "y".repeat(500));
        let place = Place::of(&source, 1_000..1_001);
        assert_eq!((place.line, place.column, place.width), (1, 501, 1));
        assert_eq!(place.text.chars().nth(place.column - 1 - place.cut), Some('x'));
        assert!(place.text.chars().count() <= SHOWN);
        assert_eq!(Place::of("a", 99..200).column, 2);
    }
}
