//! Jobs as they are submitted: specs and whether more will follow.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{JobNo, ShardId};
use crate::sharing::specs;
use crate::task::TaskSpec;

/// A job, or its first part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobSpec {
    /// Its name, for people.
    pub name: Box<str>,
    /// Its specs; dependencies count from the first.
    #[serde(with = "specs")]
    pub specs: Arc<[Arc<TaskSpec>]>,
    /// Whether more specs may be added before it is closed.
    pub open: bool,
    /// When it ends before all its tasks have.
    pub halt: Option<Halt>,
    /// Under which key it is submitted; the same key and content give the first answer again.
    pub key: Option<SubmissionKey>,
}

/// A job of any shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobRef {
    /// The shard that it lives in.
    pub shard: ShardId,
    /// Its number there.
    pub job: JobNo,
}

/// Names one submission, so that it may be repeated without a second run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubmissionKey {
    /// Minted by whoever submits, at random or from what the job is.
    pub key: u128,
    /// A hash of all that is submitted under it: the same key with another content is refused.
    pub content: u64,
}

/// When a job ends early: in the same step in which the rule is met, nothing more of it starts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Halt {
    /// Which ends are counted.
    pub on: HaltOn,
    /// How many of them are enough.
    pub enough: Enough,
    /// Whether tasks that run are stopped too, rather than left to their end.
    pub running: bool,
}

/// Which ends of tasks count towards a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HaltOn {
    /// Tasks that failed.
    Failed,
    /// Tasks that succeeded.
    Succeeded,
    /// Tasks that ended, however.
    Ended,
}

/// How many ends are enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Enough {
    /// So many tasks.
    Tasks(u64),
    /// This share of the tasks submitted so far, in percent, once three (or all) have ended.
    Percent(#[serde(with = "percent")] f64),
}

impl JobSpec {
    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.specs.iter().map(|spec| u64::from(spec.count)).sum()
    }
}

/// How a share in percent is written and read: a number that can be compared.
mod percent {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(percent: &f64, to: S) -> Result<S::Ok, S::Error> {
        if percent.is_nan() {
            return Err(S::Error::custom("a share is a number"));
        }
        percent.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let percent = f64::deserialize(from)?;
        if percent.is_nan() { Err(D::Error::custom("a share is a number")) } else { Ok(percent) }
    }
}
