//! Runs that keep their state: how fast they are when everything is synced before it is
//! acknowledged, and how fast a state is read again. Beside them, how often the disk can append a
//! block and sync it: no journal that syncs for each task can be faster than that.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::bench::bary::{number, program, repeated, told};
use crate::bench::figure::{Bound, Row};
use crate::repo::Repo;

const TASKS: &str = "1-1_000_000";
/// The same as a number.
const COUNT: f64 = 1e6;
/// How long the disk is measured.
const DISK_SPAN: Duration = Duration::from_secs(1);

/// Measures an array and distinct tasks, each run anew and then read again.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let state = Scratch::new()?;
    let array = measure(&bary, &state, &[])?;
    let distinct = measure(&bary, &state, &["--distinct"])?;
    let ceiling = repeated(|| appends(&state.0))?;
    // Its journal at 10 ms between flushes; at its default it loses the last 30 s.
    let peer = Some(("HyperQueue with journal, as recorded", 1_160.0));
    let rate = |figure, runs: Vec<(f64, f64)>, least| {
        let rates = runs.iter().map(|(seconds, _)| COUNT / seconds).collect();
        Row { figure, runs: rates, unit: "1/s", bound: Some(Bound::AtLeast(least)), peer }
    };
    let again = |figure, runs: &[(f64, f64)]| {
        let runs = runs.iter().map(|(_, recovery)| *recovery).collect();
        Row { figure, runs, unit: "s", bound: Some(Bound::AtMost(1.0)), peer: None }
    };
    let recovery = [
        again("recovery of 10⁶ tasks, one array", &array),
        again("recovery of 10⁶ tasks, distinct", &distinct),
    ];
    let raw = Row {
        figure: "append 4 KiB and sync",
        runs: ceiling,
        unit: "1/s",
        bound: None,
        peer: None,
    };
    let mut rows = vec![
        rate("durable no-op functions, one array", array, 3e5),
        rate("durable no-op functions, distinct tasks", distinct, 1.5e5),
        raw,
    ];
    rows.extend(recovery);
    Ok(rows)
}

/// The wall seconds of a run on a new state, and the seconds in which the same state was read.
fn measure(bary: &PathBuf, state: &Scratch, more: &[&str]) -> Result<Vec<(f64, f64)>, String> {
    let directory = state.0.join("state");
    let name = directory.to_str().ok_or("the temporary directory has no name in UTF-8")?;
    let words = ["map", "-o", "json", "-u", "-j", "2", "--state", name, "--array", TASKS];
    let words = [&words[..], more, &["--function", "noop"]].concat();
    repeated(|| {
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(|cause| format!("{name}: {cause}"))?;
        }
        let begun = Instant::now();
        quiet(bary, &words)?;
        let seconds = begun.elapsed().as_secs_f64();
        Ok((seconds, number(&told(bary, &words)?, "recovery_seconds")?))
    })
}

/// Runs `bary` with these words but for its document.
fn quiet(bary: &PathBuf, words: &[&str]) -> Result<(), String> {
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "json" { "quiet" } else { word }).collect();
    crate::bench::bary::wall(bary, &words).map(drop)
}

/// How often a second a file can be appended to and synced.
fn appends(directory: &Path) -> Result<f64, String> {
    let path = directory.join("appended");
    let failed = |cause| format!("{}: {cause}", path.display());
    let mut file = File::create(&path).map_err(failed)?;
    let (begun, mut times) = (Instant::now(), 0_u32);
    while begun.elapsed() < DISK_SPAN {
        file.write_all(&[7; 4_096]).and_then(|()| file.sync_data()).map_err(failed)?;
        times += 1;
    }
    Ok(f64::from(times) / begun.elapsed().as_secs_f64())
}

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("bary-durable-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|cause| format!("{}: {cause}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(cause) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: {cause}", self.0.display());
        }
    }
}
