//! The bottom levels of a job's specs, and the highest among those that still wait for others.
//! While such a one would go before what is ready, nodes are given no more of that than they can
//! start: what is handed out ahead would be in the way of the longest path.

use std::cmp::Reverse;
use std::sync::Arc;

use bary_ledger::job::Job;
use bary_model::id::SpecNo;
use bary_model::task::TaskSpec;
use bary_model::time::Span;

/// The levels of a job that has dependencies.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    of: Vec<u64>,
    /// Upward ranks, where the order looks at them.
    ranks: Vec<Span>,
    /// How many specs wait for each.
    successors: Vec<u32>,
    /// The specs, the highest level first, and of equal ones that which most wait for.
    sorted: Box<[SpecNo]>,
    /// How many of these wait for nothing any more.
    passed: usize,
}

impl Levels {
    pub(super) fn new(of: Vec<u64>, ranks: Vec<Span>, specs: &[Arc<TaskSpec>]) -> Self {
        let mut successors = vec![0; of.len()];
        for after in specs.iter().flat_map(|spec| &spec.after) {
            successors[after.spec.index()] += 1;
        }
        let mut sorted: Vec<SpecNo> = (0..of.len() as u32).map(SpecNo).collect();
        sorted.sort_by_key(|spec| Reverse((of[spec.index()], successors[spec.index()])));
        Self { of, ranks, successors, sorted: sorted.into(), passed: 0 }
    }

    /// Of how many specs there are levels.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// The level of a spec, in thousandths of weight.
    pub(super) fn get(&self, spec: SpecNo) -> Option<u64> {
        self.of.get(spec.index()).copied()
    }

    /// The upward rank of a spec, where ranks are known.
    pub(super) fn rank(&self, spec: SpecNo) -> Option<Span> {
        self.ranks.get(spec.index()).copied()
    }

    /// How many specs wait for a spec.
    pub(super) fn successors(&self, spec: SpecNo) -> u32 {
        self.successors.get(spec.index()).copied().unwrap_or(0)
    }

    /// The spec of the highest level that waits for others, and that level. It is never higher
    /// than it was; a retry that blocks specs once more is not seen.
    pub(super) fn looming(&mut self, job: &Job) -> Option<(SpecNo, u64)> {
        while let Some(spec) = self.sorted.get(self.passed) {
            if job.awaits_specs(*spec) {
                return Some((*spec, self.of[spec.index()]));
            }
            self.passed += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Levels;
    use bary_model::action::Action;
    use bary_model::id::SpecNo;
    use bary_model::task::{After, Body, TaskSpec};

    fn specs(after: &[&[u32]]) -> Vec<Arc<TaskSpec>> {
        let body = Arc::new(Body::new(Action::Function { name: "f".into(), args: Vec::new() }));
        let spec = |after: &&[u32]| {
            let after = after.iter().map(|spec| After { spec: SpecNo(*spec), aligned: false });
            Arc::new(TaskSpec { after: after.collect(), ..TaskSpec::new(Arc::clone(&body)) })
        };
        after.iter().map(spec).collect()
    }

    #[test]
    fn a_spec_has_its_level_and_an_unknown_one_has_none() {
        let levels = Levels::new(vec![3, 9, 1], Vec::new(), &specs(&[&[], &[], &[]]));
        assert_eq!((levels.get(SpecNo(1)), levels.get(SpecNo(3))), (Some(9), None));
        assert_eq!(&*levels.sorted, &[SpecNo(1), SpecNo(0), SpecNo(2)]);
    }

    #[test]
    fn of_equal_levels_that_which_most_wait_for_comes_first() {
        let levels = Levels::new(vec![2, 2, 1, 1], Vec::new(), &specs(&[&[], &[], &[1], &[0, 1]]));
        assert_eq!((levels.successors(SpecNo(0)), levels.successors(SpecNo(1))), (1, 2));
        assert_eq!(levels.sorted[0], SpecNo(1));
    }
}
