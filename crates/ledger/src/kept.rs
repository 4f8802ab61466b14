//! Results that other specs of the job will read.

use std::collections::BTreeMap;

use bary_model::id::NodeId;
use bary_model::message::Upstream;
use bary_model::outcome::Results;
use bary_model::payload::Payload;
use serde::{Deserialize, Serialize};

/// The results of one spec by index; those that did not succeed stay absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Neighbours that one node made, by the first of them.
    runs: BTreeMap<u32, Run>,
}

/// Results of neighbouring indices that one node made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    count: u32,
    node: NodeId,
    /// Nothing, or exactly one for each.
    results: Results,
}

impl Kept {
    /// Keeps what the tasks from `first` on gave; of none of them anything is kept so far.
    pub fn keep(&mut self, first: u32, count: u32, results: &Results, node: NodeId) {
        if let Some((&start, run)) = self.runs.range_mut(..first).next_back()
            && start + run.count == first
            && run.node == node
            && run.goes_on(count, results)
        {
            return;
        }
        let results = match results {
            Results::Nothing => Results::Nothing,
            each @ Results::Each(_) => Results::Each(exactly(count, each).collect()),
        };
        self.runs.insert(first, Run { count, node, results });
    }

    /// The results of all indices, or of one, as a task under `name` reads them.
    #[must_use]
    pub fn upstream(&self, name: &str, only: Option<u32>) -> Upstream {
        let mut upstream = Upstream { name: name.into(), ..Upstream::default() };
        let (low, high) = only.map_or((0, u32::MAX), |only| (only, only));
        let from = self.runs.range(..=low).next_back().map_or(low, |(&first, _)| first);
        for (&first, run) in self.runs.range(from..=high) {
            for index in first.max(low)..=(first + run.count - 1).min(high) {
                upstream.results.push(run.results.at((index - first) as usize));
                upstream.indices.push(index);
                upstream.nodes.push(run.node);
            }
        }
        upstream
    }

    /// Whether the runs are in order and whole, and each is good by its first index and length.
    pub(crate) fn fits(&self, mut is_good: impl FnMut(u32, u32) -> bool) -> bool {
        let mut free = 0;
        self.runs.iter().all(|(&first, run)| {
            let whole = match &run.results {
                Results::Nothing => true,
                Results::Each(each) => each.len() == run.count as usize,
            };
            let Some(end) = first.checked_add(run.count) else { return false };
            let in_order = first >= free;
            free = end;
            in_order && run.count > 0 && whole && is_good(first, run.count)
        })
    }
}

impl Run {
    /// Adds the results of the tasks that follow, where they can be in one run with these.
    fn goes_on(&mut self, count: u32, next: &Results) -> bool {
        match (&mut self.results, next) {
            (Results::Nothing, Results::Nothing) => {}
            (Results::Each(each), Results::Each(_)) => each.extend(exactly(count, next)),
            _ => return false,
        }
        self.count += count;
        true
    }
}

/// One result for each of so many tasks.
fn exactly(count: u32, results: &Results) -> impl Iterator<Item = Payload> {
    (0..count as usize).map(|offset| results.at(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(texts: &[&'static str]) -> Results {
        let inline = |text: &&'static str| Payload::Inline(text.as_bytes().into());
        Results::Each(texts.iter().map(inline).collect())
    }

    #[test]
    fn results_are_read_one_by_one_or_all_in_order() {
        let mut kept = Kept::default();
        kept.keep(5, 1, &each(&["f"]), NodeId(1));
        kept.keep(0, 2, &each(&["a", "b"]), NodeId(1));
        kept.keep(2, 1, &each(&["c"]), NodeId(1));
        kept.keep(3, 1, &Results::Nothing, NodeId(2));
        assert_eq!(kept.runs.len(), 3, "neighbours of one node are one run");
        let all = kept.upstream("x", None);
        assert_eq!(all.indices, [0, 1, 2, 3, 5]);
        assert_eq!(all.nodes, [1, 1, 1, 2, 1].map(NodeId));
        assert_eq!(all.results[2], Payload::Inline("c".into()));
        assert_eq!(all.results[3], Payload::Empty);
        let one = kept.upstream("x", Some(2));
        assert_eq!((one.indices, one.results), (vec![2], vec![Payload::Inline("c".into())]));
        assert!(kept.upstream("x", Some(4)).indices.is_empty());
    }

    #[test]
    fn a_run_that_overlaps_or_is_not_whole_does_not_fit() {
        let mut kept = Kept::default();
        kept.keep(0, 2, &each(&["a", "b"]), NodeId(1));
        assert!(kept.fits(|_, _| true));
        assert!(!kept.fits(|first, count| first + count < 2));
        let run = Run { count: 1, node: NodeId(1), results: Results::Nothing };
        kept.runs.insert(1, run.clone());
        assert!(!kept.fits(|_, _| true), "it overlaps");
        kept.runs = BTreeMap::from([(u32::MAX, run.clone())]);
        assert!(!kept.fits(|_, _| true), "it ends after the last index");
        kept.runs = BTreeMap::from([(0, Run { results: each(&[]), ..run })]);
        assert!(!kept.fits(|_, _| true), "it has fewer results than tasks");
    }
}
