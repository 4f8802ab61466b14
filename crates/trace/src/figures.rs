//! What a trace comes to: how much work, the longest chain, and whose it is.

use std::collections::BTreeMap;

use bary_model::time::Span;

use crate::trace::{Job, Task, Trace};

/// What a trace comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How many jobs.
    pub jobs: u64,
    /// How many tasks.
    pub tasks: u64,
    /// How many dependencies.
    pub edges: u64,
    /// The run times of all tasks, each times its processors (at least one thousandth).
    pub work: Span,
    /// The longest chain of run times in any job.
    pub critical_path: Span,
    /// The longest run time of a task.
    pub longest: Span,
    /// From the first arrival to the last.
    pub span: Span,
    /// Bytes that tasks read from outside.
    pub input: u64,
    /// Bytes that tasks leave.
    pub output: u64,
    /// The most processors that a task asks for, in thousandths.
    pub milli_cpus_max: u64,
    /// How many tasks say how long they would run.
    pub estimated: u64,
    /// For each owner, how many tasks and how much work; the most work first.
    pub owners: Vec<(Box<str>, u64, Span)>,
}

impl Figures {
    /// Adds up a trace.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let every = || trace.jobs.iter().flat_map(|job| &job.tasks);
        let sum = |of: fn(&Task) -> u64| every().map(of).fold(0, u64::saturating_add);
        let most = |of: fn(&Task) -> u64| every().map(of).max().unwrap_or(0);
        let arrivals = || trace.jobs.iter().map(|job| job.arrival);
        let first = arrivals().min().unwrap_or_default();
        let paths = trace.jobs.iter().map(critical_path);
        Self {
            jobs: trace.jobs.len() as u64,
            tasks: trace.tasks() as u64,
            edges: sum(|task| task.after.len() as u64),
            work: Span(sum(|task| work(task).0)),
            critical_path: paths.max().unwrap_or_default(),
            longest: Span(most(|task| task.run.0)),
            span: arrivals().max().unwrap_or_default() - first,
            input: sum(|task| task.input),
            output: sum(|task| task.output),
            milli_cpus_max: most(|task| task.milli_cpus),
            estimated: sum(|task| u64::from(task.estimate.is_some())),
            owners: owners(trace),
        }
    }
}

/// A task's run time times its processors.
#[must_use]
pub fn work(task: &Task) -> Span {
    let nanos = u128::from(task.run.0) * u128::from(task.milli_cpus.max(1)) / 1_000;
    Span(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// For each task of a job, the longest chain of run times from its start to the end of all that
/// waits for it: the b-level (Adam, Chandy and Dickson, 1974).
#[must_use]
pub fn levels(job: &Job) -> Vec<Span> {
    let mut waiting = vec![0_u32; job.tasks.len()];
    for on in job.tasks.iter().flat_map(|task| &task.after) {
        waiting[*on as usize] += 1;
    }
    let mut levels: Vec<Span> = job.tasks.iter().map(|task| task.run).collect();
    let mut free: Vec<usize> = (0..job.tasks.len()).filter(|task| waiting[*task] == 0).collect();
    while let Some(task) = free.pop() {
        for on in job.tasks[task].after.iter().map(|on| *on as usize) {
            levels[on] = levels[on].max(job.tasks[on].run + levels[task]);
            waiting[on] -= 1;
            if waiting[on] == 0 {
                free.push(on);
            }
        }
    }
    levels
}

/// The longest chain of run times of a job.
#[must_use]
pub fn critical_path(job: &Job) -> Span {
    levels(job).into_iter().max().unwrap_or_default()
}

fn owners(trace: &Trace) -> Vec<(Box<str>, u64, Span)> {
    let mut owners: BTreeMap<&str, (u64, Span)> = BTreeMap::new();
    for job in &trace.jobs {
        let (tasks, sum) = owners.entry(&job.owner).or_default();
        *tasks += job.tasks.len() as u64;
        job.tasks.iter().for_each(|task| *sum += work(task));
    }
    let rows = owners.into_iter().map(|(owner, (tasks, work))| (owner.into(), tasks, work));
    let mut rows: Vec<(Box<str>, u64, Span)> = rows.collect();
    rows.sort_by_key(|(_, _, work)| std::cmp::Reverse(*work));
    rows
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn task(secs: u64, after: &[u32]) -> Task {
        Task { after: after.into(), ..Task::new(Span::secs(secs)) }
    }

    #[test]
    fn work_counts_processors_and_the_longest_chain_does_not() {
        let wide = Task { milli_cpus: 4_000, ..task(3, &[0]) };
        let tasks = [task(2, &[]), wide, task(1, &[1]), task(4, &[])].into();
        let job = Job { name: "".into(), owner: Arc::from("ann"), arrival: Span::ZERO, tasks };
        assert_eq!(levels(&job), [6, 4, 1, 4].map(Span::secs));
        let trace = Trace { name: "".into(), unit: Trace::UNIT, jobs: vec![job] };
        let figures = Figures::of(&trace);
        assert_eq!((figures.work, figures.critical_path), (Span::secs(19), Span::secs(6)));
        assert_eq!(figures.owners, [("ann".into(), 4, Span::secs(19))]);
    }
}
