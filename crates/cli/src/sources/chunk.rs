//! A stream of bytes becomes tables of inputs, one for each read, as far as rows are whole.

use std::sync::Arc;

use bary_model::inputs::lines::{Lines, LinesBuilder};
use bary_model::inputs::{Grouping, Inputs, InputsError};

use crate::limits;
use crate::sources::cut::{Cut, Rows};

/// Cuts a stream into chunks of whole rows.
#[derive(Debug)]
pub(crate) struct Chunker {
    cut: Cut,
    /// The start of a line, or of a block, whose end has not come.
    open: Vec<u8>,
    records: LinesBuilder,
}

/// Rows that became whole.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) inputs: Inputs,
    /// How many bytes they hold.
    pub(crate) bytes: u64,
}

/// Why a stream gives no more inputs. What was read before stays good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChunkError {
    #[error("an input is longer than {} bytes (limit input_bytes_max)", limits::INPUT_BYTES_MAX)]
    TooLong,
    #[error(transparent)]
    Inputs(#[from] InputsError),
}

impl Chunker {
    pub(crate) fn new(cut: Cut) -> Self {
        Self { cut, open: Vec::new(), records: LinesBuilder::default() }
    }

    /// Takes in what was read and gives what became whole.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Option<Chunk>, ChunkError> {
        match self.cut.rows {
            Rows::Blocks(size) => self.feed_block(bytes, size),
            _ => self.feed_lines(bytes),
        }
        let most = match self.cut.rows {
            Rows::Blocks(size) => limits::INPUT_BYTES_MAX.max(size),
            _ => limits::INPUT_BYTES_MAX,
        };
        if self.open.len() > most {
            return Err(ChunkError::TooLong);
        }
        self.take(None)
    }

    /// The rest, shared among so many slots where rows have no fixed size.
    pub(crate) fn finish(mut self, slots: u32) -> Result<Option<Chunk>, ChunkError> {
        let open = std::mem::take(&mut self.open);
        if !open.is_empty() && self.cut.wants(&open) {
            self.records.push(&open);
        }
        self.take(Some(slots))
    }

    fn feed_lines(&mut self, bytes: &[u8]) {
        let end = self.cut.end;
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|&byte| byte == end) {
            let line = &rest[..at];
            if self.open.is_empty() {
                if self.cut.wants(line) {
                    self.records.push(line);
                }
            } else {
                self.open.extend_from_slice(line);
                if self.cut.wants(&self.open) {
                    self.records.push(&self.open);
                }
                self.open.clear();
            }
            rest = &rest[at + 1..];
        }
        self.open.extend_from_slice(rest);
    }

    fn feed_block(&mut self, bytes: &[u8], size: usize) {
        let looked = self.open.len();
        self.open.extend_from_slice(bytes);
        let end = self.cut.end;
        let mut start = 0;
        while self.open.len() - start >= size {
            let block = &self.open[start..];
            let within = block[..size].iter().rposition(|&byte| byte == end);
            // A line longer than a block makes a longer block. What was looked at before in vain
            // is not looked at again.
            let seen = looked.saturating_sub(start).max(size);
            let past = || {
                let fresh = block.get(seen..)?;
                Some(seen + fresh.iter().position(|&byte| byte == end)?)
            };
            let Some(at) = within.or_else(past) else { break };
            self.records.push(&block[..=at]);
            start += at + 1;
        }
        self.open.drain(..start);
    }

    fn take(&mut self, last: Option<u32>) -> Result<Option<Chunk>, ChunkError> {
        let there = self.records.count();
        if there == 0 {
            return Ok(None);
        }
        let lines = std::mem::take(&mut self.records).finish();
        let (grouping, whole) = match self.cut.rows {
            Rows::Single | Rows::Blocks(_) => (Grouping::Single, there),
            Rows::Every(size) => {
                let whole = if last.is_some() { there } else { there - there % u64::from(size) };
                (Grouping::Every(size), whole)
            }
            Rows::Fit(fit) => {
                let ends = fit.ends(lines.iter().map(|line| line.len() + 1), last);
                let whole = ends.last().copied().unwrap_or(0);
                (Grouping::Ends(Arc::from(ends)), u64::from(whole))
            }
        };
        let lines = if whole == there { lines } else { self.put_back(&lines, whole) };
        if whole == 0 {
            return Ok(None);
        }
        let bytes = lines.iter().map(|line| line.len() as u64).sum();
        let inputs = Inputs::new(vec![self.cut.columns(lines)], grouping)?;
        Ok(Some(Chunk { inputs, bytes }))
    }

    /// Keeps what follows the first `whole` lines for later and gives those.
    fn put_back(&mut self, lines: &Lines, whole: u64) -> Lines {
        for n in whole..lines.count() {
            self.records.push(lines.line(n).unwrap_or_default());
        }
        lines.iter().take(usize::try_from(whole).unwrap_or(usize::MAX)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::cut::Fit;

    fn shown(chunk: Option<Chunk>) -> Vec<String> {
        let Some(Chunk { inputs, .. }) = chunk else { return Vec::new() };
        let row = |n| {
            let values: Vec<_> = inputs.row(n).values().map(|value| value.into_owned()).collect();
            String::from_utf8_lossy(&values.join(&b' ')).into_owned()
        };
        (0..inputs.rows()).map(row).collect()
    }

    fn fed(cut: Cut, reads: &[&str]) -> Vec<Vec<String>> {
        let mut chunker = Chunker::new(cut);
        let mut chunks: Vec<_> = reads
            .iter()
            .map(|read| shown(chunker.feed(read.as_bytes()).expect("the inputs are short")))
            .collect();
        chunks.push(shown(chunker.finish(2).expect("the inputs are short")));
        chunks
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let cut = Cut::lines_of(b'\n');
        let chunks = fed(cut, &["a\nb", "b\n", "", "\nc"]);
        assert_eq!(chunks, [vec!["a"], vec!["bb"], vec![], vec![""], vec!["c"]]);
    }

    #[test]
    fn a_row_waits_until_it_is_whole() {
        let cut = Cut { rows: Rows::Every(2), ..Cut::lines_of(b'\n') };
        let chunks = fed(cut, &["a\nb\nc\n", "d\n", "e\n"]);
        assert_eq!(chunks, [vec!["a b"], vec!["c d"], vec![], vec!["e"]]);
        let fit = Fit { fixed: 0, around: 0, times: 1 };
        let cut = Cut { rows: Rows::Fit(fit), ..Cut::lines_of(b'\n') };
        assert_eq!(fed(cut, &["a\nb\n", "c\n"]), [vec![], vec![], vec!["a b", "c"]]);
    }

    #[test]
    fn blocks_are_of_whole_lines() {
        let cut = Cut { rows: Rows::Blocks(4), ..Cut::lines_of(b'\n') };
        let chunks = fed(cut.clone(), &["a\nb\nc\n", "d"]);
        assert_eq!(chunks, [vec!["a\nb\n"], vec![], vec!["c\nd"]]);
        let chunks = fed(cut, &["longer ", "than\nx\n"]);
        assert_eq!(chunks, [vec![], vec!["longer than\n"], vec!["x\n"]]);
    }
}
