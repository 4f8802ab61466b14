//! `bary sim hunt`: drawn worlds on all cores until one breaks, and that one made small.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bary_sim::hunt::case::Case;
use bary_sim::hunt::shrink::{Shrunk, shrink};
use bary_sim::hunt::{self, Finding};
use serde_json::json;

use crate::args::Face;
use crate::args::cluster::cores;
use crate::args::sim::HuntArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;
use crate::verb::sim::tally::{self, Counts, Tally};

/// How many seeds are run where nothing is said.
const SEEDS: u64 = 1_000;
/// How often progress is shown.
const PACE: Duration = Duration::from_millis(200);

/// What a hunt came to.
struct Hunt {
    from: u64,
    seeds: u64,
    events: u64,
    took: Duration,
    found: Option<(Case, Finding)>,
}

/// Hunts, shrinks what it finds, and adds the seeds up.
pub(crate) fn run(args: &HuntArgs, face: Face) -> Result<Exit, Complaint> {
    let path = args.tally.clone().unwrap_or_else(tally::usual);
    let build = tally::build().map_err(Complaint::failed)?;
    let mut tally = Tally::read(&path).map_err(|cause| fault(&path, &cause))?;
    let from = args.from.unwrap_or_else(|| tally.of(&build).next);
    // What a run asserts is reported with its seed instead of where it happened.
    std::panic::set_hook(Box::new(|_| {}));
    let mut screen = Screen::new(face);
    let hunt = hunt(args, from, &mut screen, face)?;
    let small = hunt.found.as_ref().map(|(case, finding)| {
        if shows(face) {
            screen.show_bar(&format!("bary: seed {} broke something", case.seed));
        }
        shrink(case, finding, args.shrink)
    });
    drop(std::panic::take_hook());
    screen.hide_bar();
    let breaks = u64::from(small.is_some());
    tally.add(&build, Counts { seeds: hunt.seeds, next: from + hunt.seeds, breaks });
    tally.write(&path).map_err(|cause| fault(&path, &cause))?;
    let seeds = (tally.of(&build).seeds, tally.seeds());
    verb::print(&mut screen, &shown(&hunt, small.as_ref(), seeds, face))?;
    Ok(if small.is_some() { Exit::FAILED } else { Exit::OK })
}

/// Whether progress is shown.
fn shows(face: Face) -> bool {
    !face.is_quiet() && std::io::stderr().is_terminal()
}

fn fault(path: &Path, cause: &std::io::Error) -> Complaint {
    Complaint::failed(format!("{}: {cause}", path.display()))
}

/// Runs seeds on all threads until one breaks, time is up, or there are no more.
fn hunt(args: &HuntArgs, from: u64, screen: &mut Screen, face: Face) -> Result<Hunt, Complaint> {
    let base = args.world.case(from)?;
    let end = match (args.seeds, args.minutes) {
        (None, Some(_)) => u64::MAX,
        (seeds, _) => from.saturating_add(seeds.unwrap_or(SEEDS)),
    };
    let began = Instant::now();
    let limit = args.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let (next, over) = (AtomicU64::new(from), AtomicBool::new(false));
    let (done, events) = (AtomicU64::new(0), AtomicU64::new(0));
    let found: Mutex<Option<(Case, Finding)>> = Mutex::new(None);
    let search = || {
        while !over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let case = Case { seed, ..base.clone() };
            let judged = hunt::run(&case.plan());
            events.fetch_add(judged.report.map_or(0, |report| report.events), Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
            if let Some(finding) = judged.finding {
                over.store(true, Ordering::Relaxed);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if found.as_ref().is_none_or(|(first, _)| seed < first.seed) {
                    *found = Some((case, finding));
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads = args.jobs.unwrap_or_else(cores);
        let searching: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
        while searching.iter().any(|thread| !thread.is_finished()) {
            thread::park_timeout(PACE);
            if limit.is_some_and(|limit| began.elapsed() >= limit) {
                over.store(true, Ordering::Relaxed);
            }
            if shows(face) {
                let seeds = done.load(Ordering::Relaxed);
                let rate = seeds as f64 / began.elapsed().as_secs_f64() * 60.0;
                screen.show_bar(&format!("bary: {seeds} seeds, {rate:.0} a minute"));
            }
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (seeds, events) = (done.into_inner(), events.into_inner());
    Ok(Hunt { from, seeds, events, took: began.elapsed(), found })
}

fn shown(hunt: &Hunt, small: Option<&Shrunk>, (build, all): (u64, u64), face: Face) -> String {
    let seconds = hunt.took.as_secs_f64();
    let Hunt { from, seeds, events, found, .. } = hunt;
    if face.is_data() {
        let broken = small.zip(found.as_ref()).map(|(small, (case, finding))| {
            json!({
                "invariant": small.finding.name(),
                "what": small.finding.to_string(),
                "command": small.case.command(),
                "tries": small.tries,
                "first": { "command": case.command(), "what": finding.to_string() },
            })
        });
        let document = json!({
            "schema": "bary.sim.hunt/1", "from": from, "seeds": seeds, "events": events,
            "seconds": seconds, "broken": broken, "seeds_of_build": build, "seeds_ever": all,
        });
        return format!("{document:#}\n");
    }
    let mut text = String::new();
    if let (Some(small), Some((case, finding))) = (small, found) {
        text += &format!("broken: {finding}\n  found: {}\n", case.command());
        text += &format!("  small: {} (after {} runs)\n", small.finding, small.tries);
        text += &format!("replay: {} --table\n", small.case.command());
    }
    if !face.is_quiet() {
        let rate = *seeds as f64 / seconds.max(1e-3) * 60.0;
        let last = from + seeds.saturating_sub(1);
        text += &format!(
            "{seeds} seeds from {from} to {last}, {events} events in {seconds:.1} s: \
             {rate:.0} seeds a minute\n{build} seeds by this build, {all} by all\n",
        );
    }
    text
}
