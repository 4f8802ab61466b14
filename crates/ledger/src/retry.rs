//! A new generation of a finished job: what succeeded stays, all else runs once more.

use std::sync::Arc;

use bary_model::id::{SpecNo, TaskRange};
use bary_model::job::JobRef;
use bary_model::outcome::End;
use bary_model::task::TaskSpec;

use crate::array::runs;
use crate::consequences::Consequences;
use crate::job::Job;
use crate::spec::{One, Progress, SpecState};

impl Job {
    /// Begins anew with what did not succeed, neither held nor waiting for a time. What is ready at
    /// once and what is skipped again is told. The jobs that it waits for are given with how they
    /// ended; those that have not are waited for again.
    ///
    /// # Panics
    /// Where the job has not finished.
    pub(crate) fn retry(&mut self, news: Vec<(JobRef, Option<bool>)>, out: &mut Consequences) {
        assert!(self.is_over(), "only finished jobs are retried");
        let mut again = Self::new(self.no, self.name.clone(), false);
        (again.halt, again.key) = (self.halt, self.key);
        (again.about, again.priority) = (Arc::clone(&self.about), self.priority);
        again.upstream = news.iter().map(|(job, _)| (*job, None)).collect();
        again.generation = self.generation + 1;
        let old = std::mem::take(&mut self.specs);
        let mut ends: Vec<usize> = self.batches.iter().skip(1).map(|&at| at as usize).collect();
        ends.push(old.len());
        let mut first = 0;
        let mut ignored = Consequences::default();
        for end in ends {
            let specs = old[first..end].iter().map(SpecState::again);
            again.add(&specs.collect::<Arc<[Arc<TaskSpec>]>>(), &mut ignored);
            first = end;
        }
        // All that succeeded is marked before anything follows from it: what ran after a failure
        // of the last generation may be skipped in this one, as far as it did not succeed.
        let (mut then, mut endings) = (Consequences::default(), Vec::new());
        for (number, state) in old.into_iter().enumerate() {
            let (job, spec) = (self.no, SpecNo(number as u32));
            let range = TaskRange { job, spec, first: 0, count: 1 };
            again.specs[number].kept = state.kept;
            let good = match state.progress {
                Progress::One(One::Ended(End::Succeeded), _) => vec![(0, 1)],
                Progress::One(..) => Vec::new(),
                Progress::Many(array) => runs(&array.succeeded),
            };
            for (first, count) in good {
                again.mark(range.with(first, count), &End::Succeeded, &mut endings);
            }
        }
        again.spread(endings, &mut then);
        // What was skipped for a job that did not succeed is so again.
        for (job, good) in news {
            if let Some(good) = good {
                again.arrive_from(job, good, &mut then);
            }
        }
        *self = again;
        self.ready(&mut |range| out.ready.push(range));
        out.skipped.append(&mut then.skipped);
        self.tell_if_over(out);
    }
}

impl SpecState {
    /// Its spec, with as many tasks as it had where another has come to stand for it.
    fn again(&self) -> Arc<TaskSpec> {
        match &self.progress {
            Progress::Many(array) if array.count != self.spec.count => {
                Arc::new(TaskSpec { count: array.count, ..TaskSpec::clone(&self.spec) })
            }
            _ => Arc::clone(&self.spec),
        }
    }
}
