//! A segment file: its header twice, in two sectors, and then frames without gaps. Marks stand
//! between them where the log was idle or opened, since they alone tell rot in what was durable
//! then from a torn write.

use bary_model::id::Lsn;

use crate::frame::{self, Frame};
use crate::header::{HEADER_BYTES, Header, Kind, VERSION};

/// Where the frames begin.
pub(crate) const FRAMES_AT: usize = 1024;
/// Where the header is a second time.
pub(crate) const COPY_AT: usize = 512;

/// A segment whose format is newer than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooNew(pub(crate) u32);

/// What a segment begins with: its header twice.
pub(crate) fn opening(header: &Header) -> [u8; FRAMES_AT] {
    let mut bytes = [0; FRAMES_AT];
    for at in [0, COPY_AT] {
        bytes[at..at + HEADER_BYTES].copy_from_slice(&header.encode());
    }
    bytes
}

/// The header of segment `number`, from whichever copy is sound. `None` where neither is, or where
/// the file was last used as another segment.
pub(crate) fn header(bytes: &[u8], number: u64) -> Result<Option<Header>, TooNew> {
    let copies = copies(bytes);
    let known = copies.into_iter().flatten().find(|header| header.number == number);
    match known {
        Some(header) if header.version > VERSION => Err(TooNew(header.version)),
        known => Ok(known),
    }
}

/// Both copies of the header, where they are sound.
pub(crate) fn copies(bytes: &[u8]) -> [Option<Header>; 2] {
    let second = bytes.get(COPY_AT..).unwrap_or_default();
    [Header::decode(Kind::Segment, bytes), Header::decode(Kind::Segment, second)]
}

/// How far a segment's frames are sound and in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Where the first byte is that belongs to no batch.
    pub(crate) end: usize,
    /// The number that the next batch has.
    pub(crate) next: Lsn,
    /// Up to where frames say that the log is durable.
    pub(crate) durable: Lsn,
    /// Where the first frame begins that none says to be durable.
    pub(crate) unproven: usize,
    /// Whether a mark stands at `end`.
    pub(crate) marked: bool,
}

/// Reads frames until one is unsound or out of order, and gives each to `each`, which goes on by
/// returning true.
pub(crate) fn walk(
    header: &Header,
    bytes: &[u8],
    each: &mut dyn FnMut(usize, Frame<'_>) -> bool,
) -> Walked {
    let salt = header.salt();
    let before = Lsn(header.lsn.0 - 1);
    let (next, end) = (header.lsn, FRAMES_AT);
    let mut walked = Walked { end, next, durable: before, unproven: end, marked: false };
    loop {
        let found = match frame::decode(salt, bytes, walked.end) {
            Some(frame) => past_mark(salt, bytes, &mut walked, frame),
            None => past_rotten_mark(salt, bytes, &mut walked),
        };
        let Some((at, frame)) = found else { break };
        if frame.lsn != walked.next || !each(at, frame) {
            break;
        }
        (walked.end, walked.marked) = (at, false);
        if frame.durable() > walked.durable {
            walked.durable = frame.durable();
            walked.unproven = walked.end;
        }
        walked.next = Lsn(walked.next.0 + 1);
        walked.end += frame.bytes();
    }
    walked
}

/// The frame itself where it is one of a batch; the next one where it is a mark that stays, with a
/// batch behind it. `None` where the log ends at a mark.
fn past_mark<'a>(
    salt: u32,
    bytes: &'a [u8],
    walked: &mut Walked,
    frame: Frame<'a>,
) -> Option<(usize, Frame<'a>)> {
    if !frame.is_mark() {
        return Some((walked.end, frame));
    }
    if frame.lsn.0 + 1 != walked.next.0 {
        return None;
    }
    walked.marked = true;
    walked.durable = frame.lsn;
    walked.unproven = walked.end;
    let at = walked.end + frame.bytes();
    let next = frame::decode(salt, bytes, at)?;
    (!next.is_mark() && next.lsn == walked.next).then_some((at, next))
}

/// The next batch where it stands just behind what a mark takes. Only a mark that was durable is
/// not overwritten, so one stood here, whatever is left of it: it says no more than that.
fn past_rotten_mark<'a>(
    salt: u32,
    bytes: &'a [u8],
    walked: &mut Walked,
) -> Option<(usize, Frame<'a>)> {
    let at = walked.end + frame::HEAD_BYTES;
    let next = frame::decode(salt, bytes, at)?;
    if next.is_mark() || next.lsn != walked.next {
        return None;
    }
    walked.durable = Lsn(walked.next.0 - 1);
    walked.unproven = walked.end;
    Some((at, next))
}

/// What lies beyond the last sound frame of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// How many sound frames.
    pub(crate) frames: u64,
    /// Where the first is that calls durable what is not sound.
    pub(crate) accuser: Option<usize>,
    /// Up to where it calls durable.
    pub(crate) durable: Lsn,
    /// Up to where there are bytes other than zero; 0 where there are none.
    pub(crate) used: usize,
}

