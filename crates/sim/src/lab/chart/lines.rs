//! Load over time: how many tasks wait at each moment, a line for each policy.

use bary_model::time::Moment;

use crate::lab::chart::{Chart, colour, number, short, ticks};
use crate::lab::log::Log;
use crate::lab::shape::Load;

/// How many moments are looked at.
const STEPS: usize = 240;

/// A line for each policy, of the logs of its first seed.
#[must_use]
pub fn draw(runs: &[(&str, &Load, &Log)]) -> Chart {
    let ends = runs.iter().flat_map(|(.., log)| log.tasks.iter().map(|task| task.end.0));
    let until = ends.max().unwrap_or(0).max(1);
    let counts: Vec<Vec<u64>> =
        runs.iter().map(|(_, load, log)| waiting(load, log, until)).collect();
    let most = counts.iter().flatten().max().copied().unwrap_or(0).max(1);
    let words = runs.iter().zip(&counts).map(|((policy, ..), counts)| {
        let most = counts.iter().max().copied().unwrap_or(0);
        format!("{policy}: at most {most} tasks wait.")
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let rows = runs.len() as f64;
    let mut chart = Chart::new(760.0, 320.0 + 18.0 * rows, "Tasks that wait, over time", &words);
    let (top, until_seconds) = (most as f64, until as f64 / 1e9);
    let place = |step: usize, count: f64| {
        (70.0 + 660.0 * step as f64 / STEPS as f64, 270.0 - 240.0 * count / top)
    };
    for count in ticks(0.0, top) {
        let (_, y) = place(0, count);
        chart.line((66.0, y), (730.0, y), "faint");
        chart.words((62.0, y + 4.0), &number(count), "end", "muted");
    }
    for seconds in ticks(0.0, until_seconds) {
        let x = 70.0 + 660.0 * seconds / until_seconds;
        chart.words((x, 288.0), &number(seconds), "middle", "muted");
    }
    chart.words((400.0, 306.0), "seconds", "middle", "muted");
    chart.words((14.0, 14.0), "tasks that wait", "start", "muted");
    for (number, ((policy, ..), counts)) in runs.iter().zip(&counts).enumerate() {
        let points: Vec<(f64, f64)> =
            counts.iter().enumerate().map(|(step, count)| place(step, *count as f64)).collect();
        chart.path(&points, colour(number));
        let y = 322.0 + 18.0 * number as f64;
        chart.bar((70.0, y), (14.0, 10.0), colour(number));
        chart.words((90.0, y + 10.0), &short(policy, 90), "start", "");
    }
    chart
}

/// How many tasks have arrived, wait for no other any more, and have not begun, step by step.
fn waiting(load: &Load, log: &Log, until: u64) -> Vec<u64> {
    let step = |at: Moment| {
        let step = u128::from(at.0.min(until)) * STEPS as u128 / u128::from(until);
        (step as usize).min(STEPS)
    };
    let (mut more, mut less) = (vec![0_u64; STEPS + 1], vec![0_u64; STEPS + 1]);
    for job in &load.jobs {
        for (number, piece) in (job.first as usize..).zip(load.tasks_of(job)) {
            let before = |before: &u32| log.tasks[(job.first + before) as usize].end;
            let ready = piece.after.iter().map(before).fold(job.at, Moment::max);
            let task = &log.tasks[number];
            more[step(ready)] += 1;
            if task.ends > 0 {
                less[step(task.start)] += 1;
            }
        }
    }
    let mut now = 0_u64;
    let steps = more.iter().zip(&less).map(|(more, less)| {
        now = (now + more).saturating_sub(*less);
        now
    });
    steps.collect()
}
