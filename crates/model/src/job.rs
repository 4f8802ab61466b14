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
}

impl JobSpec {
    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.specs.iter().map(|spec| u64::from(spec.count)).sum()
    }
}
