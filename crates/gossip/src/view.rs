//! All members that a node knows, in the order of their hashed names, with sums over slices of
//! that order. Two views agree on a slice if their sums do, so a comparison costs what differs.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use bary_model::mix::mix;
use bary_model::time::{Moment, Span};

use crate::dice::Dice;
use crate::identity::{Identity, Name};
use crate::pulse::Pulse;
use crate::record::{Record, Standing};
use crate::values::Values;

/// The slices that sums are kept for, as a power of two; a summary of all fits any datagram.
pub(crate) const BITS_MAX: u32 = 8;

/// A member, and what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) record: Record,
    pub(crate) values: Values,
    pub(crate) pulse: Pulse,
    /// The incarnation that was told as joined, until it is told as left.
    pub(crate) told: Option<u64>,
}

impl Entry {
    fn new(record: Record) -> Self {
        Self { record, values: Values::default(), pulse: Pulse::default(), told: None }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.record.standing != Standing::Down
    }

    /// Takes in a newer record. Another life says anew what it is, and the dead say nothing.
    pub(crate) fn become_record(&mut self, record: Record) {
        let same_life = record.identity.incarnation == self.record.identity.incarnation;
        if !same_life || record.standing == Standing::Down {
            (self.values, self.pulse) = (Values::default(), Pulse::default());
        }
        self.record = record;
    }

    /// What slices add up. Deaths are not in it: they are forgotten at different times.
    /// Suspicions and refutations are not either, since they come and go.
    fn weight(&self, place: u64) -> u64 {
        if !self.is_up() {
            return 0;
        }
        let Identity { incarnation, renewal, .. } = self.record.identity;
        let life = mix(incarnation ^ mix(u64::from(renewal).wrapping_add(1)));
        mix(place ^ life ^ mix(self.values.version ^ 0x5bd1_e995))
    }
}

/// Where a name stands in the order: anywhere, so that slices are about even.
pub(crate) fn place(name: Name) -> u64 {
    mix(name.0.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// A node's view of the cluster, itself included.
#[derive(Clone, Debug)]
pub(crate) struct View {
    entries: BTreeMap<u64, Entry>,
    sums: Vec<u64>,
    up: usize,
    graves: VecDeque<(Moment, Identity)>,
}

impl View {
    pub(crate) fn new(me: Identity) -> Self {
        let sums = vec![0; 1 << BITS_MAX];
        let mut view = Self { entries: BTreeMap::new(), sums, up: 0, graves: VecDeque::new() };
        view.insert(Record::up(me));
        view
    }

    /// How many members there are, itself included.
    pub(crate) fn up(&self) -> usize {
        self.up
    }

    /// How many entries there are, dead ones included.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, name: Name) -> Option<&Entry> {
        self.entries.get(&place(name))
    }

    /// The members in the order of places.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.is_up())
    }

    /// The members of a part of the order, with their places.
    pub(crate) fn slice(&self, part: RangeInclusive<u64>) -> impl Iterator<Item = (u64, &Entry)> {
        let part = self.entries.range(part).filter(|(_, entry)| entry.is_up());
        part.map(|(place, entry)| (*place, entry))
    }

    /// Puts a name in that was not there.
    pub(crate) fn insert(&mut self, record: Record) {
        let (place, entry) = (place(record.identity.name), Entry::new(record));
        self.count(place, (0, false), (entry.weight(place), entry.is_up()));
        self.entries.insert(place, entry);
    }

    /// Changes what is known of a name; `None` where it is not known.
    pub(crate) fn edit<R>(&mut self, name: Name, edit: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let place = place(name);
        let entry = self.entries.get_mut(&place)?;
        let before = (entry.weight(place), entry.is_up());
        let result = edit(entry);
        let after = (entry.weight(place), entry.is_up());
        self.count(place, before, after);
        Some(result)
    }

    /// The pulse of a name, which no sum depends on.
    pub(crate) fn pulse(&mut self, name: Name) -> Option<&mut Pulse> {
        self.entries.get_mut(&place(name)).map(|entry| &mut entry.pulse)
    }

    fn count(&mut self, place: u64, before: (u64, bool), after: (u64, bool)) {
        let sum = &mut self.sums[(place >> (64 - BITS_MAX)) as usize];
        *sum = sum.wrapping_sub(before.0).wrapping_add(after.0);
        self.up = self.up + usize::from(after.1) - usize::from(before.1);
    }

    /// Remembers when a life ended.
    pub(crate) fn bury(&mut self, now: Moment, dead: Identity) {
        self.graves.push_back((now, dead));
    }

    /// How many deaths are remembered; several may be of one node.
    pub(crate) fn graves(&self) -> usize {
        self.graves.len()
    }

    /// Forgets the oldest death if it is older than `kept`, or at once where `kept` is `None`,
    /// and returns it if that life is still the last one known.
    pub(crate) fn unbury(&mut self, now: Moment, kept: Option<Span>) -> Option<Option<Identity>> {
        let &(since, dead) = self.graves.front()?;
        if kept.is_some_and(|kept| now.since(since) < kept) {
            return None;
        }
        self.graves.pop_front();
        let last = self.get(dead.name).is_some_and(|e| !e.is_up() && e.record.identity == dead);
        if last {
            self.entries.remove(&place(dead.name));
        }
        Some(last.then_some(dead))
    }

    /// A random death that is remembered.
    pub(crate) fn pick_dead(&self, dice: &mut Dice) -> Option<Identity> {
        let graves = u32::try_from(self.graves.len()).unwrap_or(u32::MAX);
        let (_, dead) = *self.graves.get(dice.below(graves.max(1)) as usize)?;
        let entry = self.get(dead.name)?;
        (!entry.is_up() && entry.record.identity == dead).then_some(dead)
    }

    /// A random member but `me`: the next one from a random place on.
    pub(crate) fn pick(&self, dice: &mut Dice, me: Name) -> Option<Identity> {
        let from = dice.draw();
        let mut around = self.entries.range(from..).chain(self.entries.range(..from));
        let fit = |entry: &Entry| entry.is_up() && entry.record.identity.name != me;
        around.find(|(_, entry)| fit(entry)).map(|(_, entry)| entry.record.identity)
    }

    /// One number for the whole view: equal where members, lives and versions of values are.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.sums.iter().fold(0, |sum: u64, slice| sum.wrapping_add(*slice))
    }

    /// How finely to summarise: about four members a slice where the last comparisons brought
    /// members, so that little is told twice, and else sixteen, so that asking costs little.
    pub(crate) fn bits(&self, busy: bool) -> u32 {
        (self.up / if busy { 4 } else { 16 }).max(1).ilog2().min(BITS_MAX)
    }

    /// The sums of `2^bits` slices. Salted and shortened: two that differ look alike once in
    /// 2^32 comparisons, and not the next time.
    pub(crate) fn summary(&self, bits: u32, salt: u64) -> Vec<u32> {
        let slices = self.sums.chunks(1 << (BITS_MAX - bits));
        let sum = |slices: &[u64]| slices.iter().fold(salt, |sum, slice| sum.wrapping_add(*slice));
        slices.map(|slices| (mix(sum(slices)) >> 32) as u32).collect()
    }
}

