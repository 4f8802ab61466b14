//! What running tasks print, its last part: who follows their output reads it here.

use std::collections::{BTreeMap, VecDeque};

use bary_model::id::{JobNo, SpecNo, TaskId, TaskRange};
use bary_ports::executor::Stream;
use bary_transport::mesh::output::{Heard, Printed};
use bytes::Bytes;

use crate::board::printed::of_attempt;

/// Tails of the output of tasks that have not ended.
#[derive(Debug)]
pub(crate) struct Tails {
    tails: BTreeMap<TaskId, Tail>,
    /// How many there were so far.
    begun: u64,
    /// Bytes of all of them.
    bytes: usize,
    tail_bytes_max: usize,
    bytes_max: usize,
}

/// What one attempt printed last.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) attempt: u16,
    /// Which tail it is of all that there were: what is lost begins anew as the same attempt.
    pub(crate) number: u64,
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
        Self { tails: BTreeMap::new(), begun: 0, bytes: 0, tail_bytes_max, bytes_max }
    }

    /// Adds what a task printed; what an attempt before printed is forgotten.
    pub(crate) fn push(&mut self, task: TaskId, attempt: u16, stream: Stream, bytes: Bytes) {
        if self.tails.get(&task).is_some_and(|tail| tail.attempt != attempt) {
            self.forget(task);
        }
        let share = self.tail_bytes_max;
        let begun = &mut self.begun;
        let tail = self.tails.entry(task).or_insert_with(|| {
            *begun += 1;
            Tail { attempt, number: *begun, ..Tail::default() }
        });
        let had = tail.bytes;
        tail.push(stream, bytes, share);
        self.bytes = self.bytes - had + tail.bytes;
        // Many tasks at once share the room: the one that prints gives up its own past.
        while self.bytes > self.bytes_max && tail.bytes > 0 {
            self.bytes -= tail.drop_first();
        }
    }

    /// Takes in what a task printed at another member, as far as it is news. Each may keep so many
    /// bytes, more than those of this member, since they come in larger pieces.
    pub(crate) fn take_in(&mut self, printed: Printed, share: usize) {
        let Printed { task, from, pieces } = printed;
        if self.tails.get(&task).is_some_and(|tail| tail.attempt > from.attempt) {
            return;
        }
        if self.tails.get(&task).is_some_and(|tail| tail.attempt != from.attempt) {
            self.forget(task);
        }
        let begun = &mut self.begun;
        let tail = self.tails.entry(task).or_insert_with(|| {
            *begun += 1;
            Tail { number: *begun, ..Tail::beginning(from) }
        });
        let had = tail.bytes;
        tail.take_in(from, pieces, share);
        self.bytes = self.bytes - had + tail.bytes;
        while self.bytes > self.bytes_max && tail.bytes > 0 {
            self.bytes -= tail.drop_first();
        }
    }

    /// All of them keep so many bytes at most from now on.
    pub(crate) fn hold(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The tails of a job's tasks.
    pub(crate) fn of_job(&self, job: JobNo) -> impl Iterator<Item = (TaskId, &Tail)> {
        let at = |spec, index| TaskId { job, spec: SpecNo(spec), index };
        let all = self.tails.range(at(0, 0)..=at(u32::MAX, u32::MAX));
        all.map(|(task, tail)| (*task, tail))
    }

    /// Forgets what all tasks of a range printed.
    pub(crate) fn forget_all(&mut self, range: TaskRange) {
        if self.is_empty() {
            return;
        }
        let end = TaskId { index: range.end(), ..range.head() };
        let gone: Vec<TaskId> =
            self.tails.range(range.head()..end).map(|(task, _)| *task).collect();
        gone.into_iter().for_each(|task| self.forget(task));
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

    /// That of an attempt whose first pieces are not known.
    fn beginning(from: Heard) -> Self {
        let (out_before, err_before) = (from.out as usize, from.err as usize);
        Self { attempt: from.attempt, out_before, err_before, ..Self::default() }
    }

    /// How far it goes.
    pub(crate) fn end(&self) -> Heard {
        let Self { attempt, out_before, err_before, .. } = self;
        let mut end = Heard { attempt: *attempt, out: *out_before as u64, err: *err_before as u64 };
        self.pieces
            .iter()
            .for_each(|(stream, bytes)| *count(&mut end, *stream) += bytes.len() as u64);
        end
    }

    /// Adds pieces that begin there, as far as they go on where it ends.
    fn take_in(&mut self, from: Heard, pieces: Vec<(Stream, Bytes)>, share: usize) {
        let end = self.end();
        if from.out > end.out || from.err > end.err {
            // What is between is not known: it begins anew, behind all pieces that were counted.
            let before = self.before + self.pieces.len() as u64 + 1;
            *self = Self { before, number: self.number, ..Self::beginning(from) };
        }
        let (mut at, mut end) = (from, self.end());
        for (stream, bytes) in pieces {
            let known = count(&mut end, stream).saturating_sub(*count(&mut at, stream));
            *count(&mut at, stream) += bytes.len() as u64;
            if known < bytes.len() as u64 {
                *count(&mut end, stream) = *count(&mut at, stream);
                self.push(stream, bytes.slice(known as usize..), share);
            }
        }
    }

    /// Whether there is more than was heard.
    pub(crate) fn has_news(&self, heard: Heard) -> bool {
        let (heard, end) = (of_attempt(heard, self.attempt), self.end());
        end.out > heard.out || end.err > heard.err
    }

    /// What is kept of what was not heard, so many bytes at most, and where that begins.
    pub(crate) fn since(&self, heard: Heard, most: usize) -> (Heard, Vec<(Stream, Bytes)>) {
        let heard = of_attempt(heard, self.attempt);
        let (out, err) = (self.out_before as u64, self.err_before as u64);
        let mut at = Heard { out, err, ..heard };
        let mut from = Heard { out: heard.out.max(at.out), err: heard.err.max(at.err), ..heard };
        let (first, mut left, mut pieces) = (from, most, Vec::new());
        for (stream, bytes) in &self.pieces {
            let known = count(&mut from, *stream).saturating_sub(*count(&mut at, *stream));
            *count(&mut at, *stream) += bytes.len() as u64;
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            if known >= bytes.len() {
                continue;
            }
            let taken = (bytes.len() - known).min(left);
            pieces.push((*stream, bytes.slice(known..known + taken)));
            left -= taken;
            if left == 0 {
                break;
            }
        }
        (first, pieces)
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

/// How many bytes of a stream those are.
fn count(heard: &mut Heard, stream: Stream) -> &mut u64 {
    match stream {
        Stream::Out => &mut heard.out,
        Stream::Err => &mut heard.err,
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

    /// What a task printed at another member, of its first attempt.
    fn printed(out: u64, err: u64, pieces: &[(Stream, &'static str)]) -> Printed {
        let pieces =
            pieces.iter().map(|(stream, text)| (*stream, Bytes::from_static(text.as_bytes())));
        let from = Heard { attempt: 1, out, err };
        Printed { task: TaskId::default(), from, pieces: pieces.collect() }
    }

    #[test]
    fn what_was_printed_elsewhere_goes_on_where_it_was_heard() {
        let (mut tails, task) = (Tails::new(8, 100), TaskId::default());
        tails.take_in(printed(2, 0, &[(Stream::Out, "abc"), (Stream::Err, "E")]), 50);
        tails.take_in(printed(2, 0, &[(Stream::Out, "abcd"), (Stream::Err, "EF")]), 50);
        assert_eq!(text(&tails, task), b"abcEdF", "what is known is not taken in again");
        let tail = tails.of(task).expect("it was just taken in");
        assert_eq!((tail.first(), tail.bytes_before()), (0, (2, 0)));
        assert_eq!(tail.end(), Heard { attempt: 1, out: 6, err: 2 });
        let heard = Heard { attempt: 1, out: 4, err: 0 };
        let (from, pieces) = tail.since(heard, 3);
        let given: Vec<&[u8]> = pieces.iter().map(|(_, bytes)| &bytes[..]).collect();
        assert_eq!((from, given), (heard, vec![&b"c"[..], b"E", b"d"]));
        assert!(tail.has_news(heard) && !tail.has_news(tail.end()));
        tails.take_in(printed(9, 2, &[(Stream::Out, "x")]), 50);
        let tail = tails.of(task).expect("it was just taken in");
        assert_eq!((tail.first(), tail.bytes_before()), (5, (9, 2)), "readers see that some lacks");
        assert_eq!((text(&tails, task), tails.bytes()), (b"x".to_vec(), 1));
    }

    #[test]
    fn a_later_attempt_counts_and_an_earlier_one_does_not() {
        let (mut tails, task) = (Tails::new(8, 100), TaskId::default());
        let second = Printed { from: Heard { attempt: 2, out: 0, err: 0 }, ..printed(0, 0, &[]) };
        tails.take_in(printed(0, 0, &[(Stream::Out, "old")]), 50);
        tails.take_in(Printed { pieces: vec![(Stream::Out, "new".into())], ..second }, 50);
        tails.take_in(printed(3, 0, &[(Stream::Out, "er")]), 50);
        assert_eq!(text(&tails, task), b"new");
        let range = TaskRange { job: task.job, spec: task.spec, first: 0, count: 1 };
        tails.forget_all(range);
        assert!(tails.is_empty() && tails.bytes() == 0);
    }
}
