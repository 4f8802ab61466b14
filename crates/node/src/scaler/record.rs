//! What the autoscaler decided here, the last of it: each decision with its reason and what came of
//! it. One that says once more that nothing is to be done, or not yet, is counted with the one
//! before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::time::Wall;

/// How many decisions are kept.
pub(crate) const DECISIONS_MAX: usize = 1_000;

/// The limits of the autoscaler as the documentation lists them: name, default and meaning.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("decisions_max", "1,000", "decisions of the autoscaler that a member remembers"),
    ("driver_output_max", "64 KiB", "what is logged of the output of a driver's command"),
];

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) at: Wall,
    /// What is done: add, keep, drain, stop, or none.
    pub(crate) act: &'static str,
    /// To whom; empty where nothing is done.
    pub(crate) node: String,
    pub(crate) reason: String,
    /// What came of it.
    pub(crate) outcome: String,
    /// How often in a row it was decided.
    pub(crate) times: u32,
}

/// What is known of the autoscaler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The plan as it was written; empty where there is none.
    pub(crate) plan: String,
    pub(crate) driver: &'static str,
    pub(crate) least: u32,
    pub(crate) most: u32,
    /// What is wrong with it; empty where nothing is.
    pub(crate) problem: String,
    /// How many members the rule wants; 0 where another member decides.
    pub(crate) wanted: u32,
}

/// The decisions of this member, and what it knows.
#[derive(Debug, Default)]
pub(crate) struct Record {
    decisions: Mutex<VecDeque<Decision>>,
    /// How often each kind was decided since this member began.
    counts: Mutex<BTreeMap<&'static str, u64>>,
    known: Mutex<Known>,
}

impl Record {
    /// Adds a decision; gives whether it is another than the one before.
    pub(crate) fn add(&self, decision: Decision) -> bool {
        *self.counted().entry(decision.act).or_default() += 1;
        let mut all = self.decisions();
        // Those of one look come one after the other.
        let lately = all.iter_mut().rev().take(LATELY).take_while(|one| is_idle(one));
        for before in lately.filter(|_| is_idle(&decision)) {
            if before.act == decision.act && before.node == decision.node {
                *before = Decision { times: before.times.saturating_add(1), ..decision };
                return false;
            }
        }
        if all.len() >= DECISIONS_MAX {
            all.pop_front();
        }
        all.push_back(decision);
        true
    }

    /// The last decisions, so many at most, the oldest first.
    pub(crate) fn last(&self, most: usize) -> Vec<Decision> {
        let all = self.decisions();
        all.iter().skip(all.len().saturating_sub(most)).cloned().collect()
    }

    /// How often each kind was decided since this member began.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counted().clone()
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// That is known from now on.
    pub(crate) fn know(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn counted(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decisions(&self) -> MutexGuard<'_, VecDeque<Decision>> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Among how many of the last decisions one is looked for that says the same.
const LATELY: usize = 64;
/// With what the outcome begins of what is not done yet.
pub(crate) const NOT_YET: &str = "not yet";

/// Whether nothing was done. Numbers in reasons change with every look.
fn is_idle(decision: &Decision) -> bool {
    decision.act == "none" || decision.outcome.starts_with(NOT_YET)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(act: &'static str, reason: &str) -> Decision {
        let (node, outcome) = (String::new(), "done".to_owned());
        Decision { at: Wall(1), act, node, reason: reason.to_owned(), outcome, times: 1 }
    }

    #[test]
    fn looks_that_change_nothing_are_one_line_and_acts_are_all_kept() {
        let record = Record::default();
        assert!(record.add(decision("none", "2 tasks")));
        assert!(!record.add(decision("none", "3 tasks")));
        assert!(record.add(decision("add", "9 tasks")));
        assert!(record.add(decision("add", "12 tasks")));
        assert!(record.add(decision("none", "2 tasks")));
        let not_yet = "not yet: it runs 1".to_owned();
        let later = || Decision { outcome: not_yet.clone(), ..decision("stop", "idle") };
        assert!(record.add(later()) && !record.add(decision("none", "1 task")));
        assert!(!record.add(later()));
        let all = record.last(10);
        let told: Vec<_> = all.iter().map(|one| (one.act, &*one.reason, one.times)).collect();
        let none = ("none", "3 tasks", 2);
        let acts = [("add", "9 tasks", 1), ("add", "12 tasks", 1)];
        let wanted = [none, acts[0], acts[1], ("none", "1 task", 2), ("stop", "idle", 2)];
        assert_eq!(told, wanted);
        let counts = BTreeMap::from([("none", 4), ("add", 2), ("stop", 2)]);
        assert_eq!(record.counts(), counts, "those that say the same are counted too");
        assert_eq!(record.last(2).len(), 2);
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let record = Record::default();
        for number in 0..DECISIONS_MAX + 5 {
            record.add(decision("add", &number.to_string()));
        }
        let all = record.last(usize::MAX);
        assert_eq!((all.len(), &*all[0].reason), (DECISIONS_MAX, "5"));
    }
}
