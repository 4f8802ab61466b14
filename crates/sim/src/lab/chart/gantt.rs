//! What ran where and when: a lane for each slot of each node, a bar for each task.

use std::collections::BTreeMap;

use crate::lab::chart::{Chart, colour, number, ticks};
use crate::lab::log::Log;
use crate::lab::shape::Load;

/// The most lanes that are drawn.
const LANES_MAX: usize = 64;
const LABEL: f64 = 70.0;
const ROOM: f64 = 680.0;
const LANE: f64 = 11.0;
/// Bars of one colour that are closer than this are drawn as one.
const CLOSE: f64 = 0.4;

/// A task: when it began and ended, and whose it is.
type Bar = (u64, u64, u32);

/// The lanes of one run; bars are coloured by owner.
#[must_use]
pub fn draw(policy: &str, load: &Load, log: &Log) -> Chart {
    let mut lanes: BTreeMap<(u32, u32), Vec<Bar>> = BTreeMap::new();
    for job in &load.jobs {
        for number in job.first..job.first + job.count {
            let task = &log.tasks[number as usize];
            if task.ends > 0 {
                let bar = (task.start.0, task.end.0, job.owner);
                lanes.entry((task.node, task.slot)).or_default().push(bar);
            }
        }
    }
    let until = log.tasks.iter().map(|task| task.end.0).max().unwrap_or(0).max(1);
    let (all, shown) = (lanes.len(), lanes.len().min(LANES_MAX));
    let words = format!(
        "{policy}: {all} slots ran tasks until {} s; {shown} of them are drawn.",
        number(until as f64 / 1e9),
    );
    let height = if shown < all { 50.0 } else { 34.0 } + LANE * shown as f64;
    let mut chart = Chart::new(760.0, height, &format!("What ran where, {policy}"), &words);
    let mut named: Option<(u32, f64)> = None;
    for (place, ((node, _), bars)) in lanes.iter_mut().take(LANES_MAX).enumerate() {
        let y = 4.0 + LANE * place as f64;
        if named.is_none_or(|(last, at)| last != *node && y - at > LANE) {
            chart.words((LABEL - 6.0, y + 9.0), &format!("n{node}"), "end", "muted");
            named = Some((*node, y));
        }
        bars.sort_unstable();
        lane(&mut chart, y, bars, until);
    }
    let foot = 4.0 + LANE * shown as f64;
    for seconds in ticks(0.0, until as f64 / 1e9) {
        let x = LABEL + ROOM * seconds / (until as f64 / 1e9);
        chart.line((x, 2.0), (x, foot + 2.0), "faint");
        let anchor = if x > LABEL + ROOM * 0.97 { "end" } else { "middle" };
        chart.words((x, foot + 18.0), &format!("{} s", number(seconds)), anchor, "muted");
    }
    if shown < all {
        let words = format!("the first {shown} of {all} slots");
        chart.words((LABEL, foot + 34.0), &words, "start", "muted");
    }
    chart
}

fn lane(chart: &mut Chart, y: f64, bars: &[Bar], until: u64) {
    let x = |at: u64| LABEL + ROOM * at as f64 / until as f64;
    let mut open: Option<(f64, f64, u32)> = None;
    let mut put = |(from, to, owner): (f64, f64, u32)| {
        chart.bar((from, y), ((to - from).max(0.3), LANE - 2.0), colour(owner as usize));
    };
    for (start, end, owner) in bars {
        let (from, to) = (x(*start), x(*end));
        match &mut open {
            // A hair between two long bars shows that they are two.
            Some((_, last, whose))
                if *whose == *owner && from - *last < CLOSE && to - from < 2.0 =>
            {
                *last = to;
            }
            _ => {
                open.take().into_iter().for_each(&mut put);
                open = Some((from, (to - 0.2).max(from), *owner));
            }
        }
    }
    open.into_iter().for_each(put);
}
