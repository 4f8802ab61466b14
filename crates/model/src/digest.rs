//! What a node holds of a shard in two numbers, so that both ends can compare without a list.

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, GrantNo, TaskRange};
use crate::mix::mix;

/// What a node holds of a shard in two numbers. Both ends keep it up with each grant, outcome and
/// retract, so that they can be compared without a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many tasks.
    pub tasks: u64,
    /// The sum of what each task under its grant hashes to, wrapping.
    pub hash: u64,
}

impl Digest {
    /// Counts tasks in that a node was granted.
    pub fn add(&mut self, epoch: Epoch, grant: GrantNo, range: TaskRange) {
        self.tasks = self.tasks.wrapping_add(u64::from(range.count));
        self.hash = self.hash.wrapping_add(hash(epoch, grant, range));
    }

    /// Counts tasks out that a node holds no longer.
    pub fn remove(&mut self, epoch: Epoch, grant: GrantNo, range: TaskRange) {
        self.tasks = self.tasks.wrapping_sub(u64::from(range.count));
        self.hash = self.hash.wrapping_sub(hash(epoch, grant, range));
    }
}

/// The sum over the indices of a range of `a + b * index`, with `a` and `b` drawn from the rest
/// of its name: additive, so that ranges may be split, and no longer to compute for long ones.
fn hash(epoch: Epoch, grant: GrantNo, range: TaskRange) -> u64 {
    let seed = mix(grant.0 ^ u64::from(epoch.0) << 40)
        ^ mix(u64::from(range.job.0) << 32 | u64::from(range.spec.0));
    let (a, b) = (mix(seed), mix(seed ^ 1) | 1);
    let (first, count) = (u64::from(range.first), u64::from(range.count));
    let indices = first * count + count * count.saturating_sub(1) / 2;
    a.wrapping_mul(count).wrapping_add(b.wrapping_mul(indices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{JobNo, SpecNo};

    #[test]
    fn a_digest_does_not_depend_on_how_a_range_is_split() {
        let range = TaskRange { job: JobNo(1), spec: SpecNo(2), first: 10, count: 90 };
        let mut whole = Digest::default();
        whole.add(Epoch(3), GrantNo(4), range);
        for (first, count) in [(50, 1), (10, 40), (51, 49)] {
            whole.remove(Epoch(3), GrantNo(4), range.with(first, count));
        }
        assert_eq!(whole, Digest::default());
        whole.add(Epoch(3), GrantNo(4), range);
        let mut other = Digest::default();
        other.add(Epoch(3), GrantNo(5), range);
        assert_ne!(whole, other);
    }
}
