//! Kept runs: a directory for each, with what was run and every event, for `bary why`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::limits;

pub(crate) mod event;
pub(crate) mod utc;

/// Writes the events of a run as they come.
#[derive(Debug)]
pub(crate) struct Keeper {
    directory: PathBuf,
    events: BufWriter<File>,
}

/// The file that events are in.
pub(crate) const EVENTS: &str = "events.jsonl";
/// The file that says what was run.
pub(crate) const RUN: &str = "run.json";

/// Where runs are kept: the given directory, else the user's state directory.
pub(crate) fn runs(state: Option<&Path>) -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let from_environment = || {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let state = state.filter(|path| path.is_absolute());
        state.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("bary")
    };
    state.map_or_else(from_environment, Path::to_owned).join("runs")
}

/// The names of the kept runs, the oldest first.
pub(crate) fn list(runs: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        if let (true, Ok(name)) =
            (entry.path().join(EVENTS).is_file(), entry.file_name().into_string())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

impl Keeper {
    /// Makes the directory of a new run and removes the oldest ones past the limit.
    pub(crate) fn create(runs: &Path, name: &str, now: SystemTime) -> io::Result<Self> {
        fs::create_dir_all(runs)?;
        let stamp = utc::stamp(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = name.chars().take(40).map(safe).collect();
        let directory = unused(runs, &format!("{stamp}-{name}"))?;
        let events = BufWriter::new(File::create(directory.join(EVENTS))?);
        let kept = list(runs)?;
        for old in kept.iter().take(kept.len().saturating_sub(limits::RUNS_KEPT_MAX)) {
            fs::remove_dir_all(runs.join(old))?;
        }
        Ok(Self { directory, events })
    }

    pub(crate) fn write(&mut self, line: &str) -> io::Result<()> {
        self.events.write_all(line.as_bytes())
    }

    /// Writes what was run and what came of it. Where the run is.
    pub(crate) fn finish(mut self, run: &Value) -> io::Result<PathBuf> {
        self.events.flush()?;
        fs::write(self.directory.join(RUN), format!("{run:#}\n"))?;
        Ok(self.directory)
    }
}

/// Makes a directory under a name that none has yet: two runs may begin in one millisecond.
fn unused(runs: &Path, name: &str) -> io::Result<PathBuf> {
    for attempt in 0..100 {
        let directory = match attempt {
            0 => runs.join(name),
            attempt => runs.join(format!("{name}.{attempt}")),
        };
        match fs::create_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| directory),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
