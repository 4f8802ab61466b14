//! How a text is cut into inputs: lines, columns, and how many of them make one row.

use std::sync::Arc;

use bary_model::inputs::Column;
use bary_model::inputs::lines::{Lines, LinesBuilder};

use crate::limits;

/// How a text is cut into inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// What ends a line.
    pub(crate) end: u8,
    /// What stands between two columns.
    pub(crate) colsep: Option<Vec<u8>>,
    /// Whether blank inputs are left out.
    pub(crate) skip_blank: bool,
    pub(crate) rows: Rows,
}

/// How many inputs make one row, that is, one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Single,
    Every(u32),
    /// As many as fit into a command.
    Fit(Fit),
    /// Blocks of whole lines of about so many bytes.
    Blocks(usize),
}

/// How much of a command one input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Characters of the command without inputs.
    pub(crate) fixed: usize,
    /// Characters that each input adds besides its own.
    pub(crate) around: usize,
    /// How often each input stands in the command.
    pub(crate) times: usize,
}

impl Cut {
    /// Lines that end with this byte, one a row.
    #[cfg(test)]
    pub(crate) fn lines_of(end: u8) -> Self {
        Self { end, colsep: None, skip_blank: false, rows: Rows::Single }
    }

    /// Everything that decides how a text becomes rows, the same in any version of this program.
    pub(crate) fn identity(&self, slots: u32) -> String {
        let rows = match self.rows {
            Rows::Single => "each".to_owned(),
            Rows::Every(count) => format!("every {count}"),
            // The last inputs are shared among the slots.
            Rows::Fit(Fit { fixed, around, times }) => {
                format!("fit {fixed} {around} {times} on {slots}")
            }
            Rows::Blocks(size) => format!("blocks of {size}"),
        };
        let colsep = self.colsep.as_deref().unwrap_or_default().escape_ascii();
        format!("{rows} end {} columns '{colsep}' blank {}", self.end, self.skip_blank)
    }

    /// Whether a line is an input at all.
    pub(crate) fn wants(&self, line: &[u8]) -> bool {
        !self.skip_blank || !line.iter().all(u8::is_ascii_whitespace)
    }

    /// The lines of a text; the end of the last one may be missing.
    pub(crate) fn lines(&self, text: &[u8]) -> Lines {
        let mut made = LinesBuilder::default();
        let text = text.strip_suffix(&[self.end]).unwrap_or(text);
        if text.is_empty() {
            return made.finish();
        }
        for line in text.split(|&byte| byte == self.end).filter(|line| self.wants(line)) {
            made.push(line);
        }
        made.finish()
    }

    /// Lines as columns: one, or as many as the separator makes at most.
    pub(crate) fn columns(&self, lines: Lines) -> Vec<Column> {
        let Some(separator) = self.colsep.as_deref().filter(|text| !text.is_empty()) else {
            return vec![Column::Lines(Arc::new(lines))];
        };
        let width = lines.iter().map(|line| fields(line, separator).count()).max().unwrap_or(1);
        let mut columns: Vec<LinesBuilder> = Vec::new();
        columns.resize_with(width, LinesBuilder::default);
        for line in lines.iter() {
            let mut there = fields(line, separator);
            for column in &mut columns {
                column.push(there.next().unwrap_or_default());
            }
        }
        columns.into_iter().map(|column| Column::Lines(Arc::new(column.finish()))).collect()
    }
}

fn fields<'a>(line: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.windows(separator.len()).position(|window| window == separator) {
            Some(at) => {
                rest = Some(&text[at + separator.len()..]);
                Some(&text[..at])
            }
            None => rest.take(),
        }
    })
}

impl Fit {
    /// Where rows end so that each fits a command. With `slots` the inputs are all there are,
    /// and each slot gets an equal share; without, the last row may still grow.
    pub(crate) fn ends(self, lengths: impl Iterator<Item = usize>, slots: Option<u32>) -> Vec<u32> {
        let lengths: Vec<usize> = lengths.collect();
        let share = slots.map_or(usize::MAX, |slots| lengths.len().div_ceil(slots.max(1) as usize));
        let mut ends: Vec<u32> = Vec::new();
        let (mut chars, mut count) = (self.fixed, 0);
        for (at, length) in lengths.iter().enumerate() {
            let more = self.times * length + self.around;
            let full = chars + more > limits::COMMAND_CHARS_MAX || count >= share;
            if full && count > 0 {
                ends.push(at as u32);
                (chars, count) = (self.fixed, 0);
            }
            chars += more;
            count += 1;
        }
        if count > 0 && slots.is_some() {
            ends.push(lengths.len() as u32);
        }
        ends
    }
}

/// A separator as it is written in a flag: `\t`, `\n`, `\0` and `\\` stand for one byte.
pub(crate) fn separator(text: &str) -> Vec<u8> {
    let mut made = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let meant = match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('0') => '\0',
                Some('\\') | None => '\\',
                Some(other) => {
                    made.push(b'\\');
                    other
                }
            },
            c => c,
        };
        made.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_last_line_may_be_missing() {
        let cut = Cut::lines_of(b'\n');
        assert_eq!(cut.lines(b"a\nb"), cut.lines(b"a\nb\n"));
        assert_eq!(cut.lines(b"").count(), 0);
        assert_eq!(cut.lines(b"\n\na\n").iter().collect::<Vec<_>>(), [&b""[..], b"", b"a"]);
        let zero = Cut::lines_of(0);
        assert_eq!(zero.lines(b"a\nb\0c\0").iter().collect::<Vec<_>>(), [&b"a\nb"[..], b"c"]);
    }

    #[test]
    fn short_lines_have_empty_columns() {
        let cut = Cut { colsep: Some(b"::".to_vec()), ..Cut::lines_of(b'\n') };
        let columns = cut.columns(cut.lines(b"a::b\nc\n"));
        assert_eq!(columns.len(), 2);
        let Column::Lines(second) = &columns[1] else { panic!("it is of lines") };
        assert_eq!(second.iter().collect::<Vec<_>>(), [&b"b"[..], b""]);
        assert_eq!(separator("\\t|\\x"), b"\t|\\x");
    }

    #[test]
    fn a_command_is_filled_but_each_slot_has_its_share() {
        let fit = Fit { fixed: 0, around: 0, times: 1 };
        let many = || std::iter::repeat_n(1_000, 300);
        assert_eq!(fit.ends(many(), Some(1)), [131, 262, 300]);
        assert_eq!(fit.ends(many(), None), [131, 262], "the last may still grow");
        assert_eq!(fit.ends(std::iter::repeat_n(1, 5), Some(2)), [3, 5]);
        assert_eq!(fit.ends(std::iter::once(1 << 20), Some(2)), [1]);
    }
}
