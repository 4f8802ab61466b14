//! A trace as a plan: its jobs come when they came, and each task takes as long as it took.
//! What the policy knows of that beforehand is chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::job::JobSpec;
use bary_model::resources::Resources;
use bary_model::task::{After, Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;
use bary_trace::limits::SPAN_MAX;
use bary_trace::trace::{Job, Task, Trace, weight_of};

use crate::plan::ready::function;
use crate::plan::world::{even, node};
use crate::plan::{JobPlan, Plan};

/// What is known of a task's run time when it is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// The run time itself.
    Exact,
    /// The weight that its user declared, or else the estimate; where there is neither, a unit.
    Declared,
    /// Nothing: every task weighs one unit.
    Nothing,
}

/// The machines on which a trace is lived again: equal, next to each other, and the first is the
/// home of all jobs.
#[derive(Clone, Copy, Debug)]
pub struct Machines {
    /// How many; at least one.
    pub nodes: usize,
    /// How many processors each has, which is as many tasks as it runs at a time; at least one.
    pub cpus: u32,
    /// How long a message takes between two of them.
    pub latency: Span,
}

/// A trace's jobs as a plan has them.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The jobs, in the order of their arrivals, spread evenly over the homes. The tasks of the
    /// trace are numbered from 0 through all jobs in this order; each spec is one task, and its
    /// `first_row` is the task's number.
    pub jobs: Vec<JobPlan>,
    /// For each task, how many times longer it takes than its weight says.
    pub efforts: Arc<[f64]>,
    /// For each task, how long it takes at speed 1.
    pub runs: Vec<Span>,
    /// How long a unit of weight takes at speed 1.
    pub unit: Span,
}

impl Replay {
    /// The jobs of a trace for so many homes; at least one.
    #[must_use]
    pub fn of(trace: &Trace, knows: Knowledge, homes: usize) -> Self {
        let mut sorted: Vec<&Job> = trace.jobs.iter().collect();
        sorted.sort_by_key(|job| job.arrival);
        let mut bodies = BTreeMap::new();
        let tasks = trace.tasks();
        let (mut efforts, mut runs) = (Vec::with_capacity(tasks), Vec::with_capacity(tasks));
        let mut jobs = Vec::with_capacity(sorted.len());
        for (number, job) in sorted.into_iter().enumerate() {
            let mut specs = Vec::with_capacity(job.tasks.len());
            for task in &job.tasks {
                let weight = weight(task, knows, trace.unit);
                let row = runs.len() as u64;
                let said = weight.units() * trace.unit.as_secs_f64();
                efforts.push(task.run.as_secs_f64() / said);
                runs.push(task.run);
                let body = Arc::clone(body(&mut bodies, task));
                specs.push(Arc::new(spec(task, body, weight, row)));
            }
            let mut spec = JobSpec::new(job.name.clone(), specs);
            spec.about.owner = (&*job.owner).into();
            let at = Moment(0) + job.arrival;
            jobs.push(JobPlan::new(at, number % homes.max(1), spec));
        }
        Self { jobs, efforts: efforts.into(), runs, unit: trace.unit }
    }

    /// All run times together: by then all ends, however it is placed, once the last has come.
    #[must_use]
    pub fn total(&self) -> Span {
        self.runs.iter().fold(Span::ZERO, |sum, run| sum + *run)
    }
}

impl Plan {
    /// A trace on these machines, without faults, under a policy.
    #[must_use]
    pub fn replay(trace: &Trace, knows: Knowledge, machines: Machines, policy: &str) -> Self {
        let replay = Replay::of(trace, knows, 1);
        let mut plan = Self::plain(machines.nodes.max(1), 1, 0, policy);
        plan.nodes = (0..machines.nodes.max(1))
            .map(|id| {
                let mut made = node(id, machines.cpus.max(1), 1.0, id == 0);
                // Traces of other machines are not bound by this one's memory.
                made.info.resources.memory = u64::MAX;
                made
            })
            .collect();
        plan.network = even(machines.latency);
        plan.unit = replay.unit;
        plan.patience = Span::secs(30) + replay.total();
        plan.efforts = Some(Arc::clone(&replay.efforts));
        plan.jobs = replay.jobs;
        let last = plan.jobs.iter().map(|job| job.at).max();
        plan.calm = plan.calm.max(last.unwrap_or_default());
        plan
    }
}

fn weight(task: &Task, knows: Knowledge, unit: Span) -> Weight {
    match knows {
        Knowledge::Exact => weight_of(task.run, unit),
        Knowledge::Declared => {
            let estimated = || task.estimate.map(|span| weight_of(span, unit));
            task.weight.or_else(estimated).unwrap_or(Weight::ONE)
        }
        Knowledge::Nothing => Weight::ONE,
    }
}

