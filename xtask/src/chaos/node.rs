//! `chaos node`: a node that stays is killed again and again while callers submit, steer and ask,
//! and holds what it acknowledged.

mod book;
mod caller;
mod crew;
mod flood;
pub(crate) mod full;
mod hand;
mod job;
mod marks;
mod million;
mod pause;
mod recall;
mod storm;
mod workers;
mod yard;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::chaos::node::crew::Crew;
use crate::chaos::node::storm::{Report, Weather, storm};
use crate::check::Outcome;
use crate::node::Node;
use crate::process::printed;
use crate::repo::{Program, Repo};

/// What `chaos node` is asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct NodeOptions {
    pub(crate) minutes: f64,
    pub(crate) tasks: u64,
    /// How often the node is killed, about, in seconds.
    pub(crate) every: f64,
    pub(crate) seed: u64,
    /// The command to torment; the one of the development profile where absent.
    pub(crate) bary: Option<PathBuf>,
    /// Print JSON instead of lines.
    pub(crate) json: bool,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { minutes: 10.0, tasks: 20_000, every: 2.0, seed: 0, bary: None, json: false }
    }
}

/// The storm that `verify` has.
const SHORT: Weather = Weather {
    tasks: 600,
    length: Duration::from_secs(15),
    every: Duration::from_millis(1_000),
    seed: 0,
};
/// Most faults that are told of one by one.
const TOLD_MAX: usize = 20;

/// Has a storm and says whether all is well.
pub(crate) fn chaos(repo: &Repo, options: &NodeOptions) -> bool {
    let weather = Weather {
        tasks: options.tasks,
        length: Duration::from_secs_f64(options.minutes * 60.0),
        every: Duration::from_secs_f64(options.every),
        seed: options.seed,
    };
    let begun = Instant::now();
    let report = match torment(repo, options.bary.as_deref(), weather) {
        Ok(report) => report,
        Err(complaint) => {
            eprintln!("chaos node: {complaint}");
            return false;
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    if options.json {
        let Report { jobs, tasks, kills, early, lost, repeated, again, faults, .. } = &report;
        let Report { answered, by_grpc, .. } = &report;
        let document = json!({
            "schema": "bary.chaos.node/1", "seed": weather.seed, "jobs": jobs, "tasks": tasks,
            "kills": kills, "early": early, "worker_kills": report.torment.kills,
            "worker_pauses": report.torment.pauses, "answered": answered,
            "answered_over_grpc": by_grpc, "answers_lost": lost,
            "submitted_again": repeated, "started_again": again,
            "back_median_ms": median(&report.back), "back_max_ms": longest(&report.back),
            "faults": faults, "seconds": seconds,
        });
        println!("{document:#}");
    } else {
        told(&report).iter().for_each(|fault| println!("{fault}"));
        println!("{}; {seconds:.0} s, seed {}", line(&report), weather.seed);
    }
    report.faults.is_empty()
}

/// The check of `verify`: a short storm and a flood.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let stormed = match torment(repo, None, SHORT) {
        Ok(report) if report.faults.is_empty() => line(&report),
        Ok(report) => return Outcome::Failed(told(&report)),
        Err(complaint) => return Outcome::failure(complaint),
    };
    match played(repo, Scene::Flood, None, "dev") {
        Ok(flooded) => Outcome::Passed(vec![stormed, flooded]),
        Err(fault) => Outcome::failure(format!("flood: {fault}")),
    }
}

/// A scene that is played by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Callers ask as fast as they can, and come many at once.
    Flood,
    /// A worker is stopped for longer than a node waits for it.
    Pause,
    /// A node comes back over a million tasks.
    Million,
}

/// Each scene by its name.
pub(crate) const SCENES: [(&str, Scene); 3] =
    [("flood", Scene::Flood), ("pause", Scene::Pause), ("million", Scene::Million)];

/// Plays a scene and says whether all is well.
pub(crate) fn play(repo: &Repo, scene: Scene, bary: Option<&Path>) -> bool {
    // What takes time is measured of what is shipped.
    let profile = if scene == Scene::Pause { "dev" } else { "release" };
    match played(repo, scene, bary, profile) {
        Ok(said) => {
            println!("{said}");
            true
        }
        Err(fault) => {
            eprintln!("{fault}");
            false
        }
    }
}

