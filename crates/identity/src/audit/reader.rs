//! Reads a file of an audit log line by line, and holds each against the chain. It keeps one line
//! at a time, however long the file or whatever stands in it.

use std::io::{self, BufRead, Read};

use super::Line;
use super::chain::{Chain, LINE_BYTES_MAX, Misfit};

/// A file being read. After its end it may be asked again: a file may have grown.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    chain: Chain,
    /// The line of the file that was read last, its head being the first.
    line: u64,
    /// The bytes up to the end of that line.
    bytes: u64,
}

/// Why a file is not the log that was written. What was read before is.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A line is not the next one of the log.
    #[error("line {line}: {misfit}")]
    Misfit {
        /// The line of the file, from 1.
        line: u64,
        /// Why not.
        misfit: Misfit,
    },
    /// The last line has no end: it was cut off while it was written, or later.
    #[error("line {line}: it was cut off after {} bytes", tail.len())]
    Torn {
        /// The line of the file, from 1.
        line: u64,
        /// The bytes up to the end of the line before it, which is whole.
        whole: u64,
        /// What is there of it.
        tail: Vec<u8>,
    },
    /// A line is longer than any that is written.
    #[error("line {line}: it has more than {LINE_BYTES_MAX} bytes, which no line has")]
    Long {
        /// The line of the file, from 1.
        line: u64,
    },
    /// It could not be read.
    #[error("line {line}: {cause}")]
    Failed {
        /// The line of the file, from 1.
        line: u64,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Reads a whole file of a log and gives the chain at its end. With `before`, the file has to go on
/// from there; without, it may begin anywhere.
///
/// # Errors
/// Names the first line that is not the next one; see [`ReadError`].
pub fn verify(from: impl BufRead, before: Option<&Chain>) -> Result<Chain, ReadError> {
    let mut reader = Reader::new(from)?;
    if let Some(before) = before {
        reader.follows(before)?;
    }
    while reader.next_line()?.is_some() {}
    Ok(reader.chain)
}

impl<R: BufRead> Reader<R> {
    /// Begins to read a file, by its head.
    ///
    /// # Errors
    /// Where it has none, or cannot be read.
    pub fn new(from: R) -> Result<Self, ReadError> {
        let mut reader = Self { from, chain: Chain::default(), line: 0, bytes: 0 };
        let Some(head) = reader.text()? else { return Err(misfit(1, Misfit::NoHead)) };
        reader.chain = Chain::of_head(&head).map_err(|fault| misfit(1, fault))?;
        Ok(reader)
    }

    /// Holds that the file goes on after `before`; to be asked before its first line is read.
    ///
    /// # Errors
    /// Where it goes on after another line.
    pub fn follows(&self, before: &Chain) -> Result<(), ReadError> {
        before.fits(&self.chain).map_err(|fault| misfit(1, fault))
    }

    /// The next line of the log; `None` at the end of the file.
    ///
    /// # Errors
    /// Where what stands there is not the next line.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        let Some(text) = self.text()? else { return Ok(None) };
        let line = self.chain.check(&text).map_err(|fault| misfit(self.line, fault))?;
        Ok(Some(line))
    }

    /// The chain up to the line that was read last.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// The bytes of the file up to the end of the line that was read last.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The text of the file's next line, without its end.
    fn text(&mut self) -> Result<Option<String>, ReadError> {
        let line = self.line + 1;
        let mut bytes = Vec::new();
        let read = (&mut self.from).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut bytes);
        let read = read.map_err(|cause| ReadError::Failed { line, cause })?;
        if read == 0 {
            return Ok(None);
        }
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            return Err(match read {
                LINE_BYTES_MAX => ReadError::Long { line },
                _ => ReadError::Torn { line, whole: self.bytes, tail: bytes },
            });
        }
        let changed = || match line {
            1 => misfit(1, Misfit::NoHead),
            _ => misfit(line, Misfit::Changed { number: self.chain.number() + 1 }),
        };
        let text = String::from_utf8(bytes).map_err(|_| changed())?;
        self.line = line;
        self.bytes += read as u64;
        Ok(Some(text))
    }
}

fn misfit(line: u64, misfit: Misfit) -> ReadError {
    ReadError::Misfit { line, misfit }
}

#[cfg(test)]
mod tests {
    use bary_api::role::Role;
    use bary_model::time::Wall;

    use super::{ReadError, Reader, verify};
    use crate::audit::chain::{Chain, LINE_BYTES_MAX, Misfit};
    use crate::audit::{Entry, Outcome};

