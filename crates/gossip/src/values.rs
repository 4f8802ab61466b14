//! What one node says of itself: keys with values, each change under the next version. Whoever
//! holds them up to some version asks for what is above it, as in ScuttleButt (van Renesse et
//! al., 2008), so the same delta does for a newcomer and for one that missed a change.

/// Why a value was not set. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The key is empty or too long.
    #[error("a key of {bytes} bytes is not from 1 to {max}")]
    Key {
        /// How long it is.
        bytes: usize,
        /// The configuration's `key_bytes_max`.
        max: u32,
    },
    /// The value is too long.
    #[error("a value of {bytes} bytes is over {max}")]
    Value {
        /// How long it is.
        bytes: usize,
        /// The configuration's `value_bytes_max`.
        max: u32,
    },
    /// All keys are taken; the caller may remove one.
    #[error("all {max} keys are taken")]
    Full {
        /// The configuration's `keys_max`.
        max: u32,
    },
}

/// One key; a removed one stays for a while as a `None`, so that others hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) key: Box<str>,
    pub(crate) version: u64,
    pub(crate) value: Option<Box<[u8]>>,
}

/// All keys of one node, in the order of their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    /// Everything up to here is held.
    pub(crate) version: u64,
    /// The highest version of a removed key that was forgotten. Whoever stands below it may hold
    /// that key still, and must start anew.
    pub(crate) floor: u64,
    items: Vec<Item>,
}

/// Changes of one node's values, complete from one version to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) floor: u64,
    pub(crate) from: u64,
    pub(crate) upto: u64,
    pub(crate) items: Vec<Item>,
}

impl Values {
    /// The value of `key`.
    pub(crate) fn value(&self, key: &str) -> Option<&[u8]> {
        self.items.iter().find(|item| &*item.key == key)?.value.as_deref()
    }

    /// The keys that have a value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.items.iter().filter_map(|item| Some((&*item.key, item.value.as_deref()?)))
    }

    /// Sets or removes a key under the next version. `keys_max` counts removed keys; the oldest
    /// of them makes room.
    pub(crate) fn set(
        &mut self,
        key: &str,
        value: Option<&[u8]>,
        keys_max: u32,
    ) -> Result<(), SetError> {
        let known = self.items.iter().position(|item| &*item.key == key);
        if known.is_none() && value.is_none() {
            return Ok(());
        }
        if known.is_none() && self.items.len() >= keys_max as usize {
            let removed = self.items.iter().position(|item| item.value.is_none());
            let oldest = removed.ok_or(SetError::Full { max: keys_max })?;
            self.floor = self.items.remove(oldest).version;
        }
        if let Some(known) = known {
            self.items.remove(known);
        }
        self.version += 1;
        let value = value.map(Box::from);
        self.items.push(Item { key: key.into(), version: self.version, value });
        Ok(())
    }

    /// The changes that someone at version `have` lacks, from the oldest on, and what they follow
    /// on; the caller may cut them short. `floor` is that of whoever asks: one that has begun anew
    /// under the same floor need not begin again.
    pub(crate) fn above(&self, have: u64, floor: u64) -> (u64, &[Item]) {
        let anew = have < self.floor && floor < self.floor;
        let from = if anew { 0 } else { have };
        let first = self.items.partition_point(|item| item.version <= from);
        (from, &self.items[first..])
    }

    /// Takes in a delta and returns what changed; `None` where it does not follow on what is
    /// held, brings nothing, or holds more than `keys_max`, and then nothing was changed.
    pub(crate) fn apply(&mut self, delta: Delta, keys_max: u32) -> Option<Vec<Item>> {
        let anew = self.version < delta.floor && self.floor < delta.floor;
        let follows = delta.from <= self.version && (!anew || delta.from == 0);
        // Beginning anew may go back in versions; it goes on in floors.
        let brings = anew || delta.upto > self.version;
        if !follows || !brings || !delta.is_sound() {
            return None;
        }
        let mut next = if anew { Self::default() } else { self.clone() };
        // Removals that the owner has forgotten are forgotten here too, as they take up keys.
        next.items.retain(|item| item.value.is_some() || item.version > delta.floor);
        for item in &delta.items {
            if item.version > next.version {
                next.items.retain(|held| held.key != item.key);
                next.items.push(item.clone());
            }
        }
        if next.items.len() > keys_max as usize {
            return None;
        }
        (next.version, next.floor) = (delta.upto, self.floor.max(delta.floor));
        let changed = self.changed(&next);
        *self = next;
        Some(changed)
    }

    /// What reads differently in `next`, in its order; vanished keys first.
    fn changed(&self, next: &Self) -> Vec<Item> {
        let gone = self.iter().filter(|(key, _)| !next.items.iter().any(|item| *item.key == **key));
        let gone =
            gone.map(|(key, _)| Item { key: key.into(), version: next.version, value: None });
        let differs = |item: &&Item| self.value(&item.key) != item.value.as_deref();
        gone.chain(next.items.iter().filter(differs).cloned()).collect()
    }
}

