//! `chaos members`: five members of a cluster, each in a network namespace of its own, are killed,
//! cut off and slowed down while callers submit and ask, and lose nothing.

mod book;
mod capture;
mod hand;
mod judge;
mod land;
mod relay;
mod resident;
mod storm;
mod town;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::check::Outcome;
use crate::process::{capture, printed};
use crate::repo::{Program, Repo};
use crate::setup;
use storm::Weather;
pub(crate) use storm::Weather as MembersWeather;

/// What `chaos members` is asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct MembersOptions {
    pub(crate) minutes: f64,
    pub(crate) tasks: u64,
    pub(crate) seed: u64,
    /// How many members keep each one's journal; 1 is none but itself.
    pub(crate) replicas: u8,
    /// The command to torment; the one of the development profile where absent.
    pub(crate) bary: Option<PathBuf>,
    /// Print JSON instead of lines.
    pub(crate) json: bool,
}

impl Default for MembersOptions {
    fn default() -> Self {
        Self { minutes: 10.0, tasks: 20_000, seed: 0, replicas: 1, bary: None, json: false }
    }
}

/// The storm that `verify` has, and once more where three members keep each journal.
const SHORT: Weather =
    Weather { tasks: 300, length: Duration::from_secs(20), seed: 0, replicas: 1 };

/// Has a storm and says whether all is well.
pub(crate) fn chaos(repo: &Repo, options: &MembersOptions) -> bool {
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let MembersOptions { tasks, seed, replicas, .. } = *options;
    let weather = Weather { tasks, length, seed, replicas };
    match torment(repo, options.bary.as_deref(), weather, options.json) {
        Ok(Some(said)) => {
            println!("{said}");
            true
        }
        Ok(None) => {
            eprintln!("chaos members: {NOT_ALLOWED}");
            false
        }
        Err(fault) => {
            eprintln!("{fault}");
            false
        }
    }
}

/// The check of `verify`: two short storms.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let mut lines = Vec::new();
    for replicas in [1, 3] {
        match torment(repo, None, Weather { replicas, ..SHORT }, false) {
            Ok(Some(said)) => lines.push(said),
            Ok(None) => return Outcome::Passed(vec![format!("SKIPPED: {NOT_ALLOWED}")]),
            Err(fault) => return Outcome::failure(fault),
        }
    }
    Outcome::Passed(lines)
}

/// Why there is no storm.
const NOT_ALLOWED: &str = "network namespaces (`unshare -rmn`) are not allowed here";

/// Has a storm in a network of its own; what came of it, or nothing where none may be made.
fn torment(
    repo: &Repo,
    bary: Option<&Path>,
    weather: Weather,
    json: bool,
) -> Result<Option<String>, String> {
    let mut probe = Command::new("unshare");
    probe.args(["-rmn", "mount", "-t", "tmpfs", "none", "/run"]);
    if !capture(probe).is_ok_and(|ended| ended.ok) {
        return Ok(None);
    }
    let missing = setup::networks();
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    let built = || repo.program("dev");
    let built = match bary.map_or_else(built, |bary| Program::Ready(bary.into())) {
        Program::Ready(bary) => bary,
        Program::Absent(why) => return Err(why.to_owned()),
        Program::Broken(complaint) => return Err(complaint),
    };
    let folder = super::memory().join(format!("bary-town-{}", std::process::id()));
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    // All lives are of the same program, whatever is built meanwhile.
    let bary = folder.join("bary");
    std::fs::copy(&built, &bary).map_err(failed)?;
    let own = std::env::current_exe().map_err(|cause| format!("xtask: {cause}"))?;
    let mut command = Command::new("unshare");
    command.arg("-rmn").arg(own).arg("members-inside").arg(&folder);
    let Weather { tasks, length, seed, replicas } = weather;
    command.args([tasks.to_string(), length.as_millis().to_string(), seed.to_string()]);
    command.arg(replicas.to_string());
    command.arg(if json { "json" } else { "table" });
    let said = printed(command)
        .map_err(|fault| format!("{fault}\nwhat is left is in {}", folder.display()))?;
    std::fs::remove_dir_all(&folder).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&said).trim_end().to_owned()))
}

/// The part that runs in a network of its own.
pub(crate) fn inside(folder: &Path, weather: Weather, json: bool) -> bool {
    match storm::storm(folder, weather) {
        Ok(report) if report.faults.is_empty() => {
            println!("{}", if json { report.json(weather) } else { report.line(weather) });
            true
        }
        Ok(report) => {
            report.faults.iter().for_each(|fault| println!("{fault}"));
            println!("{}", report.line(weather));
            false
        }
        Err(fault) => {
            println!("{fault}");
            false
        }
    }
}
