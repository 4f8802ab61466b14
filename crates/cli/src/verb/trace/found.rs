//! Jobs that were found somewhere, as the trace that they make.

use std::sync::Arc;

use bary_model::time::Wall;
use bary_trace::ran::RanError;
use bary_trace::trace::{Job, Task, Trace};

use crate::complaint::Complaint;
use crate::exit::Exit;

/// A job with the moment when it came.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) number: u32,
    pub(crate) name: Box<str>,
    pub(crate) owner: Arc<str>,
    pub(crate) came: Wall,
    pub(crate) tasks: Vec<Task>,
}

/// The trace that begins with the first of these jobs; those without tasks are left out.
pub(crate) fn trace(name: &str, mut found: Vec<Found>) -> Trace {
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

/// A job that is no trace.
pub(crate) fn too_large(job: u32, error: &RanError) -> Complaint {
    let help = "name jobs that are smaller, or export them one by one";
    Complaint::new(Exit::FULL, format!("job {job}: {error}")).help(help)
}
