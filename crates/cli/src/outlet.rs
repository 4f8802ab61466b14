//! The way of a task's bytes to the screen, piece by piece, so that large ones are never held
//! whole.

use std::io::{self, Write};

use bary_model::payload::Payload;
use bary_ports::executor::Stream;
use bary_ports::store::{Store, StoreError};

use crate::screen::{PrintError, Screen};

/// A stream of the screen, each line begun with a label where there is one.
pub(crate) struct Outlet<'a> {
    screen: &'a mut Screen,
    stream: Stream,
    label: Option<&'a [u8]>,
    /// The last byte that was written.
    last: Option<u8>,
    failed: Option<PrintError>,
}

/// Why a result was not shown, or only its beginning.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShowError {
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("a result could not be read: {0}")]
    Store(#[from] StoreError),
}

impl<'a> Outlet<'a> {
    pub(crate) fn new(screen: &'a mut Screen, stream: Stream, label: Option<&'a [u8]>) -> Self {
        Self { screen, stream, label, last: None, failed: None }
    }

    /// Writes all of a payload; whether a line is open after it.
    pub(crate) fn show(&mut self, store: &dyn Store, payload: &Payload) -> Result<bool, ShowError> {
        let read = store.read_payload_to(payload, self);
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        read?;
        Ok(self.last.is_some_and(|byte| byte != b'\n'))
    }

    /// Writes bytes that are at hand.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        let Some(&last) = bytes.last() else { return Ok(()) };
        let starts = self.last.is_none_or(|byte| byte == b'\n');
        self.last = Some(last);
        match self.label {
            Some(label) => self.print(&tagged(label, bytes, starts)),
            None => self.print(bytes),
        }
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        match self.stream {
            Stream::Out => self.screen.out(bytes),
            Stream::Err => {
                self.screen.err(bytes);
                Ok(())
            }
        }
    }
}

impl Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.put(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = Some(error);
                Err(io::ErrorKind::WriteZero.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes with a label before each line.
fn tagged(label: &[u8], bytes: &[u8], mut starts: bool) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes.len() + label.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if std::mem::replace(&mut starts, true) {
            made.extend_from_slice(label);
        }
        made.extend_from_slice(line);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_label() {
        assert_eq!(tagged(b"x\t", b"a\nb", true), b"x\ta\nx\tb");
        assert_eq!(tagged(b"x\t", b"b\nc", false), b"b\nx\tc");
        assert_eq!(tagged(b"x\t", b"", true), b"");
    }
}
