//! Jobs as callers see them: numbers from 1, times as text, durations in seconds.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::Job;
use bary_identity::calendar;
use bary_model::id::JobNo;
use bary_model::time::{Moment, Wall};

use crate::board::books::Books;
use crate::board::clock::{self, Clock};
use crate::board::job::JobRow;

/// The number that people know a job by.
pub(super) fn shown_no(job: JobNo) -> u32 {
    job.0.saturating_add(1)
}

/// The job that people mean by a number.
pub(super) fn no(shown: u32) -> Result<JobNo, Refused> {
    shown.checked_sub(1).map(JobNo).ok_or_else(|| unknown(shown, ""))
}

/// There is no such job of the member that is home of these, which has a name in a cluster.
pub(super) fn unknown(shown: u32, home: &str) -> Refused {
    let of = if home.is_empty() { String::new() } else { format!(" of {home}") };
    let title = format!("there is no job {shown}{of}");
    Refused::new(Kind::NotFound, title).help("bary ls lists the jobs")
}

/// A job that is there.
pub(super) fn row(books: &Books, shown: u32) -> Result<&JobRow, Refused> {
    books.job(no(shown)?).ok_or_else(|| unknown(shown, &books.home))
}

/// When a job was submitted, by the calendar of whoever took it in where that is known.
pub(super) fn submitted(row: &JobRow, clock: Clock) -> Wall {
    row.brief.about.submitted.unwrap_or_else(|| clock.wall(row.submitted))
}

/// A job as it is now.
pub(super) fn shown(row: &JobRow, clock: Clock, home: &str) -> Job {
    let (sums, about) = (&row.sums, &row.brief.about);
    let at = |at: Option<Moment>| at.map(|at| clock.text(at)).unwrap_or_default();
    let tags = about.tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string()));
    Job {
        id: shown_no(row.no),
        name: row.brief.name.to_string(),
        state: row.state(clock::now()).to_owned(),
        tasks: row.tasks,
        waiting: row.waiting(),
        running: row.running(),
        succeeded: sums.succeeded,
        failed: sums.failed,
        cancelled: sums.cancelled,
        skipped: sums.skipped,
        submitted: calendar::text(submitted(row, clock)),
        started: at(row.started()),
        finished: at(row.finished),
        tags: tags.collect(),
        priority: row.priority,
        owner: about.owner.to_string(),
        reason: row.reason.as_deref().unwrap_or_default().to_owned(),
        at: row.not_before.map(calendar::text).unwrap_or_default(),
        after: row.brief.upstream.iter().map(|upstream| shown_no(upstream.job)).collect(),
        progress: row.progress(),
        exit: if row.finished.is_some() { row.exit() } else { 0 },
        attempts: row.attempts(),
        failed_attempts: row.failed_attempts(),
        open: row.open,
        cpu_seconds: sums.cpu.as_secs_f64(),
        busy_seconds: sums.busy.as_secs_f64(),
        peak_memory: sums.peak_memory,
        home: home.to_owned(),
    }
}

/// These jobs as they are now; what was forgotten meanwhile is left out.
pub(super) fn all(books: &Books, jobs: &[JobNo]) -> Vec<Job> {
    let rows = jobs.iter().filter_map(|job| books.job(*job));
    rows.map(|row| shown(row, books.clock, &books.home)).collect()
}
