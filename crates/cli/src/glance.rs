//! A glance at the beginning or the end of what a task said, without holding the rest.

use std::io::{self, Write};

use bary_model::payload::Payload;
use bary_ports::store::Store;

/// A writer that takes in a beginning and refuses the rest.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    most: usize,
}

impl Head {
    /// So many bytes of a payload, or fewer where there are no more or they cannot be read.
    pub(crate) fn of(store: &dyn Store, payload: &Payload, most: usize) -> Vec<u8> {
        if let Payload::Inline(bytes) = payload {
            return bytes[..most.min(bytes.len())].to_vec();
        }
        let mut head = Self { bytes: Vec::new(), most };
        // It ends with the refusal where there is more than is wanted.
        drop(store.read_payload_to(payload, &mut head));
        head.bytes
    }
}

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.most - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer that keeps only the end of what it is given.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// The most bytes of an end that are looked at.
    const BYTES_MAX: usize = 8 << 10;

    /// The end of a payload; nothing where it cannot be read.
    pub(crate) fn of(store: &dyn Store, payload: &Payload) -> Vec<u8> {
        let mut tail = Self::default();
        match store.read_payload_to(payload, &mut tail) {
            Ok(()) => tail.bytes,
            Err(_) => Vec::new(),
        }
    }
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fresh = &bytes[bytes.len().saturating_sub(Self::BYTES_MAX)..];
        let over = (self.bytes.len() + fresh.len()).saturating_sub(Self::BYTES_MAX);
        self.bytes.drain(..over);
        self.bytes.extend_from_slice(fresh);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_end() {
        let mut tail = Tail::default();
        for part in [&b"start"[..], &[b'x'; Tail::BYTES_MAX], b"end"] {
            tail.write_all(part).expect("memory takes it");
        }
        assert_eq!(tail.bytes.len(), Tail::BYTES_MAX);
        assert!(tail.bytes.ends_with(b"xend"));
    }

    #[test]
    fn a_head_is_the_beginning() {
        let mut head = Head { bytes: Vec::new(), most: 3 };
        assert!(head.write_all(b"abcdef").is_err());
        assert_eq!(head.bytes, b"abc");
    }
}
