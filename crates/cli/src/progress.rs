//! How far a run is: a bar on a terminal, a line now and then elsewhere. Short runs show nothing.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::screen::Screen;
use crate::tally::Tally;

/// Shows a tally as it grows.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    next: Instant,
    terminal: bool,
    /// How many tasks had ended before this run.
    before: u64,
}

/// Runs shorter than this show no progress.
const QUIET_START: Duration = Duration::from_millis(300);
/// How often a bar moves.
const BAR_PACE: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const LINE_PACE: Duration = Duration::from_secs(1);

impl Progress {
    /// Progress on a terminal, or elsewhere where it is forced; none where it is not wanted.
    pub(crate) fn new(forced: bool, unwanted: bool) -> Option<Self> {
        let terminal = io::stderr().is_terminal();
        let now = Instant::now();
        let wanted = forced || (terminal && !unwanted);
        wanted.then(|| Self { began: now, next: now + QUIET_START, terminal, before: 0 })
    }

    /// Counts the rate from here on: so many tasks had ended before.
    pub(crate) fn begin_at(&mut self, done: u64) {
        self.before = done;
    }

    /// When it wants to be looked at next.
    pub(crate) fn due(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Shows the tally, if it is time to.
    pub(crate) fn show(&mut self, tally: &Tally, screen: &mut Screen) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let line = line(tally, self.before, now - self.began);
        if self.terminal {
            self.next = now + BAR_PACE;
            screen.show_bar(&format!("{} {line}", bar(tally)));
        } else {
            self.next = now + LINE_PACE;
            screen.note(&format!("bary: {line}"));
        }
    }
}

/// The share that is done as a bar of fixed width.
fn bar(tally: &Tally) -> String {
    const WIDTH: u64 = 24;
    let full = (tally.done() * WIDTH / tally.tasks.max(1)).min(WIDTH) as usize;
    format!("[{}{}]", "=".repeat(full), " ".repeat(WIDTH as usize - full))
}

/// How far the run is, how fast it goes and how long it still takes at that rate.
fn line(tally: &Tally, before: u64, since: Duration) -> String {
    let (done, all) = (tally.done(), tally.tasks);
    let fresh = done.saturating_sub(before);
    let rate = fresh as f64 / since.as_secs_f64().max(1e-3);
    let mut line = format!("{done}/{all} tasks");
    if fresh > 0 {
        line += &format!("  {}/s", short(rate));
        line += &format!("  {} left", clock((all.saturating_sub(done)) as f64 / rate));
    }
    if tally.failed > 0 {
        line += &format!("  {} failed", tally.failed);
    }
    if tally.retried > 0 {
        line += &format!("  {} retried", tally.retried);
    }
    line
}

/// A number with three digits that matter.
fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2}M", number / 1e6),
        1e4.. => format!("{:.1}k", number / 1e3),
        100.0.. => format!("{number:.0}"),
        1.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// A time as people read a clock.
fn clock(seconds: f64) -> String {
    let whole = seconds.ceil() as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600..360_000 => format!("{}h{:02}m", whole / 3_600, whole / 60 % 60),
        _ => "long".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_time_left() {
        let mut tally = Tally { tasks: 300, ..Tally::default() };
        assert_eq!(line(&tally, 0, Duration::from_secs(1)), "0/300 tasks");
        tally.succeeded = 90;
        tally.failed = 10;
        let shown = line(&tally, 0, Duration::from_secs(2));
        assert_eq!(shown, "100/300 tasks  50.0/s  4s left  10 failed");
        let resumed = line(&tally, 60, Duration::from_secs(2));
        assert_eq!(resumed, "100/300 tasks  20.0/s  10s left  10 failed");
        assert_eq!(bar(&tally), "[========                ]");
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> = [0.5, 7.0, 123.4, 45_678.0, 2e6].map(short).into();
        assert_eq!(shown, ["0.50", "7.0", "123", "45.7k", "2.00M"]);
        assert_eq!((clock(59.2), clock(3_661.0)), ("1m00s".into(), "1h01m".into()));
    }
}
