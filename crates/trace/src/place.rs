//! On which line of a text something stands.

use serde_json::value::RawValue;

use crate::fault::{Fault, Reason, shown};

/// Where the lines of a text end.
pub(crate) struct Lines<'a> {
    text: &'a str,
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self { text, ends: ends.collect() }
    }

    /// The line of a byte, from 1; past the end of the text, its last.
    pub(crate) fn at(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at) + 1
    }

    /// The line where a part of the text begins; the first where it is no part of it.
    pub(crate) fn of_part(&self, part: &str) -> usize {
        let at = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        at.filter(|at| *at <= self.text.len()).map_or(1, |at| self.at(at))
    }

    /// Reads a part of the text; a fault has its line in the whole text.
    pub(crate) fn read<'b, T: serde::Deserialize<'b>>(
        &self,
        raw: &'b RawValue,
    ) -> Result<T, Fault> {
        serde_json::from_str(raw.get()).map_err(|error| {
            let line = self.of_part(raw.get()) + error.line().max(1) - 1;
            syntax(line, &error)
        })
    }
}

/// Reads a whole JSON text.
pub(crate) fn json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| syntax(error.line().max(1), &error))
}

/// What the parser says, without the place, which stands elsewhere.
pub(crate) fn syntax(line: usize, error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    Fault::at(line, Reason::Syntax(shown(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_and_a_part_have_their_lines() {
        let text = "a\nbc\n\nd";
        let lines = Lines::of(text);
        let found: Vec<usize> = (0..=text.len()).map(|at| lines.at(at)).collect();
        assert_eq!(found, [1, 1, 2, 2, 2, 3, 4, 4]);
        assert_eq!(lines.of_part(&text[6..]), 4);
        assert_eq!(lines.of_part("elsewhere"), 1);
    }
}