/// The part of the order that slice `index` of `2^bits` covers.
pub(crate) fn slice_part(index: usize, bits: u32) -> RangeInclusive<u64> {
    if bits == 0 {
        return 0..=u64::MAX;
    }
    let low = (index as u64) << (64 - bits);
    low..=low | (u64::MAX >> bits)
}

#[cfg(test)]
mod tests {
    use super::{View, place, slice_part};
    use crate::dice::Dice;
    use crate::identity::{Address, Identity, Name};
    use crate::record::{Record, Standing};
    use bary_model::time::{Moment, Span};

    fn identity(name: u64) -> Identity {
        Identity::new(Name(name), Address::Number(name), 1)
    }

    fn view(names: impl Iterator<Item = u64>) -> View {
        let mut view = View::new(identity(0));
        names.for_each(|name| view.insert(Record::up(identity(name))));
        view
    }

    #[test]
    fn equal_views_have_equal_sums_whatever_the_order() {
        let (one, two) = (view(1..100), view((1..100).rev()));
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_eq!(one.summary(4, 9), two.summary(4, 9));
        assert_ne!(one.summary(4, 9), one.summary(4, 8));
    }

    #[test]
    fn a_change_shows_in_its_slice_only() {
        let (one, mut two) = (view(1..100), view(1..100));
        two.edit(Name(42), |entry| entry.values.version = 1).expect("it is there");
        let (one, two) = (one.summary(4, 9), two.summary(4, 9));
        let differing: Vec<usize> = (0..16).filter(|&at| one[at] != two[at]).collect();
        assert_eq!(differing.len(), 1);
        assert!(slice_part(differing[0], 4).contains(&place(Name(42))));
    }

    #[test]
    fn the_dead_count_nothing_and_are_forgotten_in_time() {
        let (one, mut two) = (view(1..9), view(1..10));
        two.edit(Name(9), |entry| entry.record.standing = Standing::Down).expect("it is there");
        two.bury(Moment::default(), identity(9));
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_eq!((two.up(), two.len()), (9, 10));
        let later = Moment::default() + Span::secs(10);
        assert_eq!(two.unbury(later, Some(Span::secs(20))), None);
        assert_eq!(two.unbury(later, Some(Span::secs(5))), Some(Some(identity(9))));
        assert_eq!(two.len(), 9);
    }

    #[test]
    fn picks_reach_every_member_but_oneself() {
        let (view, mut dice) = (view(1..20), Dice::new(1, 1));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..4_000 {
            seen.insert(view.pick(&mut dice, Name(0)).expect("there are others").name);
        }
        assert!(seen.len() >= 18 && !seen.contains(&Name(0)), "{seen:?}");
    }
}
