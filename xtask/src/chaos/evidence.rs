//! What the tasks of a trial wrote down, what its journal says, and what of that must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

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
                faults.push(format!(
                    "task {task} ended in life {end} and was started in life {life}"
                ));
            }
            let once: BTreeSet<_> = lives.iter().collect();
            if once.len() < lives.len() {
                faults.push(format!("task {task} was started in lives {lives:?}"));
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
    let (mut ended, mut firsts) = (BTreeSet::new(), vec![0]);
    for line in String::from_utf8_lossy(history).lines() {
        let entry: Value =
            serde_json::from_str(line).map_err(|fault| format!("a line of the export: {fault}"))?;
        for record in entry["fact"]["Appended"]["records"].as_array().into_iter().flatten() {
            for kind in ["Submitted", "Extended"] {
                // Bodies and inputs, which specs share, come before the specs.
                for spec in record[kind]["specs"][2].as_array().into_iter().flatten() {
                    let last = firsts.last().copied().unwrap_or_default();
                    firsts.push(last + spec["count"].as_u64().unwrap_or_default());
                }
            }
            for item in record["Ended"]["items"].as_array().into_iter().flatten() {
                end(item, &firsts, &mut ended)?;
            }
        }
    }
    Ok(ended)
}

/// Notes the tasks of one item; `firsts` has the number of each spec's first task.
fn end(item: &Value, firsts: &[Task], ended: &mut BTreeSet<Task>) -> Result<(), String> {
    let number = |key: &str| item["range"][key].as_u64();
    let place = number("spec").zip(number("first")).zip(number("count"));
    let first = place.and_then(|((spec, _), _)| firsts.get(spec as usize));
    let (Some(first), Some(((spec, index), count))) = (first, place) else {
        return Err(format!("a record has no range: {item}"));
    };
    for task in first + index..first + index + count {
        if !ended.insert(task) {
            return Err(format!("task {task}, of spec {spec}, ended twice in the journal"));
        }
    }
    Ok(())
}

/// Processes that still have the variable that names these marks in their environment, once
/// everything has ended.
#[cfg(target_os = "linux")]
pub(crate) fn left(marks: &Path) -> Vec<String> {
    let mark = format!("CHAOS_MARKS={}", marks.display());
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
pub(crate) fn left(_marks: &Path) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::{Marks, Promised, durable};
    use crate::chaos::dice::Dice;
    use crate::chaos::work::{Kind, Work};

    fn marks(text: &str) -> Marks {
        let folder = tempfile::tempdir().expect("there is room");
        let drawn = Work::draw(Kind::Commands, folder.path().to_owned(), &mut Dice::new(1));
        Marks::parse(&drawn.expect("there is room"), text)
    }

    #[test]
    fn a_start_that_nothing_called_for_is_found() {
        let seen = marks("s t/1 0\ns t/2 0\nz - 0\ns t/2 1\n");
        assert_eq!((seen.faults.len(), seen.repeated()), (0, 1));
        assert_eq!(seen.unwanted(&Promised::from([(0, 0), (1, 1)])), Vec::<String>::new());
        assert_eq!(seen.unwanted(&Promised::from([(1, 0)])).len(), 1, "it had ended in life 0");
        assert_eq!(marks("s t/1 0\ns t/1 0\n").unwanted(&Promised::new()).len(), 1, "twice");
    }

    #[test]
    fn a_process_of_an_earlier_life_is_found_at_work() {
        assert_eq!(marks("s t/1 0\nz - 0\ns t/1 1\nz - 1\n").faults.len(), 0);
        assert_eq!(marks("s t/1 0\nz - 0\ns t/1 1\nz - 0\n").faults.len(), 1);
        assert_eq!(marks("s t/1\n").faults.len(), 1);
    }

    #[test]
    fn ends_are_numbered_through_and_each_counts_once() {
        let submitted = r#"{"Submitted":{"specs":[[],[],[{"count":3},{"count":2}]]}}"#;
        let ended = |spec: u64, first: u64, count: u64| {
            let range = format!(r#"{{"spec":{spec},"first":{first},"count":{count}}}"#);
            format!(r#"{{"Ended":{{"items":[{{"range":{range}}}]}}}}"#)
        };
        let line = |records: &[String]| {
            let records = records.join(",");
            format!(r#"{{"fact":{{"Appended":{{"records":[{submitted},{records}]}}}}}}"#)
        };
        let sound = durable(line(&[ended(0, 1, 2), ended(1, 1, 1)]).as_bytes());
        assert_eq!(sound.map(Vec::from_iter), Ok(vec![1, 2, 4]));
        assert!(durable(line(&[ended(0, 1, 2), ended(0, 2, 1)]).as_bytes()).is_err());
    }
}
