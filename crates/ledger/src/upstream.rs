//! Dependencies between jobs: a job may wait for others of its shard, and for some elsewhere.

use bary_model::id::{SpecNo, TaskRange};
use bary_model::job::JobRef;

use crate::consequences::Consequences;
use crate::job::Job;

impl Job {
    /// The jobs that it still waits for.
    pub fn awaited(&self) -> impl Iterator<Item = JobRef> {
        self.upstream.iter().filter(|(_, end)| end.is_none()).map(|(job, _)| *job)
    }

    /// The jobs that it was submitted to wait for.
    pub fn waits_for(&self) -> impl Iterator<Item = JobRef> {
        self.upstream.iter().map(|(job, _)| *job)
    }

    /// Whether it was submitted to wait for other jobs.
    #[must_use]
    pub fn awaits_jobs(&self) -> bool {
        !self.upstream.is_empty()
    }

    /// Whether it still waits for any other job.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.awaited().next().is_some()
    }

    /// Whether a job that it waited for did not succeed, so that nothing of it may run that wants
    /// success.
    pub(crate) fn has_bad_upstream(&self) -> bool {
        self.upstream.iter().any(|(_, end)| *end == Some(false))
    }

    /// Whether every task that was submitted has succeeded.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.succeeded == self.tasks
    }

    /// A job that it waits for has finished. When it was the last, what waits for nothing else
    /// becomes ready, or is skipped where one did not succeed; a spec that is skipped for that
    /// names itself as the cause.
    pub(crate) fn arrive_from(&mut self, upstream: JobRef, good: bool, out: &mut Consequences) {
        let open = self.upstream.iter_mut().find(|(job, end)| *job == upstream && end.is_none());
        let Some((_, end)) = open else { return };
        *end = Some(good);
        if self.is_blocked() {
            return;
        }
        let bad = self.has_bad_upstream();
        let mut endings = Vec::new();
        for number in 0..self.specs.len() as u32 {
            let spec = SpecNo(number);
            let state = &mut self.specs[spec.index()];
            if !state.spec.after.is_empty() || state.left() == 0 {
                // What is over may have lost what it said it waits for, and waits for nothing.
                continue;
            }
            state.waits -= 1;
            if bad {
                state.bad.get_or_insert(spec);
            }
            let all = TaskRange { job: self.no, spec, first: 0, count: state.spec.count };
            for (first, count) in self.unended(all) {
                self.open_or_skip(spec, (first, count), spec, &mut endings, out);
            }
        }
        self.spread(endings, out);
    }
}
