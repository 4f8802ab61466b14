//! The released `bary`, and what it says as JSON.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::bench::trial::RUNS;
use crate::process::printed;
use crate::repo::{Program, Repo};

/// The program, built for release.
pub(crate) fn program(repo: &Repo) -> Result<PathBuf, String> {
    match repo.program("release") {
        Program::Ready(program) => Ok(program),
        Program::Absent(why) => Err(why.to_owned()),
        Program::Broken(complaint) => Err(complaint),
    }
}

/// Runs a measurement `RUNS` times, after one that does not count.
pub(crate) fn repeated<T>(mut run: impl FnMut() -> Result<T, String>) -> Result<Vec<T>, String> {
    run()?;
    (0..RUNS).map(|_| run()).collect()
}

/// The wall seconds of `bary` with these words, its output thrown away.
pub(crate) fn wall(bary: &PathBuf, words: &[&str]) -> Result<f64, String> {
    let mut command = Command::new(bary);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().map_err(|cause| format!("bary did not run: {cause}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    if status.success() { Ok(seconds) } else { Err(format!("bary failed: {status}")) }
}

/// What `bary` prints with these words and `-o json`.
pub(crate) fn told(bary: &PathBuf, words: &[&str]) -> Result<Value, String> {
    let mut command = Command::new(bary);
    command.args(words).stdin(Stdio::null());
    let bytes = printed(command)?;
    serde_json::from_slice(&bytes).map_err(|cause| format!("bary's JSON: {cause}"))
}

/// A number of that JSON.
pub(crate) fn number(told: &Value, key: &str) -> Result<f64, String> {
    told[key].as_f64().ok_or_else(|| format!("bary's JSON has no number `{key}`"))
}

/// A file that goes when it is dropped.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A file of these lines in the system's place for temporary ones.
    pub(crate) fn lines(lines: impl Iterator<Item = String>) -> Result<Self, String> {
        let name = format!("bary-bench-{}.txt", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text: String = lines.map(|line| line + "\n").collect();
        std::fs::write(&path, text).map_err(|cause| format!("{}: {cause}", path.display()))?;
        Ok(Self(path))
    }

    /// Its path as a word of a command.
    pub(crate) fn word(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.0) {
            eprintln!("{}: {cause}", self.0.display());
        }
    }
}
