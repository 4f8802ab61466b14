//! Jobs as they are submitted: specs and whether more will follow.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::id::{JobNo, ShardId};
use crate::sharing::specs;
use crate::task::TaskSpec;
use crate::time::{Span, Wall};

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
    /// Whose it is, and when it may begin.
    pub about: About,
}

/// What a job is besides its tasks. `Default` is a job of nobody that may begin at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct About {
    /// Its user's marks, for people and filters.
    pub tags: BTreeMap<Box<str>, Box<str>>,
    /// Who submitted it; empty where that is not known.
    pub owner: Box<str>,
    /// When it was submitted, by the calendar of who took it in.
    pub submitted: Option<Wall>,
    /// Before when nothing of it is granted.
    pub not_before: Option<Wall>,
    /// Added to the priority of each of its tasks; what is past the range counts as its end.
    pub priority: i32,
    /// Whether nothing of it is granted until it is released.
    pub held: bool,
    /// When it should have ended, where somebody said so. It only helps to decide who goes when.
    pub deadline: Option<Deadline>,
    /// At how many members of a cluster its large results are to be kept: 0 and 1 mean where they
    /// were made, 2 at its home as well, more at others.
    pub copies: u8,
}

/// When a job should have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// At this moment of the calendar.
    At(Wall),
    /// So long after it was submitted. On record it is a moment of the calendar.
    After(Span),
}

/// How [`About`] is written. A deadline rides among the tags, and so do copies, under names that no
/// tag has, so that what was written before there were any reads the same.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    tags: BTreeMap<Box<str>, Box<str>>,
    owner: Box<str>,
    submitted: Option<Wall>,
    not_before: Option<Wall>,
    priority: i32,
    held: bool,
}

/// The name under which a deadline rides.
const DEADLINE: &str = "\0deadline";
/// The name under which copies do.
const COPIES: &str = "\0copies";

impl From<About> for Stored {
    fn from(about: About) -> Self {
        let About { mut tags, owner, submitted, not_before, priority, held, deadline, copies } =
            about;
        tags.remove(DEADLINE);
        tags.remove(COPIES);
        if copies > 1 {
            tags.insert(COPIES.into(), copies.to_string().into());
        }
        if let Some(deadline) = deadline {
            let said = match deadline {
                Deadline::At(at) => format!("at {}", at.0),
                Deadline::After(span) => format!("after {}", span.0),
            };
            tags.insert(DEADLINE.into(), said.into());
        }
        Self { tags, owner, submitted, not_before, priority, held }
    }
}

impl From<Stored> for About {
    fn from(stored: Stored) -> Self {
        let Stored { mut tags, owner, submitted, not_before, priority, held } = stored;
        let copies = tags.remove(COPIES).and_then(|said| said.parse().ok()).unwrap_or_default();
        let said = tags.remove(DEADLINE);
        let deadline = said.and_then(|said| {
            let (kind, nanoseconds) = said.split_once(' ')?;
            let nanoseconds = nanoseconds.parse().ok()?;
            match kind {
                "at" => Some(Deadline::At(Wall(nanoseconds))),
                "after" => Some(Deadline::After(Span(nanoseconds))),
                _ => None,
            }
        });
        Self { tags, owner, submitted, not_before, priority, held, deadline, copies }
    }
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

impl Halt {
    /// Why a job is cancelled whose rule is met.
    pub const REASON: &str = "its rule for ending early was met";
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

impl About {
    /// The longest reason that somebody may give for a change, in bytes.
    pub const REASON_BYTES_MAX: usize = 1_024;
    /// The most bytes of tags and owner.
    pub const BYTES_MAX: usize = 65_536;

    /// The same, to be shared; what nobody has said anything of takes no room.
    #[must_use]
    pub fn shared(self) -> Arc<Self> {
        static NOTHING: LazyLock<Arc<About>> = LazyLock::new(Arc::default);
        if self == **NOTHING { Arc::clone(&NOTHING) } else { Arc::new(self) }
    }

    /// How many bytes its tags and its owner take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tags = self.tags.iter().map(|(tag, value)| tag.len() + value.len());
        self.owner.len() + tags.sum::<usize>()
    }
}

impl JobSpec {
    /// A job of these specs that is closed, never ends early and may begin at once.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, specs: impl Into<Arc<[Arc<TaskSpec>]>>) -> Self {
        let (name, specs) = (name.into(), specs.into());
        Self { name, specs, open: false, halt: None, key: None, about: About::default() }
    }

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
