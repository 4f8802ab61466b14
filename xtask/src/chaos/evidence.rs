//! What the tasks of a trial wrote down, what its journal says, and what of that must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::chaos::work::{Task, Work};

/// A task's end that was promised: told on standard output, or durable in the journal, by the end
/// of this life.
pub(crate) type Promised = BTreeMap<Task, usize>;

/// What the marks say.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// In which lives each task was started, each start once.
    pub(crate) starts: BTreeMap<Task, Vec<usize>>,
    /// What must not be.
    pub(crate) faults: Vec<String>,
}

impl Marks {
    /// Reads them; tasks that were never started have none.
    pub(crate) fn read(work: &Work) -> Result<Self, String> {
        let path = work.marks();
        match fs::read(&path) {
            Ok(bytes) => Ok(Self::parse(work, &String::from_utf8_lossy(&bytes))),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(format!("{}: {cause}", path.display())),
        }
    }

    /// Lines are in the order in which they were written, since each is one append.
    fn parse(work: &Work, text: &str) -> Self {
        let mut marks = Self::default();
        let mut latest = 0;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let life = words.get(2).and_then(|life| life.parse::<usize>().ok());
            match (words.first(), life) {
                (Some(&"s"), Some(life)) => match work.task_named(words[1]) {
                    Some(task) => {
                        latest = latest.max(life);
                        marks.starts.entry(task).or_default().push(life);
                    }
                    None => marks.faults.push(format!("a mark names no task: `{line}`")),
                },
                (Some(&"z"), Some(life)) if life < latest => marks.faults.push(format!(
                    "a process that life {life} left behind was at work after life {latest} had \
                     started a task"
                )),
                (Some(&"z"), Some(_)) => {}
                _ => marks.faults.push(format!("a mark cannot be read: `{line}`")),
            }
        }
        marks.faults.truncate(5);
        marks
    }

    /// Starts that nothing called for: after a promise, or twice in one life.
    pub(crate) fn unwanted(&self, promised: &Promised) -> Vec<String> {
        let mut faults = Vec::new();
        for (task, lives) in &self.starts {
            let end = promised.get(task).copied().unwrap_or(usize::MAX);
            if let Some(life) = lives.iter().find(|life| **life > end) {
                faults.push(format!("{task:?} ended in life {end} and was started in life {life}"));
            }
            let once: BTreeSet<_> = lives.iter().collect();
            if once.len() < lives.len() {
                faults.push(format!("{task:?} was started in lives {lives:?}"));
            }
        }
        faults
    }

    /// How many starts there were beyond the first of each task.
    pub(crate) fn repeated(&self) -> u64 {
        self.starts.values().map(|lives| lives.len() as u64 - 1).sum()
    }
}

/// The tasks whose ends are durable, from a history; an error where a task has two.
pub(crate) fn durable(history: &[u8]) -> Result<BTreeSet<Task>, String> {
    let mut ended = BTreeSet::new();
    for line in String::from_utf8_lossy(history).lines() {
        let entry: Value =
            serde_json::from_str(line).map_err(|fault| format!("a line of the export: {fault}"))?;
        let records = entry["fact"]["Appended"]["records"].as_array().into_iter().flatten();
        let items = records.filter_map(|record| record["Ended"]["items"].as_array()).flatten();
        for item in items {
            let number = |key: &str| item["range"][key].as_u64();
            let (Some(spec), Some(first), Some(count)) =
                (number("spec"), number("first"), number("count"))
            else {
                return Err(format!("a record has no range: {item}"));
            };
            for index in first..first + count {
                if !ended.insert(Task { spec, index }) {
                    return Err(format!("spec {spec}, index {index} ended twice in the journal"));
                }
            }
        }
    }
    Ok(ended)
}

/// Processes that still have the trial's variable in their environment, once a run has ended.
#[cfg(target_os = "linux")]
pub(crate) fn left(work: &Work) -> Vec<String> {
    let mark = format!("CHAOS_MARKS={}", work.marks().display());
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|&byte| byte == 0).any(|var| var == mark.as_bytes()) {
            left.push(format!("process {} is left", entry.file_name().to_string_lossy()));
        }
    }
    left
}

/// Elsewhere nobody can tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn left(_work: &Work) -> Vec<String> {
    Vec::new()
}
