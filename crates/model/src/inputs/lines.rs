//! Many short byte strings in one buffer, so that a million input lines cost two allocations.

use std::fmt;

use bytes::Bytes;
use serde::ser::SerializeTupleStruct;
use serde::{Deserialize, Serialize, Serializer};

/// Byte strings in order; they need not be UTF-8 and may hold any byte.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StoredLines")]
pub struct Lines {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

/// Gathers [`Lines`] one by one.
#[derive(Debug, Default)]
pub struct LinesBuilder {
    lines: Lines,
}

/// Why lengths and bytes are not lines. Nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lengths of lines do not add up to their bytes")]
struct LinesError;

/// Lines as they were written: the length of each, and all bytes.
#[derive(Deserialize)]
struct StoredLines(Vec<u64>, Bytes);

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

impl TryFrom<StoredLines> for Lines {
    type Error = LinesError;

    fn try_from(StoredLines(mut ends, bytes): StoredLines) -> Result<Self, LinesError> {
        let mut total = 0_u64;
        for end in &mut ends {
            total = total.checked_add(*end).ok_or(LinesError)?;
            *end = total;
        }
        let good = total == bytes.len() as u64;
        if good { Ok(Self { bytes: bytes.into(), ends }) } else { Err(LinesError) }
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut pair = to.serialize_tuple_struct("Lines", 2)?;
        pair.serialize_field(&Lengths(self))?;
        pair.serialize_field(&AllBytes(self))?;
        pair.end()
    }
}

struct Lengths<'a>(&'a Lines);

impl Serialize for Lengths<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut before = 0;
        to.collect_seq(self.0.ends.iter().map(|&end| end - std::mem::replace(&mut before, end)))
    }
}

struct AllBytes<'a>(&'a Lines);

impl Serialize for AllBytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0.bytes)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({} in {} bytes)", self.ends.len(), self.bytes.len())
    }
}
