//! What running tasks print, its last part: who follows their output reads it here.

use std::collections::{BTreeMap, VecDeque};

use bary_model::id::TaskId;
use bary_ports::executor::Stream;
use bytes::Bytes;

/// Tails of the output of tasks that have not ended.
#[derive(Debug)]
pub(crate) struct Tails {
    tails: BTreeMap<TaskId, Tail>,
    /// Bytes of all of them.
    bytes: usize,
    tail_bytes_max: usize,
    bytes_max: usize,
}

/// What one attempt printed last.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) attempt: u16,
    pieces: VecDeque<(Stream, Bytes)>,
    /// How many pieces came before those that are kept, and how many bytes of each stream.
    before: u64,
    out_before: usize,
    err_before: usize,
    bytes: usize,
}

impl Tails {
    /// None so far; each of so many bytes at most, and all of so many.
    pub(crate) fn new(tail_bytes_max: usize, bytes_max: usize) -> Self {
        Self { tails: BTreeMap::new(), bytes: 0, tail_bytes_max, bytes_max }
    }

    /// Adds what a task printed; what an attempt before printed is forgotten.
    pub(crate) fn push(&mut self, task: TaskId, attempt: u16, stream: Stream, bytes: Bytes) {
        if self.tails.get(&task).is_some_and(|tail| tail.attempt != attempt) {
            self.forget(task);
        }
        let share = self.tail_bytes_max;
        let tail = self.tails.entry(task).or_insert_with(|| Tail { attempt, ..Tail::default() });
        let had = tail.bytes;
        tail.push(stream, bytes, share);
        self.bytes = self.bytes - had + tail.bytes;
        // Many tasks at once share the room: the one that prints gives up its own past.
        while self.bytes > self.bytes_max && tail.bytes > 0 {
            self.bytes -= tail.drop_first();
        }
    }

    /// Forgets what a task printed.
    pub(crate) fn forget(&mut self, task: TaskId) {
        if let Some(tail) = self.tails.remove(&task) {
            self.bytes -= tail.bytes;
        }
    }

    /// What a task printed last.
    pub(crate) fn of(&self, task: TaskId) -> Option<&Tail> {
        self.tails.get(&task)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }
}

impl Tail {
    fn push(&mut self, stream: Stream, bytes: Bytes, share: usize) {
        self.bytes += bytes.len();
        self.pieces.push_back((stream, bytes));
        while self.bytes > share && self.pieces.len() > 1 {
            self.drop_first();
        }
    }

    /// Forgets the first piece. How many bytes it had.
    fn drop_first(&mut self) -> usize {
        let Some((stream, piece)) = self.pieces.pop_front() else { return 0 };
        self.before += 1;
        match stream {
            Stream::Out => self.out_before += piece.len(),
            Stream::Err => self.err_before += piece.len(),
        }
        self.bytes -= piece.len();
        piece.len()
    }

    /// The number of the first piece that is kept, from 0.
    pub(crate) fn first(&self) -> u64 {
        self.before
    }

    /// How many bytes of output, and of errors, came before the first piece that is kept.
    pub(crate) fn bytes_before(&self) -> (usize, usize) {
        (self.out_before, self.err_before)
    }

    /// The pieces from a number on, as far as they are kept.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = &(Stream, Bytes)> {
        let skipped = usize::try_from(number.saturating_sub(self.before)).unwrap_or(usize::MAX);
        self.pieces.iter().skip(skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tails: &Tails, task: TaskId) -> Vec<u8> {
        let tail = tails.of(task).into_iter();
        tail.flat_map(|tail| tail.from(0)).flat_map(|(_, bytes)| bytes.to_vec()).collect()
    }

    #[test]
    fn the_last_part_is_kept_within_both_limits() {
        let mut tails = Tails::new(8, 12);
        let (one, two) = (TaskId::default(), TaskId { index: 1, ..TaskId::default() });
        for letters in [&b"abcd"[..], b"efgh", b"ijkl"] {
            tails.push(one, 1, Stream::Out, Bytes::from_static(letters));
        }
        assert_eq!(text(&tails, one), b"efghijkl");
        assert_eq!(tails.of(one).map(Tail::first), Some(1));
        for letters in [&b"1234"[..], b"5678"] {
            tails.push(two, 1, Stream::Err, Bytes::from_static(letters));
        }
        assert_eq!((text(&tails, one), text(&tails, two)), (b"efghijkl".into(), b"5678".into()));
        tails.push(one, 2, Stream::Out, Bytes::from_static(b"x"));
        assert_eq!(text(&tails, one), b"x", "another attempt begins anew");
        tails.forget(one);
        tails.forget(two);
        assert!(tails.is_empty() && tails.bytes == 0);
    }
}
