//! What a result cache has: by key, by use and by age.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bary_model::time::Wall;
use bary_ports::cache::{Kept, Key};

/// Entries of a cache. The one whose last use is longest ago is the first to go.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<Key, Slot>,
    /// By the number of their last use.
    uses: BTreeMap<u64, Key>,
    ages: BTreeSet<(Wall, Key)>,
    bytes: u64,
    next: u64,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When the work ended.
    pub(super) made: Wall,
    /// How many bytes it takes.
    pub(super) bytes: u64,
    /// What is kept, where it is not in a file.
    pub(super) kept: Option<Kept>,
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    used: u64,
}

impl Index {
    /// How many entries there are, and how many bytes they take.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.len() as u64, self.bytes)
    }

    /// An entry, which is used by that.
    pub(super) fn find(&mut self, key: &Key) -> Option<&Entry> {
        let used = self.next;
        let slot = self.entries.get_mut(key)?;
        self.uses.remove(&slot.used);
        self.uses.insert(used, *key);
        slot.used = used;
        self.next += 1;
        Some(&slot.entry)
    }

    /// Puts an entry in; gives the one that it replaces.
    pub(super) fn insert(&mut self, key: Key, entry: Entry) -> Option<Entry> {
        let before = self.remove(&key);
        let used = self.next;
        self.next += 1;
        self.bytes += entry.bytes;
        self.uses.insert(used, key);
        self.ages.insert((entry.made, key));
        self.entries.insert(key, Slot { entry, used });
        before
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let Slot { entry, used } = self.entries.remove(key)?;
        self.uses.remove(&used);
        self.ages.remove(&(entry.made, *key));
        self.bytes -= entry.bytes;
        Some(entry)
    }

    /// Takes an entry out, where it is the one that was made then.
    pub(super) fn remove_made(&mut self, key: &Key, made: Wall) -> Option<Entry> {
        let same = self.entries.get(key).is_some_and(|slot| slot.entry.made == made);
        if same { self.remove(key) } else { None }
    }

    /// Takes out the entry whose last use is longest ago, where there are more than so many, or
    /// they take more bytes than so.
    pub(super) fn take_surplus(&mut self, entries: u64, bytes: u64) -> Option<(Key, Entry)> {
        let (has, takes) = self.size();
        if has <= entries && takes <= bytes {
            return None;
        }
        let key = *self.uses.first_key_value()?.1;
        Some((key, self.remove(&key)?))
    }

    /// Takes out the oldest entry, where it was made then or before.
    pub(super) fn take_old(&mut self, made: Wall) -> Option<(Key, Entry)> {
        let (oldest, key) = *self.ages.first()?;
        if oldest > made {
            return None;
        }
        Some((key, self.remove(&key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        Key([n; 32])
    }

    fn entry(made: u64, bytes: u64) -> Entry {
        Entry { made: Wall(made), bytes, kept: None }
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut index = Index::default();
        for n in 1..=3 {
            index.insert(key(n), entry(n.into(), 10));
        }
        assert_eq!(index.find(&key(1)).map(|found| found.made), Some(Wall(1)));
        assert_eq!(index.take_surplus(3, 30), None);
        let gone = |gone: Option<(Key, Entry)>| gone.map(|(key, _)| key);
        assert_eq!(gone(index.take_surplus(2, 30)), Some(key(2)));
        assert_eq!(gone(index.take_surplus(2, 15)), Some(key(3)));
        assert_eq!(index.take_surplus(2, 15), None);
        assert_eq!(index.size(), (1, 10));
    }

    #[test]
    fn an_entry_is_replaced_whole() {
        let mut index = Index::default();
        assert_eq!(index.insert(key(1), entry(1, 10)), None);
        assert_eq!(index.insert(key(1), entry(2, 4)), Some(entry(1, 10)));
        assert_eq!(index.size(), (1, 4));
        assert_eq!(index.remove_made(&key(1), Wall(1)), None);
        assert_eq!(index.take_old(Wall(1)), None);
        assert_eq!(index.take_old(Wall(2)), Some((key(1), entry(2, 4))));
        assert_eq!((index.size(), index.take_surplus(0, 0)), ((0, 0), None));
    }
}
