//! The bottom levels of a job's specs, and the highest among those that still wait for others.
//! While such a one would go before what is ready, nodes are given no more of that than they can
//! start: what is handed out ahead would be in the way of the longest path.

use bary_ledger::job::Job;
use bary_model::id::SpecNo;
use bary_model::time::Span;

/// The levels of a job that has dependencies.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    of: Vec<u64>,
    /// Upward ranks, where the order looks at them.
    ranks: Vec<Span>,
    /// The specs, the highest level first.
    sorted: Box<[SpecNo]>,
    /// How many of these wait for nothing any more.
    passed: usize,
}

impl Levels {
    pub(super) fn new(of: Vec<u64>, ranks: Vec<Span>) -> Self {
        let mut sorted: Vec<SpecNo> = (0..of.len() as u32).map(SpecNo).collect();
        sorted.sort_by_key(|spec| std::cmp::Reverse(of[spec.index()]));
        Self { of, ranks, sorted: sorted.into(), passed: 0 }
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
    use super::Levels;
    use bary_model::id::SpecNo;

    #[test]
    fn a_spec_has_its_level_and_an_unknown_one_has_none() {
        let levels = Levels::new(vec![3, 9, 1], Vec::new());
        assert_eq!((levels.get(SpecNo(1)), levels.get(SpecNo(3))), (Some(9), None));
        assert_eq!(&*levels.sorted, &[SpecNo(1), SpecNo(0), SpecNo(2)]);
    }
}
