//! What a node says of the tasks that it has seen end, in the ranges that it keeps.

use std::sync::Arc;

use bary_api::problem::Kind;
use bary_api::v1::{Job, JobEntry, ListJobsRequest, ListTasksRequest, RanTasks};
use bary_client::call::CallError;
use bary_identity::calendar;
use bary_model::time::Span;
use bary_model::weight::Weight;
use bary_trace::limits::{MILLI_CPUS_MAX, SPAN_MAX, TASK_BYTES_MAX};
use bary_trace::ran::{Entry, Ran, Stretch, run_time, sizes};

use super::export::write_out;
use super::found::{Found, too_large};
use crate::args::Face;
use crate::args::trace::ExportArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;

/// Asks a node, and writes what it says.
pub(super) fn run(args: &ExportArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let mut homes = asking.jobs(&args.jobs).await?;
        if homes.is_empty() {
            homes.push((asking.clone(), Vec::new()));
        }
        let (mut found, mut counted) = (Vec::new(), 0_u64);
        for (at, jobs) in homes {
            let request = ListJobsRequest { jobs, sort: "id".to_owned(), ..Default::default() };
            for job in at.node.list_jobs(request).await?.jobs {
                match ran(&at, &job).await {
                    Ok(ran) => found.push(described(&job, &ran)?),
                    // Forgotten since, or so old that only counts are left of it.
                    Err(CallError::Refused(no)) if no.kind == Kind::NotFound => counted += 1,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let exit = write_out(found, args, face)?;
        if counted > 0 {
            asking.note(&format!("of {counted} jobs the node keeps counts only; left out"));
        }
        Ok(exit)
    })
}

async fn ran(asking: &Asking, job: &Job) -> Result<Ran, CallError> {
    let mut reading = Reading::default();
    let mut from = 0;
    loop {
        let request = ListTasksRequest { job: job.id, ranges: true, from, ..Default::default() };
        let reply = asking.node.list_tasks(request).await?;
        reply.entries.into_iter().for_each(|entry| reading.entry(&entry));
        reply.ran.iter().for_each(|tasks| reading.tasks(tasks));
        if reply.next <= from {
            return Ok(reading.ran);
        }
        from = reply.next;
    }
}

/// What has been read of a job.
#[derive(Default)]
struct Reading {
    ran: Ran,
    /// The number of the first task of each entry.
    firsts: Vec<u64>,
}

impl Reading {
    fn entry(&mut self, entry: &JobEntry) {
        self.firsts.push(entry.first);
        let whole = entry.after.iter().map(|on| (*on, false));
        let each = entry.after_each.iter().map(|on| (*on, true));
        let estimate = span(entry.estimate_seconds).min(SPAN_MAX);
        self.ran.add_entry(Entry {
            name: entry.name.as_str().into(),
            array: entry.array,
            index: entry.index as i64,
            step: entry.step as i64,
            function: entry.function.as_str().into(),
            weight: Weight::new(entry.weight).unwrap_or(Weight::ONE),
            estimate: (estimate > Span::ZERO).then_some(estimate),
            milli_cpus: ((entry.cpus * 1e3).round() as u64).min(MILLI_CPUS_MAX),
            memory: entry.memory.min(TASK_BYTES_MAX),
            after: whole.chain(each).collect(),
        });
    }

    fn tasks(&mut self, tasks: &RanTasks) {
        let after = self.firsts.partition_point(|first| *first <= tasks.first);
        let Some(entry) = after.checked_sub(1) else { return };
        let first = (tasks.first - self.firsts[entry]) as u32;
        let count = u32::try_from(tasks.tasks).unwrap_or(u32::MAX);
        let run = run_time(span(tasks.run_seconds), count, tasks.speed);
        let (read, left) =
            (sizes(tasks.input_bytes.iter().copied()), sizes(tasks.output_bytes.iter().copied()));
        self.ran.add_stretch(entry as u32, first, Stretch { count, run, read, left });
    }
}

/// A time that was told in seconds, to the nanosecond.
fn span(seconds: f64) -> Span {
    Span((seconds * 1e9).round() as u64)
}

fn described(job: &Job, ran: &Ran) -> Result<Found, Complaint> {
    let wrong = || Complaint::failed(format!("job {} has no moment of submission", job.id));
    let came = calendar::parse(&job.submitted).ok_or_else(wrong)?;
    // Nothing of it could begin before that moment.
    let came = calendar::parse(&job.at).map_or(came, |at| at.max(came));
    Ok(Found {
        number: job.id,
        name: job.name.as_str().into(),
        owner: Arc::from(job.owner.as_str()),
        came,
        tasks: ran.tasks().map_err(|error| too_large(job.id, &error))?,
    })
}
