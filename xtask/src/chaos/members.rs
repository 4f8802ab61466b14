//! `chaos members`, `chaos rolling` and `chaos leader`: five members of a cluster, each in a
//! network namespace of its own, are killed, cut off and slowed down, replaced by those of another
//! program, or lose their leader, while callers submit and ask, and lose nothing.

mod book;
mod capture;
mod company;
mod hand;
mod judge;
mod land;
mod leader;
mod playback;
mod recall;
mod relay;
mod resident;
mod rolling;
mod sky;
mod storm;
mod town;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::check::Outcome;
use crate::process::{capture, printed};
use crate::repo::{Program, Repo};
use crate::setup;
pub(crate) use leader::Flap;
pub(crate) use rolling::Roll;
pub(crate) use storm::Weather;

/// What befalls the members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Play {
    /// They are killed and cut off, and their network fails.
    Storm(Weather),
    /// They are replaced one by one.
    Rolling(Roll),
    /// Whoever leads them is killed.
    Leader(Flap),
}

/// What `chaos members` and its kin are asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct MembersOptions {
    pub(crate) play: Play,
    /// The command to torment; the one of the development profile where absent.
    pub(crate) bary: Option<PathBuf>,
    /// The command as an earlier version has it, for a rolling restart.
    pub(crate) old: Option<PathBuf>,
    /// Print JSON instead of lines.
    pub(crate) json: bool,
}

impl Default for MembersOptions {
    fn default() -> Self {
        Self { play: Play::Storm(Weather::default()), bary: None, old: None, json: false }
    }
}

/// What came of it.
#[derive(Debug)]
struct Said {
    /// What must not be.
    faults: Vec<String>,
    /// All of it in words.
    line: String,
    /// All of it as a document.
    json: Value,
}

/// The storm that `verify` has, and once more where three members keep each journal.
const SHORT: Weather =
    Weather { tasks: 300, length: Duration::from_secs(20), seed: 0, replicas: 1 };
/// Most faults that are told of one by one.
const TOLD_MAX: usize = 20;
/// What the command is called in the folder of a play.
const PROGRAM: &str = "bary";
/// What that of an earlier version is called there.
const OLD_PROGRAM: &str = "bary-old";

impl Play {
    /// What it is called.
    fn name(self) -> &'static str {
        match self {
            Self::Storm(_) => "members",
            Self::Rolling(_) => "rolling",
            Self::Leader(_) => "leader",
        }
    }

    /// How the part that runs in a network of its own is told of it.
    pub(crate) fn words(self) -> Vec<String> {
        let millis = |length: Duration| length.as_millis().to_string();
        match self {
            Self::Storm(Weather { tasks, length, seed, replicas }) => vec![
                "storm".to_owned(),
                millis(length),
                seed.to_string(),
                tasks.to_string(),
                replicas.to_string(),
            ],
            Self::Rolling(Roll { length, seed }) => {
                vec!["rolling".to_owned(), millis(length), seed.to_string()]
            }
            Self::Leader(Flap { length, seed }) => {
                vec!["leader".to_owned(), millis(length), seed.to_string()]
            }
        }
    }

    fn inside(self, folder: &Path) -> Result<Said, String> {
        match self {
            Self::Storm(weather) => storm::storm(folder, weather),
            Self::Rolling(roll) => rolling::roll(folder, roll),
            Self::Leader(flap) => leader::flap(folder, flap),
        }
    }
}

/// Torments members and says whether all is well.
pub(crate) fn chaos(repo: &Repo, options: &MembersOptions) -> bool {
    match torment(repo, options) {
        Ok(Some(said)) => {
            println!("{said}");
            true
        }
        Ok(None) => {
            eprintln!("chaos {}: {NOT_ALLOWED}", options.play.name());
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
        let play = Play::Storm(Weather { replicas, ..SHORT });
        match torment(repo, &MembersOptions { play, ..MembersOptions::default() }) {
            Ok(Some(said)) => lines.push(said),
            Ok(None) => return Outcome::Passed(vec![format!("SKIPPED: {NOT_ALLOWED}")]),
            Err(fault) => return Outcome::failure(fault),
        }
    }
    Outcome::Passed(lines)
}

/// Why there is no storm.
const NOT_ALLOWED: &str = "network namespaces (`unshare -rmn`) are not allowed here";

/// Torments members in a network of their own; what came of it, or nothing where none may be made.
fn torment(repo: &Repo, options: &MembersOptions) -> Result<Option<String>, String> {
    let mut probe = Command::new("unshare");
    probe.args(["-rmn", "mount", "-t", "tmpfs", "none", "/run"]);
    if !capture(probe).is_ok_and(|ended| ended.ok) {
        return Ok(None);
    }
    let missing = setup::networks();
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    let built = match options.bary.clone().map_or_else(|| repo.program("dev"), Program::Ready) {
        Program::Ready(bary) => bary,
        Program::Absent(why) => return Err(why.to_owned()),
        Program::Broken(complaint) => return Err(complaint),
    };
    if let Some(old) = &options.old {
        differ(old, &built)?;
    }
    let folder = super::memory().join(format!("bary-town-{}", std::process::id()));
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    // All lives are of the same programs, whatever is built meanwhile.
    copy(&built, &folder.join(PROGRAM))?;
    if let Some(old) = &options.old {
        copy(old, &folder.join(OLD_PROGRAM))?;
    }
    let own = std::env::current_exe().map_err(|cause| format!("xtask: {cause}"))?;
    let mut command = Command::new("unshare");
    command.arg("-rmn").arg(own).arg("members-inside").arg(&folder);
    command.arg(if options.json { "json" } else { "table" }).args(options.play.words());
    let said = printed(command)
        .map_err(|fault| format!("{fault}\nwhat is left is in {}", folder.display()))?;
    fs::remove_dir_all(&folder).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&said).trim_end().to_owned()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|cause| format!("{}: {cause}", from.display()))
}

/// Refuses to replace a program by itself, which would show nothing.
fn differ(old: &Path, new: &Path) -> Result<(), String> {
    let read = |path: &Path| fs::read(path).map_err(|cause| format!("{}: {cause}", path.display()));
    if read(old)? == read(new)? {
        let (old, new) = (old.display(), new.display());
        return Err(format!("--old {old} is the same program as {new}: give one of before it"));
    }
    Ok(())
}

/// The part that runs in a network of its own.
pub(crate) fn inside(folder: &Path, play: Play, json: bool) -> bool {
    match play.inside(folder) {
        Ok(said) => {
            said.faults.iter().take(TOLD_MAX).for_each(|fault| println!("{fault}"));
            let more = said.faults.len().saturating_sub(TOLD_MAX);
            if more > 0 {
                println!("and {more} more");
            }
            match json && said.faults.is_empty() {
                true => println!("{:#}", said.json),
                false => println!("{}", said.line),
            }
            said.faults.is_empty()
        }
        Err(fault) => {
            println!("{fault}");
            false
        }
    }
}
