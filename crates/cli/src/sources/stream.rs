//! A stream of inputs as it is read, part by part; what an earlier run of a state has read is
//! skipped, once it is sure to be the same.

use std::io::{self, Read};
use std::path::PathBuf;

use bary_model::event::{Event, EventKind};
use bary_model::inputs::Inputs;

use crate::complaint::Complaint;
use crate::limits;
use crate::sources::chunk::{Chunk, Chunker};
use crate::sources::read_error;

/// A stream that is read as it comes.
pub(crate) struct Stream {
    from: Box<dyn Read + Send>,
    /// None once the end was read.
    chunker: Option<Chunker>,
    buffer: Vec<u8>,
    /// Where it comes from, for messages.
    path: PathBuf,
    /// The slots among which the last inputs are shared.
    slots: u32,
    /// What was read and not handed on.
    rest: Option<Part>,
    rows: u64,
}

/// Rows that were read together.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) chunk: Chunk,
    /// The first row of them that is wanted.
    pub(crate) first: u64,
    /// How many rows of the stream came before the first of the chunk.
    pub(crate) before: u64,
}

/// What of a stream an earlier run has read: how many rows, and their hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    rows: u64,
    hasher: blake3::Hasher,
}

impl Known {
    /// Folds an event in.
    pub(crate) fn on_event(&mut self, event: &Event) {
        let EventKind::Submitted { specs, .. } = &event.kind else { return };
        for spec in specs.iter() {
            for index in 0..u64::from(spec.count) {
                self.take_in(&spec.inputs, spec.first_row + index);
            }
        }
    }

    fn take_in(&mut self, inputs: &Inputs, row: u64) {
        // How many empty columns a line is filled up with depends on what was read with it.
        let mut values: Vec<_> = inputs.row(row).values().collect();
        if values.len() > inputs.columns() {
            values.retain(|value| !value.is_empty());
        }
        while values.last().is_some_and(|value| value.is_empty()) {
            values.pop();
        }
        for value in values {
            self.hasher.update(&(value.len() as u64).to_le_bytes());
            self.hasher.update(&value);
        }
        // No value is as long as this, so that rows cannot be taken for each other.
        self.hasher.update(&u64::MAX.to_le_bytes());
        self.rows += 1;
    }

    fn is_same(&self, other: &Self) -> bool {
        self.rows == other.rows && self.hasher.finalize() == other.hasher.finalize()
    }
}

impl Stream {
    pub(crate) fn new(
        from: Box<dyn Read + Send>,
        chunker: Chunker,
        path: PathBuf,
        slots: u32,
    ) -> Self {
        let buffer = vec![0; limits::STREAM_READ_BYTES_MAX];
        Self { from, chunker: Some(chunker), buffer, path, slots, rest: None, rows: 0 }
    }

    /// The next rows, as soon as there are any; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Part>, Complaint> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        while let Some(chunker) = &mut self.chunker {
            // A read gives what is there; so nothing waits for a stream that is slow.
            let chunk = match self.from.read(&mut self.buffer) {
                Ok(0) => match self.chunker.take() {
                    Some(chunker) => chunker.finish(self.slots)?,
                    None => None,
                },
                Ok(count) => chunker.feed(&self.buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
                Err(error) => return Err(Complaint::failed(read_error(&self.path, error))),
            };
            if let Some(chunk) = chunk {
                let before = self.rows;
                self.rows += chunk.inputs.rows();
                return Ok(Some(Part { chunk, first: 0, before }));
            }
        }
        Ok(None)
    }

    /// Skips what is known; `whole` says that nothing may follow.
    ///
    /// # Errors
    /// Where the stream is not the one that is known.
    pub(crate) fn skip(&mut self, known: &Known, whole: bool) -> Result<(), Complaint> {
        let mut seen = Known::default();
        while seen.rows < known.rows {
            let Some(part) = self.next()? else { return Err(changed("ends earlier")) };
            let rows = part.chunk.inputs.rows();
            let wanted = rows.min(known.rows - seen.rows);
            (0..wanted).for_each(|row| seen.take_in(&part.chunk.inputs, row));
            if wanted < rows {
                self.rest = Some(Part { first: wanted, ..part });
            }
        }
        if !seen.is_same(known) {
            return Err(changed("differs"));
        }
        if whole && self.next()?.is_some() {
            return Err(changed("goes on"));
        }
        Ok(())
    }
}

fn changed(how: &str) -> Complaint {
    let text = format!("the input is not the one that the state was made with: it {how}");
    let help = "give it the same input, or name another directory for this one";
    Complaint::usage(text).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::cut::Cut;

    fn stream(text: &'static str) -> Stream {
        let chunker = Chunker::new(Cut::lines_of(b'\n'));
        Stream::new(Box::new(text.as_bytes()), chunker, "-".into(), 1)
    }

    fn known(text: &'static str) -> Known {
        let mut known = Known::default();
        let mut stream = stream(text);
        while let Some(part) = stream.next().expect("it can be read") {
            (0..part.chunk.inputs.rows()).for_each(|row| known.take_in(&part.chunk.inputs, row));
        }
        known
    }

    #[test]
    fn what_is_known_is_skipped() {
        let mut same = stream("a\nb\nc\n");
        same.skip(&known("a\nb\n"), false).expect("it begins so");
        let rest = same.next().expect("it can be read").expect("there is more");
        assert_eq!((rest.first, rest.before, rest.chunk.inputs.rows()), (2, 0, 3));
        assert!(same.next().expect("it can be read").is_none());
        stream("a\nb\n").skip(&known("a\nb\n"), true).expect("it is the same");
    }

    #[test]
    fn another_stream_is_told_apart() {
        for (text, how) in [("a\nx\n", "differs"), ("a\n", "ends earlier"), ("a\nb\nc", "goes on")]
        {
            let told = stream(text).skip(&known("a\nb\n"), true).expect_err("it is another");
            assert!(told.to_string().contains(how), "{told}");
        }
        assert!(!known("ab\nc\n").is_same(&known("a\nbc\n")));
    }
}
