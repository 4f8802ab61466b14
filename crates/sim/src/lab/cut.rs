//! A part of a trace, and its tasks of several cores as so many of one.

use bary_model::time::Span;
use bary_trace::trace::{Job, Task, Trace};

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cut {
    /// What arrives before is left out, and this is time 0.
    pub from: Span,
    /// What arrives from then on is left out.
    pub until: Option<Span>,
    /// Whether a task of several cores becomes so many tasks of one.
    pub split: bool,
}

/// How many whole cores a task needs, at least one.
fn cores(task: &Task) -> u64 {
    task.milli_cpus.div_ceil(1_000).max(1)
}

impl Cut {
    /// How many tasks of a trace it leaves, before they are made.
    #[must_use]
    pub fn tasks(&self, trace: &Trace) -> u64 {
        let tasks = trace.jobs.iter().filter(|job| self.keeps(job)).flat_map(|job| &job.tasks);
        tasks.map(|task| if self.split { cores(task) } else { 1 }).fold(0, u64::saturating_add)
    }

    fn keeps(&self, job: &Job) -> bool {
        job.arrival >= self.from && self.until.is_none_or(|until| job.arrival < until)
    }

    /// The part of a trace.
    #[must_use]
    pub fn of(&self, trace: Trace) -> Trace {
        if *self == Self::default() {
            return trace;
        }
        let kept = trace.jobs.into_iter().filter(|job| self.keeps(job));
        let jobs = kept.map(|job| Job {
            arrival: Span(job.arrival.0 - self.from.0),
            tasks: if self.split { split(&job.tasks) } else { job.tasks },
            ..job
        });
        Trace { jobs: jobs.collect(), ..trace }
    }
}

/// Tasks of one core; what waits for a task waits for all that it became.
fn split(tasks: &[Task]) -> Box<[Task]> {
    let mut firsts = Vec::with_capacity(tasks.len());
    let mut all: Vec<Task> = Vec::new();
    for task in tasks {
        let after = task.after.iter().flat_map(|before| {
            let first: u32 = firsts[*before as usize];
            first..first + cores(&tasks[*before as usize]) as u32
        });
        let one =
            Task { milli_cpus: 1_000, name: "".into(), after: after.collect(), ..task.clone() };
        firsts.push(all.len() as u32);
        all.extend((0..cores(task)).map(|_| one.clone()));
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_part_begins_at_its_own_time_and_wide_tasks_become_narrow_ones() {
        let task = |cores: u64, after: &[u32]| Task {
            milli_cpus: cores * 1_000,
            after: after.into(),
            ..Task::new(Span::secs(3))
        };
        let job = |secs: u64, tasks: Vec<Task>| Job {
            name: "".into(),
            owner: Arc::from(""),
            arrival: Span::secs(secs),
            tasks: tasks.into(),
        };
        let jobs = vec![
            job(1, vec![task(1, &[])]),
            job(5, vec![task(3, &[]), task(2, &[0])]),
            job(9, vec![task(1, &[])]),
        ];
        let trace = Trace { name: "".into(), unit: Trace::UNIT, jobs };
        let cut = Cut { from: Span::secs(5), until: Some(Span::secs(9)), split: true };
        assert_eq!((cut.tasks(&trace), Cut::default().tasks(&trace)), (5, 4));
        let part = cut.of(trace);
        assert_eq!((part.jobs.len(), part.jobs[0].arrival), (1, Span::ZERO));
        let after: Vec<&[u32]> = part.jobs[0].tasks.iter().map(|task| &*task.after).collect();
        assert_eq!(after, [&[][..], &[], &[], &[0, 1, 2], &[0, 1, 2]]);
    }
}
