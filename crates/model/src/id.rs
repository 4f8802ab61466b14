//! Names of things that are numbers. Dense ids index vectors; random ones name shards.

use std::fmt;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

/// A node: which member of a cluster it belongs to, and which of that member's it is. In a process
/// that is in no cluster, nodes are numbered from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct NodeId(pub u64);

impl NodeId {
    /// Stands for any node: the holder of a grant that several may run at once.
    pub const ANY: Self = Self(u32::MAX as u64);

    /// How many nodes a member of a cluster numbers at most.
    pub const OF_MEMBER_MAX: u64 = 1 << 12;

    /// The node of a number below [`NodeId::OF_MEMBER_MAX`], of the member of a number of at most
    /// 40 bits. With both the id stays below 2^52, which JSON writes exactly.
    #[must_use]
    pub fn of_member(member: u64, node: u64) -> Self {
        Self(member * Self::OF_MEMBER_MAX + node)
    }

    /// The number of the member that it belongs to; of no meaning in a process that is in no
    /// cluster.
    #[must_use]
    pub fn member(self) -> u64 {
        self.0 / Self::OF_MEMBER_MAX
    }

    /// The id as an index into a dense vector, for a node of a process that is in no cluster.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A life of a node: durable before it says anything, and higher in each later life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u32);

/// One end of a link between two nodes: the node's incarnation above, and below it how often it
/// has begun anew with that peer. Zero stands for an end that is not known yet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Birth(pub u64);

impl Birth {
    /// The first end that a node of this incarnation has.
    #[must_use]
    pub fn first(incarnation: Incarnation) -> Self {
        Self(u64::from(incarnation.0) << 32 | 1)
    }

    /// The end after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The life of the node that it belongs to.
    #[must_use]
    pub fn incarnation(self) -> Incarnation {
        Incarnation((self.0 >> 32) as u32)
    }
}

/// The ledger that a job lives in: random when its journal was made.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ShardId(pub u64);

/// A reign over a shard: minted by opening its journal, never lower than one before.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

/// A job of a shard, dense from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct JobNo(pub u32);

impl JobNo {
    /// The number as an index into a dense vector.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A spec's position in its job, from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SpecNo(pub u32);

impl SpecNo {
    /// The number as an index into a dense vector.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One task: an index of a spec of a job.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TaskId {
    /// The job.
    pub job: JobNo,
    /// The spec in the job.
    pub spec: SpecNo,
    /// The index in the spec.
    pub index: u32,
}

/// Tasks of one spec with neighbouring indices; arrays travel as these, never expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "StoredRange")]
pub struct TaskRange {
    /// The job.
    pub job: JobNo,
    /// The spec in the job.
    pub spec: SpecNo,
    /// The first index.
    pub first: u32,
    /// How many indices; at least 1.
    pub count: u32,
}

/// Why numbers are not a range of tasks: it would be empty, or end after the last index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{count} tasks from {first} on are no range")]
struct RangeError {
    first: u32,
    count: u32,
}

/// A range as it was written, before its numbers are checked.
#[derive(Serialize, Deserialize)]
struct StoredRange {
    job: JobNo,
    spec: SpecNo,
    first: u32,
    count: u32,
}

impl StoredRange {
    fn checked(self) -> Result<Self, RangeError> {
        let Self { first, count, .. } = self;
        let good = count > 0 && first.checked_add(count).is_some();
        if good { Ok(self) } else { Err(RangeError { first, count }) }
    }
}

impl TryFrom<StoredRange> for TaskRange {
    type Error = RangeError;

    fn try_from(stored: StoredRange) -> Result<Self, RangeError> {
        let StoredRange { job, spec, first, count } = stored.checked()?;
        Ok(Self { job, spec, first, count })
    }
}

impl Serialize for TaskRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { job, spec, first, count } = *self;
        StoredRange { job, spec, first, count }.checked().map_err(S::Error::custom)?.serialize(to)
    }
}

impl TaskRange {
    /// The range of exactly one task.
    #[must_use]
    pub fn one(task: TaskId) -> Self {
        Self { job: task.job, spec: task.spec, first: task.index, count: 1 }
    }

    /// The index after the last one.
    #[must_use]
    pub fn end(self) -> u32 {
        self.first + self.count
    }

    /// The first task of the range.
    #[must_use]
    pub fn head(self) -> TaskId {
        TaskId { job: self.job, spec: self.spec, index: self.first }
    }

    /// The same spec with other indices.
    #[must_use]
    pub fn with(self, first: u32, count: u32) -> Self {
        Self { first, count, ..self }
    }

    /// Each task of the range.
    pub fn tasks(self) -> impl Iterator<Item = TaskId> {
        (self.first..self.end()).map(move |index| TaskId { index, ..self.head() })
    }
}

/// The number of a grant in its shard and epoch; later grants have higher numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct GrantNo(pub u64);

/// What an outcome must name to be accepted: the ledger's current grant of its task.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Fence {
    /// The shard that granted.
    pub shard: ShardId,
    /// The reign in which it granted, whichever reigns now.
    pub epoch: Epoch,
    /// The number of the grant.
    pub grant: GrantNo,
}

/// One start of an executor, dense in its node's life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RunNo(pub u64);

/// A position in a shard's journal: how many batches were appended before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Lsn(pub u64);

#[cfg(test)]
mod tests {
    use super::NodeId;

    #[test]
    fn an_id_tells_its_member_and_fits_what_json_writes_exactly() {
        let last = NodeId::of_member((1 << 40) - 1, NodeId::OF_MEMBER_MAX - 1);
        assert_eq!(last.member(), (1 << 40) - 1);
        assert!(last.0 < 1 << 53);
        assert_eq!(NodeId::of_member(0, 7), NodeId(7));
        assert!(NodeId::ANY < NodeId::of_member(1 << 39, 0), "no member has the id of any");
    }
}