impl Delta {
    /// Whether versions rise and stay within bounds.
    fn is_sound(&self) -> bool {
        let rises = self.items.windows(2).all(|pair| pair[0].version < pair[1].version);
        let within = |item: &Item| item.version > self.from && item.version <= self.upto;
        rises && self.items.iter().all(within)
    }
}

#[cfg(test)]
mod tests {
    use super::{Delta, Item, SetError, Values};
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    /// A delta of at most `count` changes, as a datagram might hold.
    fn delta(values: &Values, follower: &Values, count: usize) -> Delta {
        let (from, items) = values.above(follower.version, follower.floor);
        let whole = items.len() <= count;
        let items: Vec<Item> = items.iter().take(count).cloned().collect();
        let last = items.last().map_or(from, |item| item.version);
        let upto = if whole { values.version } else { last };
        Delta { floor: values.floor, from, upto, items }
    }

    #[test]
    fn a_full_node_forgets_its_oldest_removal_or_refuses() {
        let mut values = Values::default();
        for key in ["a", "b"] {
            assert_eq!(values.set(key, Some(b"1"), 2), Ok(()));
        }
        assert_eq!(values.set("c", Some(b"1"), 2), Err(SetError::Full { max: 2 }));
        assert_eq!(values.set("a", None, 2), Ok(()));
        assert_eq!(values.set("c", Some(b"1"), 2), Ok(()));
        assert_eq!(values.floor, 3);
        assert_eq!(values.iter().collect::<Vec<_>>(), [("b", &b"1"[..]), ("c", &b"1"[..])]);
    }

    #[test]
    fn a_delta_with_a_gap_or_a_lie_is_refused_whole() {
        let mut values = Values::default();
        let item = |version| Item { key: "k".into(), version, value: None };
        let lies = [
            Delta { floor: 0, from: 1, upto: 2, items: vec![item(2)] },
            Delta { floor: 0, from: 0, upto: 2, items: vec![item(3)] },
            Delta { floor: 0, from: 0, upto: 2, items: vec![item(2), item(1)] },
            Delta { floor: 0, from: 0, upto: 0, items: vec![] },
        ];
        for lie in lies {
            assert_eq!(values.apply(lie, 8), None);
        }
        assert_eq!(values, Values::default());
    }

    #[test]
    fn a_follower_far_behind_begins_anew_in_small_steps() {
        let (mut owner, mut follower) = (Values::default(), Values::default());
        for key in ["a", "b", "c"] {
            owner.set(key, Some(b"1"), 3).expect("there is room");
        }
        follower.apply(delta(&owner, &follower, 2), 3).expect("it follows");
        owner.set("b", None, 3).expect("it is there");
        owner.set("d", Some(b"1"), 3).expect("the removal makes room");
        let versions: Vec<u64> = (0..3)
            .map(|_| {
                follower.apply(delta(&owner, &follower, 1), 3).expect("it follows");
                follower.version
            })
            .collect();
        assert_eq!(versions, [1, 3, 5], "it goes back once, under a new floor");
        assert_eq!(follower.iter().count(), 3);
    }

    proptest! {
        #[test]
        fn a_follower_ends_with_the_same_values_whatever_it_missed(
            acts in proptest::collection::vec(
                (0_u8..6, any::<bool>(), any::<u8>(), 0_usize..4), 1..80,
            ),
        ) {
            let (mut owner, mut follower) = (Values::default(), Values::default());
            let mut seen = std::collections::BTreeMap::new();
            let mut follow = |follower: &mut Values, owner: &Values, count| {
                let delta = delta(owner, follower, count);
                for item in follower.apply(delta, 4).unwrap_or_default() {
                    match item.value {
                        Some(value) => seen.insert(item.key, value),
                        None => seen.remove(&item.key),
                    };
                }
                seen.clone()
            };
            for (key, set, value, count) in acts {
                let value = set.then_some([value]);
                let result = owner.set(&key.to_string(), value.as_ref().map(|v| &v[..]), 4);
                let fits = matches!(result, Ok(()) | Err(SetError::Full { .. }));
                prop_assert!(fits, "a set fails only where all keys are taken");
                follow(&mut follower, &owner, count);
            }
            // Four more deltas of one change each bring whatever is left.
            (0..4).for_each(|_| drop(follow(&mut follower, &owner, 1)));
            let mut told = follow(&mut follower, &owner, 1);
            prop_assert_eq!(follower.version, owner.version);
            for (key, value) in owner.iter() {
                prop_assert_eq!(follower.value(key), Some(value));
                let heard = told.remove(key);
                prop_assert_eq!(heard.as_deref(), Some(value));
            }
            prop_assert!(told.is_empty());
        }
    }
}
