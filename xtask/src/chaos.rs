//! `chaos`: kills real runs on a state at random instants, runs them again until they end, and
//! holds all they did against what a state promises.
//!
//! A seed draws the jobs and the instants; what a machine does at an instant is its own, so that a
//! seed is a place to look rather than a replay.

pub(crate) mod dice;
mod evidence;
pub(crate) mod full;
mod life;
pub(crate) mod members;
pub(crate) mod node;
mod task;
mod trial;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::json;

use crate::chaos::trial::{Lengths, Report};
use crate::check::Outcome;
use crate::repo::{Program, Repo};

pub(crate) use full::inside;

/// How many kills are enough where nobody says.
pub(crate) const KILLS: u64 = 1_000;
/// How many kills `verify` makes.
const KILLS_IN_VERIFY: u64 = 200;
/// How many runs are tormented at a time.
const HANDS: u64 = 3;
/// Most trials that are told of one by one.
const TOLD_MAX: usize = 10;

/// All trials together.
#[derive(Debug, Default)]
struct Sum {
    trials: u64,
    kills: u64,
    early: u64,
    late: u64,
    repeated: u64,
    /// What is wrong, by the trial's seed.
    faults: Vec<(u64, String)>,
}

impl Sum {
    fn add(&mut self, seed: u64, report: Report) {
        self.trials += 1;
        self.kills += report.kills;
        self.early += report.early;
        self.late += report.late;
        self.repeated += report.repeated;
        self.faults.extend(report.faults.into_iter().map(|fault| (seed, fault)));
    }

    fn line(&self) -> String {
        format!(
            "{} runs, {} kills: {} before any task, {} after the last; {} tasks started again",
            self.trials, self.kills, self.early, self.late, self.repeated
        )
    }
}

/// Torments runs until so many were killed, fills a disk, and says whether all is well.
pub(crate) fn chaos(repo: &Repo, kills: u64, seed: u64, json: bool) -> bool {
    let begun = Instant::now();
    let mut disks = vec![memory(), std::env::temp_dir()];
    disks.dedup();
    let judged = torment(repo, kills, seed, &disks);
    let (sum, disk) = match judged {
        Ok(judged) => judged,
        Err(complaint) => {
            eprintln!("chaos: {complaint}");
            return false;
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    let faults: Vec<String> = told(&sum);
    if json {
        let document = json!({
            "schema": "bary.chaos/1", "seed": seed, "runs": sum.trials, "kills": sum.kills,
            "early": sum.early, "late": sum.late, "repeated": sum.repeated,
            "disk_full": disk, "faults": faults, "seconds": seconds,
        });
        println!("{document:#}");
    } else {
        faults.iter().for_each(|fault| println!("{fault}"));
        println!("{}; {disk}; {seconds:.1} s", sum.line());
    }
    sum.faults.is_empty()
}

/// The check of `verify`: a short form.
pub(crate) fn check(repo: &Repo) -> Outcome {
    match torment(repo, KILLS_IN_VERIFY, 0, &[memory()]) {
        Ok((sum, disk)) if sum.faults.is_empty() => Outcome::Passed(vec![sum.line(), disk]),
        Ok((sum, _)) => Outcome::Failed(told(&sum)),
        Err(complaint) => Outcome::failure(complaint),
    }
}

fn told(sum: &Sum) -> Vec<String> {
    let each = sum.faults.iter().take(TOLD_MAX);
    each.map(|(seed, fault)| format!("seed {seed}: {fault}")).collect()
}

/// A disk in memory where there is one: what a kill of a process leaves behind is the same there,
/// and nothing waits for a real disk.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Torments runs on these disks in turn.
fn torment(repo: &Repo, kills: u64, seed: u64, disks: &[PathBuf]) -> Result<(Sum, String), String> {
    let built = match repo.program("dev") {
        Program::Ready(built) => built,
        Program::Absent(why) => return Err(why.to_owned()),
        Program::Broken(complaint) => return Err(complaint),
    };
    let own = format!("bary-chaos-{}", std::process::id());
    let scratches: Vec<PathBuf> = disks.iter().map(|disk| disk.join(&own)).collect();
    for scratch in &scratches {
        std::fs::create_dir_all(scratch).map_err(|cause| complaint(scratch, &cause))?;
    }
    // All lives are of the same program, whatever is built meanwhile.
    let bary = scratches[0].join("bary");
    std::fs::copy(&built, &bary).map_err(|cause| complaint(&built, &cause))?;
    let lengths = trial::lengths(&bary, &scratches[0])?;
    let shared = Mutex::new((seed, Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..HANDS {
            scope.spawn(|| hand(&shared, &bary, &scratches, &lengths, kills));
        }
    });
    let (_, mut sum) = shared.into_inner().map_err(|_| "a trial panicked")?;
    let disk = match full::check(&bary, &scratches[0]) {
        Ok(disk) => disk,
        Err(fault) => {
            sum.faults.push((seed, fault));
            "disk full: failed".to_owned()
        }
    };
    for scratch in &scratches {
        if sum.faults.is_empty() {
            std::fs::remove_dir_all(scratch).map_err(|cause| complaint(scratch, &cause))?;
        } else {
            sum.faults.push((seed, format!("what is left is in {}", scratch.display())));
        }
    }
    Ok((sum, disk))
}

fn complaint(path: &Path, cause: &std::io::Error) -> String {
    format!("{}: {cause}", path.display())
}

/// Takes one seed after another until enough were killed, or something is wrong.
fn hand(
    shared: &Mutex<(u64, Sum)>,
    bary: &Path,
    scratches: &[PathBuf],
    lengths: &Lengths,
    kills: u64,
) {
    loop {
        let seed = {
            let Ok(mut held) = shared.lock() else { return };
            if held.1.kills >= kills || !held.1.faults.is_empty() {
                return;
            }
            held.0 += 1;
            held.0 - 1
        };
        let scratch = &scratches[seed as usize % scratches.len()];
        let folder = scratch.join(format!("seed-{seed}"));
        let report = trial::run(bary, folder, seed, lengths);
        let Ok(mut held) = shared.lock() else { return };
        held.1.add(seed, report);
    }
}
