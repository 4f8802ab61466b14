//! Names of things that are numbers. Dense ids index vectors; random ones name shards.

use std::fmt;

/// A node of the cluster, dense from 0 in the order in which this process met it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The id as an index into a dense vector.
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

/// The ledger that a job lives in: random when its journal was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u64);

/// A reign over a shard: minted by opening its journal, never lower than one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

/// A job of a shard, dense from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNo(pub u32);

impl JobNo {
    /// The number as an index into a dense vector.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A spec's position in its job, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecNo(pub u32);

impl SpecNo {
    /// The number as an index into a dense vector.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One task: an index of a spec of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The job.
    pub job: JobNo,
    /// The spec in the job.
    pub spec: SpecNo,
    /// The index in the spec.
    pub index: u32,
}

/// Tasks of one spec with neighbouring indices; arrays travel as these, never expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantNo(pub u64);

/// What an outcome must name to be accepted: the ledger's current grant of its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The shard that granted.
    pub shard: ShardId,
    /// The reign in which it granted, whichever reigns now.
    pub epoch: Epoch,
    /// The number of the grant.
    pub grant: GrantNo,
}

/// One start of an executor, dense in its node's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunNo(pub u64);

/// A position in a shard's journal: how many batches were appended before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);
