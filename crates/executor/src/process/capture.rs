//! Keeping what a command prints: in memory, then in an unlinked file, up to a limit.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use bary_model::action::Capture;
use bary_model::payload::Payload;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

use crate::config::ExecutorConfig;

/// What was printed to one stream so far.
pub(crate) struct Captured {
    mode: Capture,
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    /// Whether something was thrown away: at the limit, or since the disk failed.
    cut: bool,
    /// The line that has not ended yet, where lines are handed on.
    line: Vec<u8>,
}

impl Captured {
    pub(crate) fn new(mode: Capture) -> Self {
        let (memory, line) = (Vec::new(), Vec::new());
        Self { mode, memory, file: None, len: 0, cut: false, line }
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
        self.cut |= keep < bytes.len();
        if self.keep(&bytes[..keep], config).is_err() {
            self.cut = true;
        }
    }

    /// Hands on a last line without an end.
    pub(crate) fn flush(&mut self, hand: &mut dyn FnMut(Bytes)) {
        if !self.line.is_empty() {
            hand(Bytes::from(std::mem::take(&mut self.line)));
        }
    }

    /// Whether something was thrown away.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Adds a line of our own at the end, whatever the limit says.
    pub(crate) fn note(&mut self, text: &str) {
        let start = if self.len == 0 { "" } else { "\n" };
        let line = format!("{start}[bary: {text}]\n");
        match &mut self.file {
            Some(file) => self.cut |= file.write_all(line.as_bytes()).is_err(),
            None => self.memory.extend_from_slice(line.as_bytes()),
        }
        self.len += line.len() as u64;
    }

    /// Hands everything that was kept to the store.
    pub(crate) fn into_payload(self, store: &dyn Store) -> Result<Payload, StoreError> {
        let Some(mut file) = self.file else { return store.payload(Bytes::from(self.memory)) };
        let len = file.stream_position()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Payload::Stored(store.put_from(&mut file, len)?))
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
            let mut file = tempfile::tempfile_in(&config.scratch_dir)?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}
