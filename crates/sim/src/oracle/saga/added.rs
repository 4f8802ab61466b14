//! Specs in sum, so that what was told of them can be held against what is on record; and which of
//! them a reign knew.

use bary_model::id::{Epoch, SpecNo, TaskRange};
use bary_model::task::TaskSpec;

use crate::history::Digest;
use crate::oracle::saga::Saga;

/// Specs that were added together, in their order.
pub(crate) fn sum<'a>(specs: impl Iterator<Item = &'a TaskSpec>) -> Digest {
    let mut sum = Digest::default();
    for (place, spec) in (0..).zip(specs) {
        let TaskSpec { name, count, weight, .. } = spec;
        let words = format!("{name} {count} {} {}", weight.thousandths(), spec.body.retries);
        sum.add(place, words.as_bytes());
    }
    sum
}

impl Saga {
    /// So many of its specs from this one on, in sum; fewer where there are not so many.
    pub(crate) fn sum_of(&self, first: SpecNo, count: u64) -> Digest {
        let later = self.chapters.iter().skip(first.index());
        sum(later.take(count as usize).map(|chapter| &*chapter.spec))
    }

    /// Whether all these tasks were there in a reign. What came later has the numbers of what that
    /// reign had taken in and nobody after it knows of.
    #[must_use]
    pub fn had(&self, range: TaskRange, epoch: Epoch) -> bool {
        self.has(range) && self.chapters[range.spec.index()].epoch <= epoch
    }
}
