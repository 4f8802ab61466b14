//! `bary sim hunt`: drawn worlds on all cores until one breaks, and that one made small.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bary_sim::hunt::case::Case;
use bary_sim::hunt::shrink::{Shrunk, shrink};
use bary_sim::hunt::{self, Finding};
use serde_json::json;

use crate::args::cluster::cores;
use crate::args::sim::{self, HuntArgs};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::signals::Heard;
use crate::verb;
use crate::verb::sim::tally::{self, Counts, Tally};

/// How many seeds are run where nothing is said.
const SEEDS: u64 = 1_000;
/// How often progress is shown.
const PACE: Duration = Duration::from_millis(200);
/// How often what was run is added up meanwhile, so that little of it is lost with the process.
const TALLY_PACE: Duration = Duration::from_secs(10);

/// What a hunt came to.
struct Hunt {
    from: u64,
    seeds: u64,
    events: u64,
    took: Duration,
    found: Option<(Case, Finding)>,
    /// What a signal asked for, where one ended it.
    stopped: Option<Exit>,
}

/// Where seeds are counted.
struct Book {
    path: PathBuf,
    /// The build and, where flags shape it, the world.
    name: String,
    /// Whether they are: worlds with a bug in them say nothing about the build.
    counts: bool,
    /// The first seed, and how many are in the file.
    from: u64,
    added: u64,
}

impl Book {
    fn open(args: &HuntArgs) -> Result<Self, Complaint> {
        let path = args.tally.clone().unwrap_or_else(tally::usual);
        let mut name = tally::build().map_err(Complaint::failed)?;
        let world = args.world.case(0)?.command();
        if let Some(flags) = world.strip_prefix("bary sim --seed 0 ") {
            name += &format!(":{}", flags.replace(' ', ""));
        }
        let next = Tally::read(&path).map_err(|cause| fault(&path, &cause))?.of(&name).next;
        let counts = args.world.flaw.is_none();
        Ok(Self { path, name, counts, from: args.from.unwrap_or(next), added: 0 })
    }

    /// Adds what has been run since the last time.
    fn add(&mut self, seeds: u64, breaks: u64) -> Result<Tally, Complaint> {
        let fault = |cause| fault(&self.path, &cause);
        if !self.counts {
            return Tally::read(&self.path).map_err(fault);
        }
        let more = seeds - std::mem::replace(&mut self.added, seeds);
        let counts = Counts { seeds: more, next: self.from.saturating_add(seeds), breaks };
        Tally::add_to(&self.path, &self.name, counts).map_err(fault)
    }
}

/// Hunts, shrinks what it finds, and adds the seeds up.
pub(crate) fn run(args: &HuntArgs, face: Face) -> Result<Exit, Complaint> {
    let mut book = Book::open(args)?;
    let heard = Heard::listen().map_err(Complaint::failed)?;
    // What a run asserts is reported with its seed instead of where it happened.
    std::panic::set_hook(Box::new(|_| {}));
    let mut screen = Screen::new(face);
    let hunt = hunt(args, &mut book, &heard, &mut screen, face)?;
    let small = hunt.found.as_ref().map(|(case, finding)| {
        if shows(face) {
            screen.show_bar(&format!("bary: seed {} broke something", case.seed));
        }
        shrink(case, finding, args.shrink)
    });
    drop(std::panic::take_hook());
    screen.hide_bar();
    let tally = book.add(hunt.seeds, u64::from(small.is_some()))?;
    let seeds = book.counts.then(|| (tally.of(&book.name).seeds, tally.seeds()));
    verb::print(&mut screen, &shown(&hunt, small.as_ref(), seeds, face))?;
    let broke = small.is_some().then_some(Exit::FAILED);
    Ok(broke.or(hunt.stopped).unwrap_or(Exit::OK))
}

/// Whether progress is shown.
fn shows(face: Face) -> bool {
    !face.is_quiet() && std::io::stderr().is_terminal()
}

fn fault(path: &Path, cause: &std::io::Error) -> Complaint {
    Complaint::failed(format!("cannot add up hunts in `{}`: {cause}", path.display()))
        .help("name another file with --tally FILE")
}

/// Runs seeds on all threads until one breaks, time is up, or there are no more.
fn hunt(
    args: &HuntArgs,
    book: &mut Book,
    heard: &Heard,
    screen: &mut Screen,
    face: Face,
) -> Result<Hunt, Complaint> {
    let from = book.from;
    let base = args.world.case(from)?;
    sim::bounded(base.plan())?;
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
    let mut added = Ok(());
    thread::scope(|scope| {
        let threads = args.jobs.unwrap_or_else(cores);
        let searching: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
        let mut due = began + TALLY_PACE;
        while searching.iter().any(|thread| !thread.is_finished()) {
            thread::park_timeout(PACE);
            let seeds = done.load(Ordering::Relaxed);
            if Instant::now() >= due && added.is_ok() {
                added = book.add(seeds, 0).map(drop);
                due += TALLY_PACE;
            }
            let is_late = limit.is_some_and(|limit| began.elapsed() >= limit);
            if is_late || heard.exit().is_some() || added.is_err() {
                over.store(true, Ordering::Relaxed);
            }
            if shows(face) {
                let rate = seeds as f64 / began.elapsed().as_secs_f64() * 60.0;
                screen.show_bar(&format!("bary: {seeds} seeds, {rate:.0} a minute"));
            }
        }
    });
    added?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (seeds, events) = (done.into_inner(), events.into_inner());
    Ok(Hunt { from, seeds, events, took: began.elapsed(), found, stopped: heard.exit() })
}

fn shown(hunt: &Hunt, small: Option<&Shrunk>, counted: Option<(u64, u64)>, face: Face) -> String {
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
            "seconds": seconds, "broken": broken, "interrupted": hunt.stopped.is_some(),
            "seeds_of_build": counted.map(|(build, _)| build),
            "seeds_ever": counted.map(|(_, all)| all),
        });
        let dense = face.output == Form::Jsonl;
        return if dense { format!("{document}\n") } else { format!("{document:#}\n") };
    }
    let mut text = String::new();
    if let (Some(small), Some((case, finding))) = (small, found) {
        text += &format!("broken: {finding}\n  found: {}\n", case.command());
        text += &format!("  small: {} (after {} runs)\n", small.finding, small.tries);
        text += &format!("replay: {} --table\n", small.case.command());
    }
    if !face.is_quiet() {
        let rate = *seeds as f64 / seconds.max(1e-3) * 60.0;
        text += &format!(
            "{seeds} seeds from {from} on, {events} events in {seconds:.1} s: \
             {rate:.0} seeds a minute\n",
        );
        text += &match counted {
            Some((build, all)) => format!("{build} such seeds by this build, {all} in all\n"),
            None => "not counted, since a bug was put back\n".to_owned(),
        };
    }
    text
}