fn spec(task: &Task, body: Arc<Body>, weight: Weight, row: u64) -> TaskSpec {
    let after = task.after.iter().map(|on| After { spec: SpecNo(*on), aligned: false });
    let after = after.collect();
    TaskSpec { name: task.name.clone(), weight, after, first_row: row, ..TaskSpec::new(body) }
}

/// Tasks that ask for the same and run the same share a body.
type Bodies<'a> = BTreeMap<(u64, u64, &'a str), Arc<Body>>;

fn body<'a, 'b>(bodies: &'b mut Bodies<'a>, task: &'a Task) -> &'b Arc<Body> {
    bodies.entry((task.milli_cpus, task.memory, &task.function)).or_insert_with(|| {
        let name = if task.function.is_empty() { "work" } else { &task.function };
        let mut body = function(name);
        let (milli_cpus, memory) = (task.milli_cpus, task.memory);
        body.request.resources = Resources { milli_cpus, memory, ..Resources::default() };
        // Some jobs of logs ran for months.
        body.timeout = SPAN_MAX;
        Arc::new(body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verdict;
    use crate::world;

    fn task(secs: u64, after: &[u32]) -> Task {
        let weight = Some(Weight::ONE);
        Task { after: after.into(), weight, ..Task::new(Span::secs(secs)) }
    }

    fn trace() -> Trace {
        let job = |secs, tasks: Vec<Task>| Job {
            name: "j".into(),
            owner: Arc::from("ann"),
            arrival: Span::secs(secs),
            tasks: tasks.into(),
        };
        let late = job(100, vec![task(7, &[])]);
        let first = job(0, vec![task(3, &[]), task(5, &[]), task(4, &[0, 1])]);
        Trace { name: "t".into(), unit: Trace::UNIT, jobs: vec![late, first] }
    }

    const TWO: Machines = Machines { nodes: 1, cpus: 2, latency: Span::ZERO };

    #[test]
    fn tasks_run_as_long_as_they_ran_whatever_is_known() {
        for knows in [Knowledge::Exact, Knowledge::Declared, Knowledge::Nothing] {
            let plan = Plan::replay(&trace(), knows, TWO, "gravity");
            let report = world::run(&plan, None, None);
            assert_eq!((report.verdict, report.executed), (Verdict::Rest, 4), "{knows:?}");
            let late = report.makespan.0.abs_diff(Span::secs(107).0);
            assert!(late < 1_000, "{knows:?}: {}", report.makespan);
        }
    }

    #[test]
    fn jobs_come_in_the_order_of_their_arrivals_and_tasks_keep_their_numbers() {
        let replay = Replay::of(&trace(), Knowledge::Nothing, 2);
        let homes: Vec<usize> = replay.jobs.iter().map(|job| job.home).collect();
        assert_eq!(homes, [0, 1]);
        let rows = replay.jobs.iter().flat_map(|job| job.spec.specs.iter());
        let rows: Vec<u64> = rows.map(|spec| spec.first_row).collect();
        assert_eq!(rows, [0, 1, 2, 3]);
        assert_eq!(replay.runs, [3, 5, 4, 7].map(Span::secs));
        assert_eq!(&*replay.efforts, [3.0, 5.0, 4.0, 7.0]);
        assert_eq!(replay.total(), Span::secs(19));
    }

    #[test]
    fn two_processors_run_two_tasks_at_a_time() {
        let mut trace = trace();
        trace.jobs.remove(0);
        let plan = Plan::replay(&trace, Knowledge::Exact, TWO, "gravity");
        let report = world::run(&plan, None, None);
        assert!(report.makespan.0.abs_diff(Span::secs(9).0) < 1_000, "{}", report.makespan);
    }

    #[test]
    fn what_was_handed_out_ahead_does_not_hold_up_the_longest_path() {
        let mut tasks = vec![task(10, &[])];
        for _ in 0..20 {
            tasks.push(task(10, &[tasks.len() as u32 - 1]));
        }
        tasks.extend((0..40).map(|_| task(10, &[])));
        let mut trace = trace();
        trace.jobs.truncate(1);
        trace.jobs[0].tasks = tasks.into();
        trace.jobs[0].arrival = Span::ZERO;
        let four = Machines { nodes: 4, cpus: 1, latency: Span::ZERO };
        let plan = Plan::replay(&trace, Knowledge::Exact, four, "gravity");
        let report = world::run(&plan, None, None);
        // The path takes 210 s, and the first step of it begins with everything else.
        assert!(report.makespan.0.abs_diff(Span::secs(210).0) < 1_000, "{}", report.makespan);
    }
}
