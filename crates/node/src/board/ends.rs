//! The tasks of a job that have ended, as ranges: an array of a billion tasks takes as much memory
//! as its ends came in pieces, and neighbours of which only the end is known are one piece.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::Ended;
use bary_model::id::{SpecNo, TaskRange};
use bary_model::outcome::End;
use bary_model::time::Moment;

use crate::board::active::Hold;

/// Ended tasks of one job by spec and first index; no two pieces overlap.
#[derive(Debug)]
pub(crate) struct Ends(Pieces);

/// Most jobs have one task or few, which a tree would be too large for.
#[derive(Debug)]
enum Pieces {
    /// In order.
    Few(Vec<(Key, Piece)>),
    Many(BTreeMap<Key, Piece>),
}

type Key = (SpecNo, u32);

/// How many pieces are kept in a plain list.
const FEW: usize = 32;

/// Some tasks of one spec that ended alike.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// How many.
    pub(crate) count: u32,
    /// How.
    pub(crate) how: How,
}

/// What is known of an end.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// They ran, and this is all about it.
    Ran(Arc<Ended>),
    /// They never ran to their end.
    Dropped(Arc<Dropped>),
    /// Only the end itself is kept.
    Known(&'static str),
}

/// Tasks that ended without having run to their end.
#[derive(Debug)]
pub(crate) struct Dropped {
    /// Skipped or cancelled.
    pub(crate) end: End,
    /// For a skipped task, the spec that caused it.
    pub(crate) because: Option<SpecNo>,
    /// When.
    pub(crate) at: Moment,
    /// Who ran them then, as far as it is known: they were stopped.
    pub(crate) ran: Option<Hold>,
}

impl How {
    /// The end in one word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ran(ended) => ended.end.name(),
            Self::Dropped(dropped) => dropped.end.name(),
            Self::Known(name) => name,
        }
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.name() == End::Succeeded.name()
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self(Pieces::Few(Vec::new()))
    }
}