    /// A file of `count` lines that goes on from `chain`.
    fn file(chain: &mut Chain, count: usize) -> String {
        let mut text = chain.head();
        for number in 0..count {
            let target = format!("job {number}");
            text += &chain
                .append(&Entry {
                    at: Wall(7),
                    who: "ci",
                    role: Some(Role::Admin),
                    door: "http",
                    verb: "cancel",
                    target: &target,
                    outcome: Outcome::Refused,
                    reason: "no ü",
                })
                .1;
        }
        text
    }

    #[test]
    fn files_that_follow_each_other_are_whole() {
        let mut chain = Chain::default();
        let (one, two) = (file(&mut chain, 3), file(&mut chain, 2));
        let between = verify(one.as_bytes(), Some(&Chain::default())).expect("it is whole");
        assert_eq!(between.number(), 3);
        let end = verify(two.as_bytes(), Some(&between)).expect("it follows");
        assert_eq!(end, chain);
        assert_eq!(verify(two.as_bytes(), None).expect("it is whole by itself"), chain);
        let alone = verify(two.as_bytes(), Some(&Chain::default()));
        let missing = Misfit::Missing { from: 1, next: 4 };
        assert!(matches!(alone, Err(ReadError::Misfit { line: 1, misfit }) if misfit == missing));
    }

    #[test]
    fn every_changed_byte_is_found_in_its_line() {
        let right = file(&mut Chain::default(), 3).into_bytes();
        let line_of = |at: usize| 1 + right[..at].iter().filter(|byte| **byte == b'\n').count();
        for at in 0..right.len() {
            for mask in [0x01, 0x20, 0x80, 0xFF] {
                let mut changed = right.clone();
                changed[at] ^= mask;
                let error = verify(changed.as_slice(), Some(&Chain::default()));
                let error = error.expect_err("a byte was changed").to_string();
                let named = format!("line {}: ", line_of(at));
                assert!(error.starts_with(&named), "byte {at} ^ {mask}: {error}");
            }
        }
    }

    #[test]
    fn every_cut_is_found_but_between_two_lines() {
        let right = file(&mut Chain::default(), 3);
        for at in 0..right.len() {
            let cut = verify(&right.as_bytes()[..at], Some(&Chain::default()));
            let is_line = at > 0 && right.as_bytes()[at - 1] == b'\n';
            assert_eq!(cut.is_ok(), is_line, "{at}");
            if let Err(ReadError::Torn { whole, tail, .. }) = cut {
                assert_eq!(whole as usize + tail.len(), at);
                assert!(whole == 0 || right.as_bytes()[whole as usize - 1] == b'\n');
            }
        }
    }

    #[test]
    fn lines_removed_doubled_swapped_or_put_in_are_found() {
        let right = file(&mut Chain::default(), 4);
        let lines: Vec<&str> = right.split_inclusive('\n').collect();
        let told = |order: &[usize]| {
            let text: String = order.iter().map(|at| lines[*at]).collect();
            verify(text.as_bytes(), None).expect_err("it is another log").to_string()
        };
        assert_eq!(told(&[0, 1, 3, 4]), "line 3: number 2 is missing before number 3");
        assert_eq!(told(&[0, 2, 3, 4]), "line 2: number 1 is missing before number 2");
        assert!(told(&[0, 1, 1, 2, 3, 4]).starts_with("line 3: number 2 was changed"));
        assert!(told(&[0, 1, 3, 2, 4]).starts_with("line 3: number 2 is missing"));
        assert!(told(&[1, 2]).starts_with("line 1: it does not begin"));
        assert!(told(&[0, 1, 0, 2]).starts_with("line 3: number 2 was changed"));
        assert!(told(&[]).starts_with("line 1: it does not begin"));
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let endless = std::io::BufReader::new(std::io::repeat(b'{'));
        assert!(matches!(verify(endless, None), Err(ReadError::Long { line: 1 })));
        let tail = "x".repeat(LINE_BYTES_MAX - 1);
        let torn = verify((file(&mut Chain::default(), 1) + &tail).as_bytes(), None);
        assert!(matches!(torn, Err(ReadError::Torn { line: 3, .. })));
    }

    #[test]
    fn a_reader_goes_on_where_a_file_has_grown() {
        let mut chain = Chain::default();
        let text = file(&mut chain, 2);
        let second = text.trim_end().rfind('\n').expect("there are lines") + 1;
        let grown = std::io::Read::chain(&text.as_bytes()[..second], &text.as_bytes()[second..]);
        let mut reader = Reader::new(grown).expect("it has a head");
        let mut numbers = Vec::new();
        while let Some(line) = reader.next_line().expect("the lines are whole") {
            numbers.push(line.number);
        }
        assert_eq!(numbers, [1, 2]);
        assert_eq!((reader.chain(), reader.bytes()), (chain, text.len() as u64));
    }
}
