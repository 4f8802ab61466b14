//! Standard Workload Format: a job of each task. Of what a task waits for, the format can name
//! one job only.

use std::fmt::Write as _;

use bary_model::time::Span;

use crate::trace::{Task, Trace};
use crate::write::{Written, any, lost};

/// Numbers for names: the name itself where it is a number of its own, or else a new one.
struct Numbers {
    known: std::collections::BTreeMap<Box<str>, u64>,
    next: u64,
}

impl Numbers {
    fn of(&mut self, name: &str) -> String {
        if name.is_empty() {
            return "-1".to_owned();
        }
        if name.parse::<u64>().is_ok_and(|number| number.to_string() == name) {
            return name.to_owned();
        }
        let next = self.next;
        let number = *self.known.entry(name.into()).or_insert(next);
        self.next += u64::from(number == next);
        number.to_string()
    }
}

pub(crate) fn write(trace: &Trace) -> Written {
    let lost = lost(&[
        (trace.jobs.iter().any(|job| job.tasks.len() > 1), "which tasks are of one job"),
        (any(trace, |task| task.after.len() > 1), "all but the first of what a task waits for"),
        (any(trace, |task| task.input + task.output > 0), "sizes of data"),
        (any(trace, |task| task.weight.is_some()), "weights"),
        (any(trace, |task| !task.milli_cpus.is_multiple_of(1_000)), "parts of processors"),
        (any(trace, |task| !task.memory.is_multiple_of(1_024)), "bytes below a kilobyte"),
        (!named_by_number(trace), "names of jobs, tasks, owners and functions"),
    ]);
    let mut text = String::from("; Version: 2.2\n");
    let mut put = |words: std::fmt::Arguments<'_>| {
        // A string takes whatever is written.
        let _infallible = text.write_fmt(words);
    };
    put(format_args!("; MaxJobs: {}\n; MaxRecords: {0}\n", trace.tasks()));
    let (mut owners, mut functions) = (Numbers::above(trace), Numbers::above(trace));
    let keeps = keeps_numbers(trace);
    let mut next = 1;
    for job in &trace.jobs {
        let first = next;
        for task in &job.tasks {
            let number = if keeps { job.name.to_string() } else { next.to_string() };
            let before = task.after.first().map_or(-1, |on| first + i64::from(*on));
            let (owner, function) = (owners.of(&job.owner), functions.of(&task.function));
            put(format_args!(
                "{number} {at} -1 {run} {cpus} -1 -1 {cpus} {estimate} {memory} 1 {owner} -1 \
                 {function} -1 -1 {before} -1\n",
                at = secs(job.arrival),
                run = secs(task.run),
                cpus = processors(task),
                estimate = task.estimate.map_or_else(|| "-1".to_owned(), secs),
                memory = memory(task),
            ));
            next += 1;
        }
    }
    Written { text, lost }
}

impl Numbers {
    /// New numbers begin above all that names are.
    fn above(trace: &Trace) -> Self {
        let names = trace.jobs.iter().flat_map(|job| {
            let functions = job.tasks.iter().map(|task| &*task.function);
            functions.chain([&*job.owner])
        });
        let most = names.filter_map(|name| name.parse::<u64>().ok()).max();
        Self { known: [].into(), next: most.unwrap_or(0).saturating_add(1) }
    }
}

/// Whether each job is one task and has a number of its own for a name.
fn keeps_numbers(trace: &Trace) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    trace.jobs.iter().all(|job| {
        let number = job.name.parse::<u64>();
        let own = number.is_ok_and(|number| number.to_string() == *job.name && seen.insert(number));
        own && job.tasks.len() == 1
    })
}

fn named_by_number(trace: &Trace) -> bool {
    let plain = |name: &str| name.is_empty() || name.parse::<u64>().is_ok();
    keeps_numbers(trace)
        && trace.jobs.iter().all(|job| {
            let tasks = job.tasks.iter();
            let mut tasks = tasks.map(|task| task.name.is_empty() && plain(&task.function));
            plain(&job.owner) && tasks.all(|plain| plain)
        })
}

/// Seconds, with as many digits as the time has.
fn secs(span: Span) -> String {
    let (whole, rest) = (span.0 / 1_000_000_000, span.0 % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:09}").trim_end_matches('0').to_owned()
}

fn processors(task: &Task) -> u64 {
    task.milli_cpus.div_ceil(1_000).max(1)
}

/// Kilobytes for each processor.
fn memory(task: &Task) -> String {
    if task.memory == 0 {
        return "-1".to_owned();
    }
    (task.memory.div_ceil(1_024) as f64 / processors(task) as f64).to_string()
}
