//! `bary wait`: until jobs have ended, and then with their code.

use std::time::{Duration, Instant};

use bary_api::v1::{Job, WaitReply};
use bary_client::jobs::WAIT_SPAN_MAX;

use crate::args::Face;
use crate::args::remote::WaitArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::JOBS;
use crate::listing::moment::Clock;

/// Waits.
pub(crate) fn run(args: &WaitArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let jobs = asking.jobs(&args.jobs).await?;
        asking.come_back(format!("bary wait {}", numbers(&jobs)));
        let timeout = args.timeout.map(|span| Duration::from_nanos(span.0));
        let ended = until(asking, &jobs, timeout, WAIT_SPAN_MAX, |_| Ok(())).await?;
        close(asking, &ended)
    })
}

/// How a wait ended.
pub(crate) struct Ended {
    /// Whether all jobs have ended; else the time was over.
    pub(crate) done: bool,
    pub(crate) jobs: Vec<Job>,
}

/// Waits until jobs have ended or the time is over, and tells how far they are every `pace`.
pub(crate) async fn until(
    asking: &Asking,
    jobs: &[u32],
    timeout: Option<Duration>,
    pace: Duration,
    mut tell: impl FnMut(&WaitReply) -> Result<(), Complaint>,
) -> Result<Ended, Complaint> {
    let began = Instant::now();
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
        let reply = asking.node.wait(jobs, left.map_or(pace, |left| left.min(pace))).await?;
        tell(&reply)?;
        if reply.done || left == Some(Duration::ZERO) {
            return Ok(Ended { done: reply.done, jobs: reply.jobs });
        }
    }
}

/// Says how it ended, and with which code.
pub(crate) fn close(asking: &Asking, ended: &Ended) -> Result<Exit, Complaint> {
    if asking.face.is_data() {
        asking.print(&JOBS, &ended.jobs, None)?;
    }
    if !ended.done {
        let open: Vec<u32> =
            ended.jobs.iter().filter(|job| job.finished.is_empty()).map(|job| job.id).collect();
        asking.note(&format!("the time is over; come back with: bary wait {}", numbers(&open)));
        return Ok(Exit::TIMED_OUT);
    }
    for job in ended.jobs.iter().take(SUMMED_MAX) {
        asking.note(&summary(job, Clock::now()));
    }
    Ok(exit(&ended.jobs))
}

/// Most jobs that are summed up in a line each.
const SUMMED_MAX: usize = 20;

/// One job keeps its own code; of several, any failure is 1.
pub(crate) fn exit(jobs: &[Job]) -> Exit {
    match jobs {
        [one] => Exit::of_command(one.exit),
        many if many.iter().all(|job| job.exit == 0) => Exit::OK,
        _ => Exit::FAILED,
    }
}

/// How a job ended, in a line.
fn summary(job: &Job, clock: Clock) -> String {
    let others = [("failed", job.failed), ("cancelled", job.cancelled), ("skipped", job.skipped)];
    let mut line =
        format!("job {} {}: {} of {} succeeded", job.id, job.state, job.succeeded, job.tasks);
    for (what, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        line += &format!(", {count} {what}");
    }
    let took = clock.took(&job.started, &job.finished);
    if took.is_empty() { line } else { format!("{line}, in {took}") }
}

/// Jobs as they are named on a command line: `1-3,7`.
pub(crate) fn numbers(jobs: &[u32]) -> String {
    let mut sorted = jobs.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for job in sorted {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == job => *last = job,
            _ => ranges.push((job, job)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named_in_ranges() {
        assert_eq!(numbers(&[3, 1, 2, 7]), "1-3,7");
        assert_eq!(numbers(&[]), "");
    }

    #[test]
    fn one_job_keeps_its_code_and_several_do_not() {
        let job = |exit| Job { exit, ..Job::default() };
        assert_eq!(exit(&[job(7)]), Exit(7));
        assert_eq!(exit(&[job(7), job(0)]), Exit::FAILED);
        assert_eq!(exit(&[job(0), job(0)]), Exit::OK);
        assert_eq!(exit(&[]), Exit::OK);
    }

    #[test]
    fn the_summary_names_what_did_not_succeed() {
        let job = Job {
            id: 3,
            state: "failed".into(),
            tasks: 4,
            succeeded: 2,
            failed: 1,
            skipped: 1,
            started: "1970-01-01T00:00:00Z".into(),
            finished: "1970-01-01T00:00:02Z".into(),
            ..Job::default()
        };
        let line = summary(&job, Clock::at(60));
        assert_eq!(line, "job 3 failed: 2 of 4 succeeded, 1 failed, 1 skipped, in 2.0s");
    }
}
