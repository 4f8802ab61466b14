//! What this machine is, and how busy it is with what is not ours: its processors beyond this
//! process and all that it started, and its memory. Read from /proc, so that on other systems
//! nothing is known.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bary_model::id::NodeId;
use bary_model::machine;
use bary_model::node::{Busy, NodeInfo};

use crate::probes;

/// What tells how busy the machine of a node is, and what it is.
pub trait Meter: Debug + Send + Sync {
    /// How busy it is, as a mean over the last while; none where that cannot be told. It may take
    /// a while itself, and is asked on a thread that may wait.
    fn busy(&self, node: NodeId) -> Option<Busy>;

    /// What it was found to be so far, at once; as this process finds the machine that it runs on
    /// where nothing else is said.
    fn machine(&self, node: &NodeInfo) -> machine::Machine {
        probes::now().machine(node.resources.milli_gpus)
    }
}

/// This machine, whichever node asks.
#[derive(Debug)]
pub struct Machine {
    /// Where its numbers are.
    proc: PathBuf,
    last: Mutex<Option<(Instant, Reading)>>,
}

/// What was read at one moment: ticks since the machine began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reading {
    /// Of all processors.
    all: u64,
    /// Those in which they did something.
    busy: u64,
    /// Those of this process and all that it started.
    own: u64,
}

/// A reading that is older than this tells of what may long be over.
const STALE: Duration = Duration::from_secs(10);
/// For so long the processors are watched where there is no reading before.
const WATCH: Duration = Duration::from_millis(100);

impl Default for Machine {
    fn default() -> Self {
        Self { proc: PathBuf::from("/proc"), last: Mutex::new(None) }
    }
}

impl Meter for Machine {
    fn busy(&self, _node: NodeId) -> Option<Busy> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.filter(|(at, _)| at.elapsed() < STALE).map(|(_, reading)| reading);
        let before = match last {
            Some(before) => before,
            None => {
                let before = Reading::of(&self.proc, std::process::id())?;
                std::thread::sleep(WATCH);
                before
            }
        };
        let now = Reading::of(&self.proc, std::process::id())?;
        let cpus = now.others_since(before);
        if cpus.is_some() {
            let new = Some((Instant::now(), now));
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
        // Asked twice within a tick, nothing is known of the time between.
        Some(Busy::of(cpus.unwrap_or(0.0), memory(&self.proc)?))
    }
}

impl Reading {
    /// What there is to read now, for a process.
    fn of(proc: &Path, process: u32) -> Option<Self> {
        let text = std::fs::read_to_string(proc.join("stat")).ok()?;
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().map_while(|one| one.parse().ok()).collect();
        // What guests take is in what users do already.
        let all = ticks.iter().take(8).sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Some(Self { all, busy: all - idle, own: ticks_of(proc, process) })
    }

    /// The share of all processors that others kept busy since; none where no time has passed.
    fn others_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        let (busy, own) =
            (self.busy.saturating_sub(before.busy), self.own.saturating_sub(before.own));
        Some(busy.saturating_sub(own) as f64 / all as f64)
    }
}

/// Ticks that a process, what it has waited for and all that it started have taken.
fn ticks_of(proc: &Path, process: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir(proc) else { return 0 };
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut ticks: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in entries.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile is counted by whoever waited for it.
        let Ok(text) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((parent, taken)) = of_process(&text) else { continue };
        children.entry(parent).or_default().push(id);
        ticks.insert(id, taken);
    }
    let (mut sum, mut open) = (0, vec![process]);
    while let Some(one) = open.pop() {
        sum += ticks.remove(&one).unwrap_or(0);
        open.extend(children.remove(&one).unwrap_or_default());
    }
    sum
}

/// The parent of a process and the ticks of it and of what it has waited for, by its line.
fn of_process(stat: &str) -> Option<(u32, u64)> {
    // Its name is in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let ticks: Option<Vec<u64>> = fields.get(11..15)?.iter().map(|one| one.parse().ok()).collect();
    Some((parent, ticks?.iter().sum()))
}

/// The share of memory that is used.
fn memory(proc: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(proc.join("meminfo")).ok()?;
    let of = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().trim_end_matches(" kB").parse::<f64>().ok()
    };
    let (total, available) = (of("MemTotal:")?, of("MemAvailable:")?);
    (total > 0.0).then(|| 1.0 - available / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine as its files say: ticks busy and idle, and its processes by id with their parents
    /// and ticks.
    fn machine(busy: u64, idle: u64, processes: &[(u32, u32, u64)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("there is room for a few files");
        let write = |name: &str, text: String| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
            std::fs::write(path, text).expect("it is written");
        };
        write("stat", format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3 4\n"));
        write("meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n".to_owned());
        for (id, parent, ticks) in processes {
            let rest = format!("0 0 0 0 0 0 0 0 0 {ticks} 0 0 0 20 0");
            write(&format!("{id}/stat"), format!("{id} (a) b) S {parent} {rest}"));
        }
        dir
    }

    #[test]
    fn others_are_what_is_left_of_busy_time_without_the_whole_own_tree() {
        let before = machine(100, 900, &[(7, 1, 10), (8, 7, 0), (9, 8, 5), (20, 1, 50)]);
        let after = machine(300, 1_100, &[(7, 1, 40), (8, 7, 20), (9, 8, 35), (20, 1, 170)]);
        let read = |dir: &tempfile::TempDir| Reading::of(dir.path(), 7).expect("it is there");
        assert_eq!(read(&before), Reading { all: 1_000, busy: 100, own: 15 });
        // 200 of 400 ticks were busy, and 80 of those were ours.
        assert_eq!(read(&after).others_since(read(&before)), Some(0.3));
        assert_eq!(read(&after).others_since(read(&after)), None);
        assert_eq!(memory(after.path()), Some(0.6));
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        let dir = tempfile::tempdir().expect("there is room for a folder");
        assert_eq!(Reading::of(dir.path(), 7), None);
        assert_eq!(memory(dir.path()), None);
        assert_eq!(of_process("7 (name) S"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_can_be_measured() {
        let busy = Machine::default().busy(NodeId(0)).expect("Linux has /proc");
        assert!(busy.cpus <= Busy::WHOLE && (1..Busy::WHOLE).contains(&busy.memory), "{busy:?}");
    }
}
