//! How a batch lies in a segment: `head checksum 4, batch checksum 4, length 4, behind 4, lsn 8`,
//! the batch, and zeros up to a multiple of 8.
//!
//! `behind` is how far the log was durable when the frame was written: up to `lsn - behind`. It
//! tells rot from a torn write: what a sound frame calls durable must be sound. A frame with
//! `behind` 0 is a mark: it holds no batch and only says that all up to `lsn` is durable.

use bary_model::id::Lsn;

use crate::header::{NUMBER_MAX, u32_at, u64_at};

/// How long a frame's head is.
pub(crate) const HEAD_BYTES: usize = 24;
/// Frames begin at multiples of this.
pub(crate) const ALIGN: usize = 8;

/// A frame that was read and whose checksums fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) lsn: Lsn,
    pub(crate) behind: u32,
    pub(crate) batch: &'a [u8],
}

impl Frame<'_> {
    pub(crate) fn is_mark(&self) -> bool {
        self.behind == 0
    }

    /// Up to where the log was durable when this was written.
    pub(crate) fn durable(&self) -> Lsn {
        Lsn(self.lsn.0.saturating_sub(u64::from(self.behind)))
    }

    /// How many bytes it takes in the segment.
    pub(crate) fn bytes(&self) -> usize {
        frame_bytes(self.batch.len())
    }
}

/// How many bytes a batch of `len` takes.
pub(crate) fn frame_bytes(len: usize) -> usize {
    (HEAD_BYTES + len).next_multiple_of(ALIGN)
}

/// Adds a frame to `into`.
pub(crate) fn encode(salt: u32, lsn: Lsn, behind: u32, batch: &[u8], into: &mut Vec<u8>) {
    let mut head = [0; HEAD_BYTES];
    head[4..8].copy_from_slice(&crc32c::crc32c_append(salt, batch).to_le_bytes());
    head[8..12].copy_from_slice(&(batch.len() as u32).to_le_bytes());
    head[12..16].copy_from_slice(&behind.to_le_bytes());
    head[16..].copy_from_slice(&lsn.0.to_le_bytes());
    let sum = crc32c::crc32c_append(salt, &head[4..]);
    head[..4].copy_from_slice(&sum.to_le_bytes());
    let end = into.len() + frame_bytes(batch.len());
    into.extend_from_slice(&head);
    into.extend_from_slice(batch);
    into.resize(end, 0);
}

/// Reads the frame at `at`; `None` where there is no sound one.
pub(crate) fn decode(salt: u32, bytes: &[u8], at: usize) -> Option<Frame<'_>> {
    let head = bytes.get(at..at + HEAD_BYTES)?;
    if u32_at(head, 0) != crc32c::crc32c_append(salt, &head[4..]) {
        return None;
    }
    let start = at + HEAD_BYTES;
    let batch = bytes.get(start..start.checked_add(u32_at(head, 8) as usize)?)?;
    if u32_at(head, 4) != crc32c::crc32c_append(salt, batch) {
        return None;
    }
    let lsn = Lsn(u64_at(head, 16));
    (lsn.0 < NUMBER_MAX).then_some(Frame { lsn, behind: u32_at(head, 12), batch })
}

/// Looks for sound frames from `at` on, wherever they begin, and gives each to `found`. `after`
/// and more bytes than the segment has bound the numbers that are worth a checksum.
pub(crate) fn search(
    salt: u32,
    bytes: &[u8],
    at: usize,
    after: Lsn,
    found: &mut dyn FnMut(usize, Frame<'_>),
) {
    let numbers = after.0.saturating_sub(1)..=after.0.saturating_add(bytes.len() as u64);
    let mut at = at.next_multiple_of(ALIGN);
    while at + HEAD_BYTES <= bytes.len() {
        let frame =
            numbers.contains(&u64_at(bytes, at + 16)).then(|| decode(salt, bytes, at)).flatten();
        at += match frame {
            Some(frame) => {
                found(at, frame);
                frame.bytes()
            }
            None => ALIGN,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, decode, encode, frame_bytes, search};
    use crate::header::NUMBER_MAX;
    use bary_model::id::Lsn;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_no_bit_of_it_may_change() {
        let mut bytes = vec![0; 8];
        encode(9, Lsn(5), 2, b"a batch", &mut bytes);
        assert_eq!(bytes.len(), 8 + frame_bytes(7));
        let frame = Frame { lsn: Lsn(5), behind: 2, batch: b"a batch" };
        assert_eq!(decode(9, &bytes, 8), Some(frame));
        assert_eq!(frame.durable(), Lsn(3));
        assert_eq!(decode(8, &bytes, 8), None, "another segment's frame");
        for bit in 8 * 8..(8 + 24 + 7) * 8 {
            let mut spoiled = bytes.clone();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(9, &spoiled, 8), None, "bit {bit}");
        }
        for end in 0..8 + 24 + 7 {
            assert_eq!(decode(9, &bytes[..end], 8), None, "cut at {end}");
        }
    }

    #[test]
    fn a_number_that_no_log_comes_to_is_refused() {
        for (lsn, good) in [(NUMBER_MAX - 1, true), (NUMBER_MAX, false), (u64::MAX, false)] {
            let mut bytes = Vec::new();
            encode(9, Lsn(lsn), 0, b"", &mut bytes);
            assert_eq!(decode(9, &bytes, 0).is_some(), good, "{lsn}");
        }
    }

    #[test]
    fn sound_frames_are_found_among_rubbish() {
        let mut bytes = vec![0xaa; 104];
        encode(9, Lsn(5), 2, b"a batch", &mut bytes);
        bytes.extend([0xbb; 48]);
        encode(9, Lsn(6), 0, b"", &mut bytes);
        encode(8, Lsn(7), 1, b"another segment's", &mut bytes);
        let mut seen = Vec::new();
        search(9, &bytes, 3, Lsn(5), &mut |at, frame| seen.push((at, frame.lsn)));
        assert_eq!(seen, [(104, Lsn(5)), (104 + 32 + 48, Lsn(6))]);
    }
}