impl Ends {
    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Pieces::Few(pieces) => pieces.len(),
            Pieces::Many(pieces) => pieces.len(),
        }
    }

    /// Adds tasks that have not ended before.
    pub(crate) fn insert(&mut self, range: TaskRange, how: How) {
        let (key, piece) = ((range.spec, range.first), Piece { count: range.count, how });
        match &mut self.0 {
            Pieces::Few(pieces) if pieces.len() < FEW => {
                let at = pieces.partition_point(|(before, _)| *before < key);
                if pieces.is_empty() {
                    pieces.reserve_exact(1);
                }
                pieces.insert(at, (key, piece));
            }
            Pieces::Few(pieces) => {
                let mut many: BTreeMap<Key, Piece> = std::mem::take(pieces).into_iter().collect();
                many.insert(key, piece);
                self.0 = Pieces::Many(many);
            }
            Pieces::Many(pieces) => {
                pieces.insert(key, piece);
            }
        }
    }

    /// The piece that a task is in, and its place there.
    pub(crate) fn find(&self, spec: SpecNo, index: u32) -> Option<(u32, &Piece)> {
        let key = (spec, index);
        let ((of, first), piece) = match &self.0 {
            Pieces::Few(pieces) => {
                let after = pieces.partition_point(|(before, _)| *before <= key);
                pieces.get(after.checked_sub(1)?).map(|(key, piece)| (*key, piece))?
            }
            Pieces::Many(pieces) => {
                pieces.range(..=key).next_back().map(|(key, piece)| (*key, piece))?
            }
        };
        let place = index - first.min(index);
        (of == spec && place < piece.count).then_some((place, piece))
    }

    /// Every piece from a place on, in order, with its spec and first index.
    pub(crate) fn from(&self, spec: SpecNo, index: u32) -> impl Iterator<Item = (Key, &Piece)> {
        let key = (spec, index);
        let (few, many) = match &self.0 {
            Pieces::Few(pieces) => {
                let at = pieces.partition_point(|(before, _)| *before < key);
                (Some(pieces[at..].iter().map(|(key, piece)| (*key, piece))), None)
            }
            Pieces::Many(pieces) => {
                (None, Some(pieces.range(key..).map(|(key, piece)| (*key, piece))))
            }
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    /// Every piece, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Key, &Piece)> {
        self.from(SpecNo(0), 0)
    }

    /// Takes out what did not succeed, as a retry wants it.
    pub(crate) fn take_unsuccessful(&mut self) -> Vec<(Key, Piece)> {
        let all: Vec<(Key, Piece)> = match std::mem::take(self).0 {
            Pieces::Few(pieces) => pieces,
            Pieces::Many(pieces) => pieces.into_iter().collect(),
        };
        let (good, bad) = all.into_iter().partition(|(_, piece)| piece.how.succeeded());
        self.0 = Self::of(good);
        bad
    }

    /// Forgets all but how each task ended, and joins neighbours; what was known is handed out.
    pub(crate) fn thin(&mut self) -> Vec<How> {
        let all = match std::mem::take(self).0 {
            Pieces::Few(pieces) => pieces,
            Pieces::Many(pieces) => pieces.into_iter().collect(),
        };
        let mut joined: Vec<(Key, Piece)> = Vec::new();
        let mut known = Vec::new();
        for (key, piece) in all {
            let name = piece.how.name();
            if let Some(((spec, first), last)) = joined.last_mut()
                && (*spec, *first + last.count) == key
                && last.how.name() == name
            {
                last.count += piece.count;
            } else {
                joined.push((key, Piece { count: piece.count, how: How::Known(name) }));
            }
            if !matches!(piece.how, How::Known(_)) {
                known.push(piece.how);
            }
        }
        joined.shrink_to_fit();
        self.0 = Self::of(joined);
        known
    }

    /// `pieces` are in order.
    fn of(pieces: Vec<(Key, Piece)>) -> Pieces {
        if pieces.len() <= FEW {
            Pieces::Few(pieces)
        } else {
            Pieces::Many(pieces.into_iter().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use bary_model::id::JobNo;

    use super::*;

    fn range(spec: u32, first: u32, count: u32) -> TaskRange {
        TaskRange { job: JobNo(0), spec: SpecNo(spec), first, count }
    }

    fn ends(count: u32) -> Ends {
        let mut ends = Ends::default();
        for first in (0..count).rev() {
            let name = if first % 10 == 9 { "failed" } else { "succeeded" };
            ends.insert(range(first % 2, first * 3, 3), How::Known(name));
        }
        ends
    }

    #[test]
    fn tasks_are_found_in_their_pieces_whether_few_or_many() {
        for count in [8, 200] {
            let ends = ends(count);
            assert_eq!(ends.len(), count as usize);
            assert_eq!(ends.find(SpecNo(0), 13).map(|(place, _)| place), Some(1));
            assert!(ends.find(SpecNo(0), 3).is_none(), "it is of the other spec");
            assert!(ends.find(SpecNo(1), 3 * count).is_none());
            let firsts: Vec<u32> = ends.from(SpecNo(1), 4).map(|((_, first), _)| first).collect();
            assert!(firsts.is_sorted() && firsts[0] == 9, "{firsts:?}");
        }
    }

    #[test]
    fn a_retry_takes_what_did_not_succeed() {
        let mut ends = ends(200);
        let bad = ends.take_unsuccessful();
        assert_eq!((bad.len(), ends.len()), (20, 180));
        assert!(ends.find(SpecNo(1), 27).is_none());
    }

    #[test]
    fn thinned_neighbours_are_one_piece() {
        let mut ends = Ends::default();
        for first in 0..100 {
            let end = if first < 50 { End::Skipped } else { End::Cancelled };
            let dropped = Dropped { end, because: None, at: Moment(0), ran: None };
            ends.insert(range(0, first, 1), How::Dropped(Arc::new(dropped)));
        }
        assert_eq!(ends.thin().len(), 100);
        assert_eq!(ends.len(), 2);
        let at =
            |index| ends.find(SpecNo(0), index).map(|(place, piece)| (place, piece.how.name()));
        assert_eq!((at(49), at(50)), (Some((49, "skipped")), Some((0, "cancelled"))));
    }
}
