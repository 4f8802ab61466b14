//! Jobs that were found somewhere, as the trace that they make.

use std::sync::Arc;

use bary_model::time::Wall;
use bary_trace::trace::{Job, Task, Trace};

/// A job with the moment when it came.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) number: u32,
    pub(super) name: Box<str>,
    pub(super) owner: Arc<str>,
    pub(super) came: Wall,
    pub(super) tasks: Vec<Task>,
}

/// The trace that begins with the first of these jobs; those without tasks are left out.
pub(super) fn trace(name: &str, mut found: Vec<Found>) -> Trace {
    found.retain(|job| !job.tasks.is_empty());
    found.sort_by_key(|job| (job.came, job.number));
    let first = found.first().map_or(Wall(0), |job| job.came);
    let jobs = found.into_iter().map(|job| Job {
        name: job.name,
        owner: job.owner,
        arrival: job.came.since(first),
        tasks: job.tasks.into(),
    });
    Trace { name: name.into(), unit: Trace::UNIT, jobs: jobs.collect() }
}