fn played(repo: &Repo, scene: Scene, bary: Option<&Path>, profile: &str) -> Result<String, String> {
    let cast = Cast::assemble(repo, bary, profile)?;
    let said = match scene {
        Scene::Flood => flood::scene(&cast.bary, &cast.folder),
        Scene::Pause => pause::scene(&cast),
        Scene::Million => million::scene(&cast.bary, &cast.folder),
    };
    cast.part().and(said)
}

/// The programs of a scene, in a folder of its own.
struct Cast {
    folder: PathBuf,
    bary: PathBuf,
    scribe: PathBuf,
    caller: PathBuf,
}

impl Cast {
    /// Copies what is built: all lives are of the same programs, whatever is built meanwhile.
    fn assemble(repo: &Repo, bary: Option<&Path>, profile: &str) -> Result<Self, String> {
        let built = || repo.program(profile);
        let built = match bary.map_or_else(built, |bary| Program::Ready(bary.into())) {
            Program::Ready(bary) => bary,
            Program::Absent(why) => return Err(why.to_owned()),
            Program::Broken(complaint) => return Err(complaint),
        };
        let words = ["build", "--quiet", "--package", "bary-client"];
        let examples = ["--example", "scribe", "--example", "caller"];
        printed(repo.cargo(&[&words[..], &examples].concat()))?;
        let example = |name: &str| repo.example_of("debug", name);
        let folder = super::memory().join(format!("bary-storm-{}", std::process::id()));
        let at = |name: &str| folder.join(name);
        let made = fs::create_dir_all(&folder);
        made.map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let (bary, scribe, caller) = (at("bary"), at("scribe"), at("caller"));
        let originals = [built, example("scribe")?, example("caller")?];
        for (from, to) in originals.iter().zip([&bary, &scribe, &caller]) {
            fs::copy(from, to).map_err(|cause| format!("{}: {cause}", to.display()))?;
        }
        Ok(Self { folder, bary, scribe, caller })
    }

    /// Those that work beside a node.
    fn crew(&self, node: &Node) -> Crew {
        Crew {
            scribe: self.scribe.clone(),
            caller: self.caller.clone(),
            address: node.address().to_owned(),
            token: node.token(),
        }
    }

    /// Removes all of it.
    fn part(self) -> Result<(), String> {
        let removed = fs::remove_dir_all(&self.folder);
        removed.map_err(|cause| format!("{}: {cause}", self.folder.display()))
    }
}

fn torment(repo: &Repo, bary: Option<&Path>, weather: Weather) -> Result<Report, String> {
    let cast = Cast::assemble(repo, bary, "dev")?;
    let mut report = storm(&cast, weather)?;
    if report.faults.is_empty() {
        cast.part()?;
    } else {
        report.faults.push(format!("what is left is in {}", cast.folder.display()));
    }
    Ok(report)
}

fn told(report: &Report) -> Vec<String> {
    report.faults.iter().take(TOLD_MAX).cloned().collect()
}

fn line(report: &Report) -> String {
    let Report { jobs, tasks, kills, early, torment, lost, repeated, again, back, .. } = report;
    let Report { answered, by_grpc, .. } = report;
    format!(
        "{kills} kills of a node, {early} before it answered; {} of workers, {} pauses; {tasks} \
         tasks of {jobs} jobs; {answered} answers, {by_grpc} of them over gRPC, and {lost} lost; \
         {repeated} submissions repeated, {again} tasks \
         started again; back after {:.0} ms, at most {:.0} ms",
        torment.kills,
        torment.pauses,
        median(back),
        longest(back),
    )
}

/// In milliseconds; 0 of none.
fn median(spans: &[Duration]) -> f64 {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    spans.get(spans.len() / 2).map_or(0.0, |span| span.as_secs_f64() * 1e3)
}

fn longest(spans: &[Duration]) -> f64 {
    spans.iter().max().map_or(0.0, |span| span.as_secs_f64() * 1e3)
}
