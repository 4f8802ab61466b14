//! Standard Task Graph: one job, whole seconds, and who waits for whom.

use std::fmt::Write as _;

use crate::format::Format;
use crate::trace::{Job, Trace};
use crate::write::{WriteError, Written, any, lost};

const SECOND: u64 = 1_000_000_000;

pub(crate) fn write(trace: &Trace) -> Result<Written, WriteError> {
    let [job] = &trace.jobs[..] else {
        return Err(WriteError::ManyJobs { format: Format::Stg, jobs: trace.jobs.len() });
    };
    for (number, task) in job.tasks.iter().enumerate() {
        if !task.run.0.is_multiple_of(SECOND) {
            let run = task.run.as_secs_f64().to_string();
            return Err(WriteError::NotWhole { task: number, run });
        }
    }
    let numbered =
        job.tasks.iter().enumerate().all(|(at, task)| *task.name == *(at + 1).to_string());
    let lost = lost(&[
        (job.arrival.0 > 0, "when the job came"),
        (!job.owner.is_empty(), "whose the job is"),
        (!numbered, "the tasks' names"),
        (any(trace, |task| task.estimate.is_some()), "estimates"),
        (any(trace, |task| task.milli_cpus != 1_000 || task.memory > 0), "processors and memory"),
        (any(trace, |task| task.input + task.output > 0), "sizes of data"),
        (any(trace, |task| !task.function.is_empty()), "functions"),
    ]);
    Ok(Written { text: text(job), lost })
}

/// The graph with its begin and end, which the format has as tasks of no time.
fn text(job: &Job) -> String {
    let mut text = String::new();
    let mut row = |words: &[u64]| {
        let words: Vec<String> = words.iter().map(|word| format!("{word:>10}")).collect();
        // A string takes whatever is written.
        let _infallible = writeln!(text, "{}", words.join(" "));
    };
    row(&[job.tasks.len() as u64]);
    row(&[0, 0, 0]);
    let mut ends = vec![true; job.tasks.len()];
    for (number, task) in (1..).zip(&job.tasks) {
        let mut words = vec![number, task.run.0 / SECOND];
        words.push(task.after.len().max(1) as u64);
        words.extend(task.after.iter().map(|on| u64::from(*on) + 1));
        if task.after.is_empty() {
            words.push(0);
        }
        row(&words);
        task.after.iter().for_each(|on| ends[*on as usize] = false);
    }
    let last: Vec<u64> = (1..).zip(&ends).filter(|(_, end)| **end).map(|(at, _)| at).collect();
    let mut words = vec![job.tasks.len() as u64 + 1, 0, last.len() as u64];
    words.extend(last);
    row(&words);
    text
}
