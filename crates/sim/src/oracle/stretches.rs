//! Values over runs of neighbouring numbers: what an oracle remembers of a million tasks costs as
//! much as the number of places where neighbours differ.

use std::collections::BTreeMap;
use std::ops::Range;

/// A value for some numbers and none for others. Neighbours of one value are one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretches<T> {
    /// By the first number: the number after the last, and the value.
    parts: BTreeMap<u64, (u64, T)>,
}

impl<T> Default for Stretches<T> {
    fn default() -> Self {
        Self { parts: BTreeMap::new() }
    }
}

impl<T: Copy + PartialEq> Stretches<T> {
    /// Gives all numbers of `range` a value, whatever they had.
    pub fn set(&mut self, range: Range<u64>, value: T) {
        if range.is_empty() {
            return;
        }
        let (first, end) = (range.start, range.end);
        // What comes mostly takes one search: nothing is there, or just these, or those before.
        match self.parts.range_mut(..=end).next_back() {
            Some((&start, (stop, _))) if start == first && *stop == end => {}
            Some((_, (stop, before))) if *stop == first && *before == value => {
                *stop = end;
                return;
            }
            Some((&start, (stop, _))) if *stop > first || start >= first => self.clear(range),
            _ => {
                self.parts.insert(first, (end, value));
                return;
            }
        }
        self.parts.insert(first, (end, value));
        self.join(first);
    }

    /// Takes the values of all numbers of `range` away.
    pub fn clear(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        match self.parts.range(..range.end).next_back() {
            Some((&start, &(end, _))) if start == range.start && end == range.end => {
                self.parts.remove(&start);
                return;
            }
            Some((_, &(end, _))) if end > range.start => {}
            _ => return,
        }
        self.cut(range.start);
        self.cut(range.end);
        while let Some((&start, _)) = self.parts.range(range.clone()).next() {
            self.parts.remove(&start);
        }
    }

    /// Makes the entry that begins at `first` and its neighbours one, where they are alike.
    fn join(&mut self, first: u64) {
        let Some(&(mut end, value)) = self.parts.get(&first) else { return };
        if let Some(&(stop, after)) = self.parts.get(&end)
            && after == value
        {
            self.parts.remove(&end);
            end = stop;
            self.parts.insert(first, (end, value));
        }
        if let Some((_, (stop, before))) = self.parts.range_mut(..first).next_back()
            && *stop == first
            && *before == value
        {
            *stop = end;
            self.parts.remove(&first);
        }
    }

    /// Makes an entry begin at `at` where one goes across it.
    fn cut(&mut self, at: u64) {
        if let Some((_, (end, value))) = self.parts.range_mut(..at).next_back()
            && *end > at
        {
            let rest = (*end, *value);
            *end = at;
            self.parts.insert(at, rest);
        }
    }

    /// The value of one number.
    #[must_use]
    pub fn at(&self, number: u64) -> Option<T> {
        let (_, &(end, value)) = self.parts.range(..=number).next_back()?;
        (end > number).then_some(value)
    }

    /// The first piece of `range` without a value.
    pub fn gap(&self, range: Range<u64>) -> Option<Range<u64>> {
        if range.is_empty() {
            return None;
        }
        let mut pieces = self.over(range);
        pieces.find(|(_, value)| value.is_none()).map(|(piece, _)| piece)
    }

    /// The pieces of `range` in order, those without a value included.
    pub fn over(&self, range: Range<u64>) -> impl Iterator<Item = (Range<u64>, Option<T>)> {
        let mut at = range.start;
        let last = self.parts.range(..range.end).next_back();
        let last = last.filter(|(_, (end, _))| *end > range.start);
        // Mostly one entry has all, or nothing has any.
        let simple = last.is_none_or(|(&start, _)| start <= range.start);
        let more = (!simple).then(|| {
            let before = self.parts.range(..range.start).next_back();
            let before = before.filter(|(_, (end, _))| *end > range.start);
            before.into_iter().chain(self.parts.range(range.clone()))
        });
        let only = last.filter(|_| simple);
        let mut there = only.into_iter().chain(more.into_iter().flatten()).peekable();
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let from = at;
            match there.peek() {
                Some(&(&start, _)) if start > from => {
                    at = start;
                    Some((from..at, None))
                }
                Some(&(_, &(end, value))) => {
                    there.next();
                    at = end.min(range.end);
                    Some((from..at, Some(value)))
                }
                None => {
                    at = range.end;
                    Some((from..at, None))
                }
            }
        })
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (Range<u64>, T)> {
        self.parts.iter().map(|(&first, &(end, value))| (first..end, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::Stretches;

    proptest! {
        #[test]
        fn stretches_are_what_a_plain_list_is(
            acts in proptest::collection::vec((0..40_u64, 0..12_u64, any::<Option<bool>>()), 0..60),
            (from, len) in (0..40_u64, 0..20_u64),
        ) {
            let mut list = [None; 60];
            let mut stretches = Stretches::default();
            for (first, count, value) in acts {
                match value {
                    Some(value) => stretches.set(first..first + count, value),
                    None => stretches.clear(first..first + count),
                }
                list[first as usize..(first + count) as usize].fill(value);
            }
            for (number, value) in list.iter().enumerate() {
                prop_assert_eq!(stretches.at(number as u64), *value);
            }
            let mut at = from;
            for (piece, value) in stretches.over(from..from + len) {
                prop_assert_eq!(piece.start, at);
                at = piece.end;
                prop_assert!(piece.clone().all(|number| list[number as usize] == value));
            }
            prop_assert_eq!(at, from + len);
            let gap = stretches.gap(from..from + len).map(|gap| gap.start);
            prop_assert_eq!(gap, (from..from + len).find(|at| list[*at as usize].is_none()));
            let entries: Vec<_> = stretches.iter().collect();
            for pair in entries.windows(2) {
                prop_assert!(pair[0].0.end < pair[1].0.start || pair[0].1 != pair[1].1);
            }
        }
    }
}
