//! `bary wait`: until jobs have ended, and then with their code.

use std::time::{Duration, Instant};

use bary_api::problem::Kind;
use bary_api::v1::{Job, WaitReply};
use bary_client::call::CallError;
use bary_client::jobs::WAIT_SPAN_MAX;

use crate::args::Face;
use crate::args::remote::WaitArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{self, JOBS};
use crate::listing::clean;
use crate::listing::moment::Clock;

/// Waits.
pub(crate) fn run(args: &WaitArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let homes = asking.jobs(&args.jobs).await?;
        asking.come_back(format!("bary wait {}", words(&homes)));
        let timeout = args.timeout.map(|span| Duration::from_nanos(span.0));
        let ended = all(&homes, timeout, async |at, jobs, left| {
            until(at, jobs, left, WAIT_SPAN_MAX, |_| Ok(())).await
        });
        close(asking, &ended.await?)
    })
}

/// How a wait ended.
pub(crate) struct Ended {
    /// Whether all jobs have ended; else the time was over.
    pub(crate) done: bool,
    pub(crate) jobs: Vec<Job>,
}

/// Waits for the jobs of one member after those of another, for no longer than so much in all.
pub(crate) async fn all(
    homes: &[(Asking, Vec<u32>)],
    timeout: Option<Duration>,
    wait: impl AsyncFn(&Asking, &[u32], Option<Duration>) -> Result<Ended, Complaint>,
) -> Result<Ended, Complaint> {
    let (began, mut all) = (Instant::now(), Ended { done: true, jobs: Vec::new() });
    for (at, jobs) in homes {
        let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
        let ended = wait(at, jobs, left).await?;
        all.done &= ended.done;
        all.jobs.extend(ended.jobs);
    }
    Ok(all)
}

/// Waits until jobs have ended or the time is over, and tells how far they are every `pace`.
pub(crate) async fn until(
    asking: &Asking,
    jobs: &[u32],
    timeout: Option<Duration>,
    pace: Duration,
    mut tell: impl FnMut(&WaitReply) -> Result<(), Complaint>,
) -> Result<Ended, Complaint> {
    let (began, mut away) = (Instant::now(), Away::default());
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
        let reply = asking.node.wait(jobs, left.map_or(pace, |left| left.min(pace))).await;
        let Some(reply) = away.of(asking, reply, left)? else {
            tokio::time::sleep(left.map_or(AGAIN_SPAN, |left| left.min(AGAIN_SPAN))).await;
            continue;
        };
        tell(&reply)?;
        if reply.done || left == Some(Duration::ZERO) {
            return Ok(Ended { done: reply.done, jobs: asking.shown(reply.jobs) });
        }
    }
}

/// How long to wait before a member that is away is asked again.
const AGAIN_SPAN: Duration = Duration::from_millis(500);

/// Whether the member that is waited for is away. Its jobs wait for it, and whoever waits for them
/// does too.
#[derive(Default)]
struct Away {
    told: bool,
}

impl Away {
    /// The answer of a member; none where it is away and there is time left.
    fn of(
        &mut self,
        asking: &Asking,
        answer: Result<WaitReply, CallError>,
        left: Option<Duration>,
    ) -> Result<Option<WaitReply>, Complaint> {
        match (answer, asking.home.as_deref()) {
            (Err(CallError::Refused(refused)), Some(home)) if refused.kind == Kind::Unavailable => {
                if left == Some(Duration::ZERO) {
                    let title = clean::line(&refused.title);
                    return Err(Complaint::new(Exit::TIMED_OUT, title)
                        .help("the time is over; its jobs wait for it to come back"));
                }
                if !std::mem::replace(&mut self.told, true) {
                    let title = clean::line(&refused.title);
                    asking.note(&format!("{title}; waiting for {home} to come back"));
                }
                Ok(None)
            }
            (answer, home) => {
                let answer = answer?;
                if let (true, Some(home)) = (std::mem::take(&mut self.told), home) {
                    asking.note(&format!("{home} is back"));
                }
                Ok(Some(answer))
            }
        }
    }
}

/// Says how it ended, and with which code.
pub(crate) fn close(asking: &Asking, ended: &Ended) -> Result<Exit, Complaint> {
    if asking.face.is_data() {
        asking.print(&JOBS, &ended.jobs, None)?;
    }
    if !ended.done {
        let open: Vec<&Job> = ended.jobs.iter().filter(|job| job.finished.is_empty()).collect();
        let open = named(asking, &open);
        asking.note(&format!("the time is over; come back with: bary wait {open}"));
        return Ok(Exit::TIMED_OUT);
    }
    for job in ended.jobs.iter().take(SUMMED_MAX) {
        asking.note(&summary(job, &kinds::named(job), Clock::now()));
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
fn summary(job: &Job, name: &str, clock: Clock) -> String {
    let others = [("failed", job.failed), ("cancelled", job.cancelled), ("skipped", job.skipped)];
    let mut line =
        format!("job {name} {}: {} of {} succeeded", job.state, job.succeeded, job.tasks);
    for (what, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        line += &format!(", {count} {what}");
    }
    let took = clock.took(&job.started, &job.finished);
    if took.is_empty() { line } else { format!("{line}, in {took}") }
}

/// Jobs of members as they are named on a command line: `1-3 beta/7`.
pub(crate) fn words(homes: &[(Asking, Vec<u32>)]) -> String {
    let words: Vec<String> = homes.iter().map(|(at, jobs)| at.called(numbers(jobs))).collect();
    words.join(" ")
}

/// The same of jobs that were answered.
fn named(asking: &Asking, jobs: &[&Job]) -> String {
    let mut homes: Vec<(&str, Vec<u32>)> = Vec::new();
    for job in jobs {
        match homes.iter_mut().find(|(home, _)| *home == job.home) {
            Some((_, numbers)) => numbers.push(job.id),
            None => homes.push((&job.home, vec![job.id])),
        }
    }
    let words = homes.into_iter().map(|(home, jobs)| match home {
        "" => asking.called(numbers(&jobs)),
        home => format!("{home}/{}", numbers(&jobs)),
    });
    words.collect::<Vec<_>>().join(" ")
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
        let line = summary(&job, "3", Clock::at(60));
        assert_eq!(line, "job 3 failed: 2 of 4 succeeded, 1 failed, 1 skipped, in 2.0s");
    }
}
