//! Jobs as they are submitted: specs and whether more will follow.

use std::sync::Arc;

use crate::task::TaskSpec;

/// A job, or its first part.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Its name, for people.
    pub name: Box<str>,
    /// Its specs; dependencies count from the first.
    pub specs: Arc<[Arc<TaskSpec>]>,
    /// Whether more specs may be added before it is closed.
    pub open: bool,
    /// When it ends before all its tasks have.
    pub halt: Option<Halt>,
}

/// When a job ends early: in the same step in which the rule is met, nothing more of it starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halt {
    /// Which ends are counted.
    pub on: HaltOn,
    /// How many of them are enough.
    pub enough: Enough,
    /// Whether tasks that run are stopped too, rather than left to their end.
    pub running: bool,
}

/// Which ends of tasks count towards a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltOn {
    /// Tasks that failed.
    Failed,
    /// Tasks that succeeded.
    Succeeded,
    /// Tasks that ended, however.
    Ended,
}

/// How many ends are enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Enough {
    /// So many tasks.
    Tasks(u64),
    /// This share of the tasks submitted so far, in percent, once three (or all) have ended.
    Percent(f64),
}

impl JobSpec {
    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.specs.iter().map(|spec| u64::from(spec.count)).sum()
    }
}