/// Looks beyond the last sound frame.
pub(crate) fn beyond(header: &Header, bytes: &[u8], walked: &Walked) -> Beyond {
    let mut beyond = Beyond::default();
    let from = walked.end + if walked.marked { frame::HEAD_BYTES } else { 0 };
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(last) = rest.iter().rposition(|byte| *byte != 0) else { return beyond };
    beyond.used = from + last + 1;
    // Up to 24 bytes of a last frame may be zeros that were counted away.
    let within = &bytes[..bytes.len().min(beyond.used + frame::HEAD_BYTES)];
    frame::search(header.salt(), within, from, walked.next, &mut |at, frame| {
        beyond.frames += 1;
        if frame.durable() >= walked.next && beyond.accuser.is_none() {
            beyond.accuser = Some(at);
            beyond.durable = frame.durable();
        }
    });
    beyond
}

#[cfg(test)]
mod tests {
    use super::{FRAMES_AT, TooNew, beyond, header, opening, walk};
    use crate::frame;
    use crate::header::{HEADER_BYTES, Header, VERSION};
    use bary_model::id::Lsn;

    const NUMBER: u64 = 3;

    fn segment(frames: &[(u64, u32, &[u8])]) -> (Header, Vec<u8>) {
        let header = Header::segment(1, NUMBER, Lsn(10));
        let mut bytes = opening(&header).to_vec();
        for (lsn, behind, batch) in frames {
            frame::encode(header.salt(), Lsn(*lsn), *behind, batch, &mut bytes);
        }
        bytes.resize(4096, 0);
        (header, bytes)
    }

    #[test]
    fn a_header_is_found_while_one_copy_is_sound() {
        let (known, mut bytes) = segment(&[]);
        assert_eq!(header(&bytes, NUMBER), Ok(Some(known)));
        bytes[20] ^= 1;
        assert_eq!(header(&bytes, NUMBER), Ok(Some(known)));
        assert_eq!(header(&bytes, 4), Ok(None), "another segment's header");
        bytes[512 + HEADER_BYTES - 1] ^= 1;
        assert_eq!(header(&bytes, NUMBER), Ok(None));
        assert_eq!(header(&bytes[..10], NUMBER), Ok(None));
    }

    #[test]
    fn a_newer_format_is_named() {
        let newer = Header { version: VERSION + 1, ..Header::segment(1, NUMBER, Lsn(10)) };
        assert_eq!(header(&opening(&newer), NUMBER), Err(TooNew(VERSION + 1)));
    }

    #[test]
    fn a_walk_ends_at_a_mark_a_gap_or_rubbish() {
        let (header, bytes) = segment(&[(10, 1, b"a"), (11, 2, b"b"), (12, 1, b"c"), (12, 0, b"")]);
        let mut seen = Vec::new();
        let walked = walk(&header, &bytes, &mut |_, frame| {
            seen.push(frame.batch.to_vec());
            true
        });
        assert_eq!(seen, [b"a", b"b", b"c"]);
        assert_eq!((walked.next, walked.durable, walked.marked), (Lsn(13), Lsn(12), true));
        let (header, bytes) = segment(&[(10, 1, b"a"), (12, 2, b"b")]);
        let walked = walk(&header, &bytes, &mut |_, _| true);
        assert_eq!((walked.next, walked.durable, walked.marked), (Lsn(11), Lsn(9), false));
        assert_eq!((walked.end, walked.unproven), (FRAMES_AT + 32, FRAMES_AT));
    }

    #[test]
    fn a_mark_that_is_damaged_takes_no_batch_with_it() {
        let frames: [(u64, u32, &[u8]); 4] =
            [(10, 1, b"a"), (10, 0, b""), (11, 1, b"b"), (12, 1, b"c")];
        for byte in 0..frame::HEAD_BYTES {
            let (header, mut bytes) = segment(&frames[..3]);
            bytes[FRAMES_AT + 32 + byte] ^= 1;
            let walked = walk(&header, &bytes, &mut |_, _| true);
            assert_eq!((walked.next, walked.durable), (Lsn(12), Lsn(10)), "byte {byte}");
        }
        // A batch that is missing is not passed over.
        let (header, mut bytes) = segment(&[frames[0], frames[2], frames[3]]);
        bytes[FRAMES_AT + 40] ^= 1;
        assert_eq!(walk(&header, &bytes, &mut |_, _| true).next, Lsn(11));
    }

    #[test]
    fn only_a_frame_that_calls_it_durable_accuses_what_is_damaged() {
        for (behind, accuses) in [(3, false), (2, false), (1, true)] {
            let (header, mut bytes) = segment(&[(10, 1, b"a"), (11, 2, b"b"), (12, behind, b"c")]);
            bytes[FRAMES_AT + 40] ^= 1;
            let walked = walk(&header, &bytes, &mut |_, _| true);
            let beyond = beyond(&header, &bytes, &walked);
            assert_eq!(beyond.accuser, accuses.then_some(FRAMES_AT + 64), "behind {behind}");
            assert_eq!((beyond.frames, beyond.used), (1, FRAMES_AT + 64 + 25));
        }
    }
}
