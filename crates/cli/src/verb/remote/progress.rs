//! `bary progress`: how far jobs are, until they have ended.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use bary_api::v1::{Job, WaitReply};

use crate::args::Face;
use crate::args::remote::WaitArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::amount;
use crate::screen::Screen;
use crate::verb::remote::wait::{self, Ended};

/// How often a bar moves.
const BAR_PACE: Duration = Duration::from_millis(200);
/// How often a line is printed where there is no terminal.
const LINE_PACE: Duration = Duration::from_secs(2);

/// Shows progress and ends as `bary wait` does.
pub(crate) fn run(args: &WaitArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let homes = asking.jobs(&args.jobs).await?;
        asking.come_back(format!("bary progress {}", wait::words(&homes)));
        let timeout = args.timeout.map(|span| Duration::from_nanos(span.0));
        let ended = wait::all(&homes, timeout, async |at, jobs, left| watch(at, jobs, left).await);
        wait::close(asking, &ended.await?)
    })
}

/// Waits with a bar on a terminal, and a line now and then elsewhere.
pub(crate) async fn watch(
    asking: &Asking,
    jobs: &[u32],
    timeout: Option<Duration>,
) -> Result<Ended, Complaint> {
    let terminal = std::io::stderr().is_terminal();
    let (pace, began) = (if terminal { BAR_PACE } else { LINE_PACE }, Instant::now());
    let mut screen = Screen::new(asking.face);
    let mut before = None;
    let tell = |reply: &WaitReply| {
        if asking.face.is_quiet() || reply.done {
            return Ok(());
        }
        let before = *before.get_or_insert_with(|| ended_of(&reply.jobs));
        let line = line(&reply.jobs, before, began.elapsed());
        match terminal {
            true => screen.show_bar(&format!("{} {line}", bar(share(&reply.jobs)))),
            false => screen.note(&format!("bary: {line}")),
        }
        Ok(())
    };
    let ended = wait::until(asking, jobs, timeout, pace, tell).await;
    screen.hide_bar();
    ended
}

fn ended_of(jobs: &[Job]) -> u64 {
    jobs.iter().map(|job| job.succeeded + job.failed + job.cancelled + job.skipped).sum()
}

/// The share that is done, as tasks report it too.
fn share(jobs: &[Job]) -> f64 {
    let all: u64 = jobs.iter().map(|job| job.tasks).sum();
    let done: f64 = jobs.iter().map(|job| job.progress * job.tasks as f64).sum();
    if all == 0 { 0.0 } else { done / all as f64 }
}

fn bar(share: f64) -> String {
    const WIDTH: usize = 24;
    let full = (share.clamp(0.0, 1.0) * WIDTH as f64) as usize;
    format!("[{}{}]", "=".repeat(full), " ".repeat(WIDTH - full))
}

fn line(jobs: &[Job], before: u64, since: Duration) -> String {
    let all: u64 = jobs.iter().map(|job| job.tasks).sum();
    let running: u64 = jobs.iter().map(|job| job.running).sum();
    let failed: u64 = jobs.iter().map(|job| job.failed).sum();
    let ended = ended_of(jobs);
    let mut line =
        format!("{} {ended}/{all} tasks  {running} running", amount::percent(share(jobs)));
    let rate = ended.saturating_sub(before) as f64 / since.as_secs_f64().max(1e-3);
    if rate > 0.0 {
        line += &format!("  {} left", amount::span(all.saturating_sub(ended) as f64 / rate));
    }
    if failed > 0 {
        line += &format!("  {failed} failed");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_and_how_long_still() {
        let job = Job {
            tasks: 100,
            succeeded: 40,
            failed: 10,
            running: 4,
            progress: 0.52,
            ..Job::default()
        };
        let shown = line(std::slice::from_ref(&job), 30, Duration::from_secs(10));
        assert_eq!(shown, "52% 50/100 tasks  4 running  25.0s left  10 failed");
        assert_eq!(bar(share(&[job])), "[============            ]");
        assert_eq!(share(&[]), 0.0);
    }
}
