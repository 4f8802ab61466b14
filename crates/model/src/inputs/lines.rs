//! Many short byte strings in one buffer, so that a million input lines cost two allocations.

use std::fmt;

/// Byte strings in order; they need not be UTF-8 and may hold any byte.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Lines {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

/// Gathers [`Lines`] one by one.
#[derive(Debug, Default)]
pub struct LinesBuilder {
    lines: Lines,
}

impl Lines {
    /// How many lines.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Line `n`, counted from 0; `None` past the last.
    #[must_use]
    pub fn line(&self, n: u64) -> Option<&[u8]> {
        let n = usize::try_from(n).ok()?;
        let end = *self.ends.get(n)? as usize;
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.bytes[start..end])
    }

    /// Every line, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count()).filter_map(|n| self.line(n))
    }
}

impl LinesBuilder {
    /// Adds one line, without a line end.
    pub fn push(&mut self, line: &[u8]) {
        self.lines.bytes.extend_from_slice(line);
        self.lines.ends.push(self.lines.bytes.len() as u64);
    }

    /// How many bytes were pushed so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.bytes.len()
    }

    /// How many lines were pushed so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lines.count()
    }

    /// The lines, with the memory that they need and no more.
    #[must_use]
    pub fn finish(mut self) -> Lines {
        self.lines.bytes.shrink_to_fit();
        self.lines.ends.shrink_to_fit();
        self.lines
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for Lines {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        let mut builder = LinesBuilder::default();
        for line in lines {
            builder.push(line.as_ref());
        }
        builder.finish()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({} in {} bytes)", self.ends.len(), self.bytes.len())
    }
}
