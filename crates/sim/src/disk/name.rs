//! Which names there are, now and after a crash: changes reach the disk in their order, and a
//! crash loses some of the last.

use std::collections::{BTreeMap, BTreeSet};

use bary_policy::dice::Dice;

use crate::disk::Mood;

/// One change of names.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Made { name: String, file: u64 },
    Renamed { from: String, to: String },
    Removed { name: String },
}

/// Names, each of one file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    now: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    /// What leads from `durable` to `now`.
    changes: Vec<Change>,
}

impl Names {
    pub(crate) fn now(&self) -> &BTreeMap<String, u64> {
        &self.now
    }

    pub(crate) fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.changes.push(change);
    }

    /// Makes the changes durable; whether there were any.
    pub(crate) fn sync(&mut self) -> bool {
        for change in &self.changes {
            apply(&mut self.durable, change);
        }
        let changed = !self.changes.is_empty();
        self.changes.clear();
        changed
    }

    pub(crate) fn crash(&mut self, mood: Mood, dice: &mut Dice) {
        let kept = match mood {
            Mood::KeepAll => self.changes.len(),
            Mood::LoseAll => 0,
            Mood::Draw => dice.below(self.changes.len() as u64 + 1) as usize,
        };
        self.changes.truncate(kept);
        self.sync();
        self.now = self.durable.clone();
    }

    /// The files that a name leads to, now or perhaps after a crash.
    pub(crate) fn files(&self) -> BTreeSet<u64> {
        let made = self.changes.iter().filter_map(|change| match change {
            Change::Made { file, .. } => Some(*file),
            Change::Renamed { .. } | Change::Removed { .. } => None,
        });
        self.durable.values().copied().chain(made).collect()
    }
}

fn apply(names: &mut BTreeMap<String, u64>, change: &Change) {
    match change {
        Change::Made { name, file } => drop(names.insert(name.clone(), *file)),
        Change::Renamed { from, to } => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Change::Removed { name } => drop(names.remove(name)),
    }
}
