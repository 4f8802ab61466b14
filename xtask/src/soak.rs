//! `soak`: a node under mixed work for a long time, with old jobs forgotten, and whether its memory
//! and its descriptors grow.

mod load;
mod trend;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::chaos::dice::Dice;
use crate::node::{Node, burden};
use crate::repo::{Program, Repo};
use crate::soak::load::Load;
use crate::soak::trend::{Trend, means};

/// What a soak is asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct SoakOptions {
    /// How long it goes on.
    pub(crate) minutes: f64,
    /// From which the work is drawn.
    pub(crate) seed: u64,
    /// The command to soak; the one built for release where absent.
    pub(crate) bary: Option<PathBuf>,
    /// Print JSON instead of lines.
    pub(crate) json: bool,
}

/// How often the node is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
/// How long it is told how things go.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Which part of the time, at the beginning, does not count.
const WARM_UP: f64 = 0.25;
/// How many means of samples a trend is made of.
const STRETCHES: f64 = 45.0;
/// How fast memory may grow, in MiB per hour.
const GROWTH_MAX: f64 = 1.0;
/// How fast descriptors may grow, per hour.
const DESCRIPTORS_MAX: f64 = 10.0;

/// One look at the node: hours since the beginning, MiB, and descriptors.
struct Sample {
    hours: f64,
    mib: f64,
    descriptors: f64,
}

/// Soaks a node, and says whether it held.
pub(crate) fn soak(repo: &Repo, options: &SoakOptions) -> bool {
    let judged = program(repo, options).and_then(|bary| run(&bary, options));
    judged.unwrap_or_else(|complaint| {
        eprintln!("soak: {complaint}");
        false
    })
}

fn program(repo: &Repo, options: &SoakOptions) -> Result<PathBuf, String> {
    if let Some(bary) = &options.bary {
        return fs::canonicalize(bary).map_err(|cause| format!("{}: {cause}", bary.display()));
    }
    match repo.program("release") {
        Program::Ready(bary) => Ok(bary),
        Program::Absent(why) => Err(why.to_owned()),
        Program::Broken(complaint) => Err(complaint),
    }
}

fn run(bary: &Path, options: &SoakOptions) -> Result<bool, String> {
    let folder = std::env::temp_dir().join(format!("bary-soak-{}", std::process::id()));
    let mut node = Node::new(bary, &folder)?;
    let door = node.begin(&["-j", "4"], &[])?;
    let mut load = Load::new(door, Dice::new(options.seed));
    let samples = watch(&node, &mut load, Duration::from_secs_f64(options.minutes * 60.0))?;
    node.drain()?;
    let faults = load.faults();
    let hours = options.minutes / 60.0;
    let settled: Vec<&Sample> = samples.iter().filter(|s| s.hours > hours * WARM_UP).collect();
    let trend = |pick: fn(&Sample) -> f64| {
        let points: Vec<_> = settled.iter().map(|sample| (sample.hours, pick(sample))).collect();
        Trend::of(&means(&points, hours / STRETCHES)).ok_or("it was too short to tell a trend")
    };
    let (memory, descriptors) = (trend(|s| s.mib)?, trend(|s| s.descriptors)?);
    let verdicts = [memory.below(GROWTH_MAX), descriptors.below(DESCRIPTORS_MAX)];
    let verdict = match verdicts {
        _ if !faults.is_empty() => "failed",
        [Some(true), Some(true)] => "held",
        [Some(false), _] | [_, Some(false)] => "grew",
        _ => "cannot be told",
    };
    let last = samples.last().ok_or("nothing was sampled")?;
    if options.json {
        let document = json!({
            "schema": "bary.soak/1", "seed": options.seed, "minutes": options.minutes,
            "jobs": load.jobs, "tasks": load.tasks, "questions": load.questions,
            "resident_mib": last.mib, "mib_per_hour": memory.slope, "mib_error": memory.error,
            "descriptors": last.descriptors, "descriptors_per_hour": descriptors.slope,
            "descriptors_error": descriptors.error, "faults": faults, "verdict": verdict,
        });
        println!("{document:#}");
    } else {
        faults.iter().for_each(|fault| println!("{fault}"));
        println!(
            "{} jobs with {} tasks, {} questions in {} min (seed {})\n\
             memory: {:.1} MiB, {:+.2} ± {:.2} MiB/h; descriptors: {}, {:+.2} ± {:.2} /h\n\
             {verdict}",
            load.jobs,
            load.tasks,
            load.questions,
            options.minutes,
            options.seed,
            last.mib,
            memory.slope,
            memory.error,
            last.descriptors,
            descriptors.slope,
            descriptors.error,
        );
    }
    if verdict == "held" {
        fs::remove_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    } else {
        eprintln!("what is left is in {}", folder.display());
    }
    Ok(matches!(verdict, "held" | "cannot be told"))
}

/// Puts load on the node until the time is over; what was seen of it meanwhile.
fn watch(node: &Node, load: &mut Load, length: Duration) -> Result<Vec<Sample>, String> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    let (mut look, mut tell) = (begun, begun + TELL_EVERY);
    while begun.elapsed() < length {
        load.step()?;
        let now = Instant::now();
        if now >= look {
            let (bytes, descriptors) = burden(node.pid())?;
            samples.push(Sample {
                hours: (now - begun).as_secs_f64() / 3_600.0,
                mib: bytes as f64 / f64::from(1 << 20),
                descriptors: descriptors as f64,
            });
            look = now + SAMPLE_EVERY;
        }
        if now >= tell {
            let last = samples.last();
            let (mib, of) = last.map_or((0.0, 0.0), |sample| (sample.mib, sample.descriptors));
            let minutes = (now - begun).as_secs() / 60;
            let tasks = load.tasks;
            eprintln!("  {minutes} min: {tasks} tasks, {mib:.1} MiB, {of} descriptors");
            tell = now + TELL_EVERY;
        }
    }
    Ok(samples)
}
