//! A map for few entries that are looked up often: a vector sorted by key. Looking up costs a
//! comparison or a binary search; adding costs moving what is greater, 16 bytes an entry.

use std::ops::Index;

/// Values by key, in the order of their keys.
#[derive(Debug)]
pub(crate) struct Sorted<K, V> {
    /// Values lie elsewhere, so that little is moved.
    entries: Vec<(K, Box<V>)>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Ord + Copy, V> Sorted<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a key is, or where it would be. The last one is tried first: there often is only
    /// one, and new keys are often the greatest.
    fn place(&self, key: K) -> Result<usize, usize> {
        match self.entries.last() {
            None => Err(0),
            Some((last, _)) if *last == key => Ok(self.entries.len() - 1),
            Some((last, _)) if *last < key => Err(self.entries.len()),
            Some(_) => self.entries.binary_search_by(|(other, _)| other.cmp(&key)),
        }
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(*key).is_ok()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let at = self.place(*key).ok()?;
        Some(&self.entries[at].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(*key).ok()?;
        Some(&mut self.entries[at].1)
    }

    /// The value of a key, which is made where there is none.
    pub(crate) fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = self.place(key).unwrap_or_else(|at| {
            self.entries.insert(at, (key, Box::new(make())));
            at
        });
        &mut self.entries[at].1
    }

    /// Adds a value or replaces the one there was.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(at) => *self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (key, Box::new(value))),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<Box<V>> {
        let at = self.place(*key).ok()?;
        Some(self.entries.remove(at).1)
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, &mut **value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.entries.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.entries.iter().map(|(_, value)| &**value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| &mut **value)
    }
}

impl<K: Ord + Copy, V> Index<&K> for Sorted<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        let at = self.place(*key);
        &self.entries[at.unwrap_or(usize::MAX)].1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bary_policy::dice::Dice;

    use super::Sorted;

    #[test]
    fn it_is_a_map() {
        let mut dice = Dice::new(3, "sorted");
        let (mut sorted, mut map) = (Sorted::default(), BTreeMap::new());
        for number in 0..2_000_u32 {
            let key = dice.below(16);
            match dice.below(4) {
                0 => {
                    sorted.insert(key, number);
                    map.insert(key, number);
                }
                1 => {
                    let made = *sorted.or_insert_with(key, || number);
                    assert_eq!(made, *map.entry(key).or_insert(number));
                }
                2 => assert_eq!(sorted.remove(&key).map(|one| *one), map.remove(&key)),
                _ => assert_eq!(sorted.get_mut(&key), map.get_mut(&key)),
            }
            assert_eq!(sorted.contains_key(&key), map.contains_key(&key));
            assert!(sorted.iter().eq(&map), "entries are in order");
        }
    }
}
