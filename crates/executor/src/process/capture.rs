//! Keeping what a command prints: in memory, then in an unlinked file, up to a limit.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use bary_model::action::Capture;
use bary_model::payload::Payload;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

use super::patience::is_scarce;
use crate::config::ExecutorConfig;

/// What was printed to one stream so far.
pub(crate) struct Captured {
    mode: Capture,
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    /// How many bytes were thrown away at the limit.
    cut: u64,
    /// The last of what was thrown away, where it is wanted.
    tail: Option<Vec<u8>>,
    /// Why no more can be kept: the disk failed.
    lost: Option<io::Error>,
    /// The line that has not ended yet, where lines are handed on.
    line: Vec<u8>,
}

/// What was kept of a stream, ready for the store.
pub(crate) struct Kept {
    before: Vec<u8>,
    body: Body,
    after: Vec<u8>,
}

enum Body {
    Memory(Bytes),
    File(File, u64),
}

/// How much is kept of the end of a stream that was cut, where that is wanted.
const TAIL_BYTES: usize = 4096;

/// Stands between the beginning and the end of a stream that was cut.
const GAP: &[u8] = b"\n[bary: cut here; the last of it:]\n";

impl Captured {
    pub(crate) fn new(mode: Capture) -> Self {
        let (memory, line) = (Vec::new(), Vec::new());
        Self { mode, memory, file: None, len: 0, cut: 0, tail: None, lost: None, line }
    }

    /// One that also keeps the end of a stream that is cut, which says most about a failure.
    pub(crate) fn with_tail(mode: Capture) -> Self {
        Self { tail: Some(Vec::new()), ..Self::new(mode) }
    }

    /// Takes what was printed, and hands on what is due.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        config: &ExecutorConfig,
        hand: &mut dyn FnMut(Bytes),
    ) {
        match self.mode {
            Capture::Live => return hand(Bytes::copy_from_slice(bytes)),
            Capture::Lines => self.push_lines(bytes, config, hand),
            Capture::Whole => {}
        }
        let room = config.output_bytes_max.saturating_sub(self.len);
        let keep = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.cut(&bytes[keep..]);
        if self.lost.is_none()
            && let Err(error) = self.keep(&bytes[..keep], config)
        {
            self.lost = Some(error);
        }
    }

    /// Hands on a last line without an end.
    pub(crate) fn flush(&mut self, hand: &mut dyn FnMut(Bytes)) {
        if !self.line.is_empty() {
            hand(Bytes::from(std::mem::take(&mut self.line)));
        }
    }

    /// Whether something was thrown away at the limit.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut > self.tail.as_ref().map_or(0, |tail| tail.len() as u64)
    }

    /// Why not all that was to be kept is there, if so.
    pub(crate) fn lost(&self) -> Option<&io::Error> {
        self.lost.as_ref()
    }

    /// All that was kept, after a first line of our own.
    pub(crate) fn finish(self, before: Vec<u8>) -> Kept {
        let mut after =
            if self.is_cut() && self.tail.is_some() { GAP.to_vec() } else { Vec::new() };
        after.extend(self.tail.unwrap_or_default());
        let body = match self.file {
            Some(file) => Body::File(file, self.len),
            None => Body::Memory(Bytes::from(self.memory)),
        };
        Kept { before, body, after }
    }

    fn cut(&mut self, bytes: &[u8]) {
        self.cut += bytes.len() as u64;
        if let Some(tail) = &mut self.tail {
            tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
            tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
        }
    }

    fn push_lines(&mut self, bytes: &[u8], config: &ExecutorConfig, hand: &mut dyn FnMut(Bytes)) {
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if whole > 0 {
            self.line.extend_from_slice(&bytes[..whole]);
            hand(Bytes::from(std::mem::take(&mut self.line)));
        }
        self.line.extend_from_slice(&bytes[whole..]);
        if self.line.len() as u64 >= config.line_bytes_max {
            hand(Bytes::from(std::mem::take(&mut self.line)));
        }
    }

    fn keep(&mut self, bytes: &[u8], config: &ExecutorConfig) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let spills = self.len + bytes.len() as u64 > config.output_memory_max;
        if spills && self.file.is_none() {
            match tempfile::tempfile_in(&config.scratch_dir) {
                Ok(mut file) => {
                    file.write_all(&self.memory)?;
                    self.memory = Vec::new();
                    self.file = Some(file);
                }
                // Commands that each wait for a descriptor would wait for each other.
                Err(error) if is_scarce(&error) => {}
                Err(error) => return Err(error),
            }
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}

impl Kept {
    /// Nothing but a line of our own.
    pub(crate) fn only(line: Vec<u8>) -> Self {
        Self { before: line, body: Body::Memory(Bytes::new()), after: Vec::new() }
    }

    /// Hands it to the store; it may be handed again where that fails.
    pub(crate) fn payload(&self, store: &dyn Store) -> Result<Payload, StoreError> {
        let (before, after) = (&self.before, &self.after);
        match &self.body {
            Body::Memory(bytes) if before.is_empty() && after.is_empty() => {
                store.payload(bytes.clone())
            }
            Body::Memory(bytes) => store.payload([before.as_slice(), bytes, after].concat().into()),
            Body::File(file, len) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                let all = (before.len() + after.len()) as u64 + len;
                let mut bytes =
                    Cursor::new(before).chain(Read::take(file, *len)).chain(Cursor::new(after));
                Ok(Payload::Stored(store.put_from(&mut bytes, all)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_a_cut() {
        let mut captured = Captured::new(Capture::Whole);
        captured.file = File::options().write(true).open("/dev/full").ok();
        let config = ExecutorConfig { output_memory_max: 1, ..ExecutorConfig::default() };
        captured.push(b"more than one byte", &config, &mut |_| ());
        let lost = captured.lost().expect("nothing can be written to a full disk");
        assert_eq!(lost.raw_os_error(), Some(libc::ENOSPC));
        assert!(!captured.is_cut(), "the limit is far away");
    }
}
