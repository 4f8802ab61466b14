//! What is run and killed: small jobs whose results are known, and whose tasks write down that they
//! started.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::chaos::dice::Dice;
use crate::chaos::task::{self, SCRIPT, chain, fibonacci};

/// What a trial runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One command for each of some numbers.
    Commands,
    /// One command for each line of standard input.
    Stream,
    /// One function for each of some numbers.
    Functions,
    /// Commands that wait for others and read their results.
    Graph,
}

/// Each kind.
pub(crate) const KINDS: [Kind; 4] = [Kind::Commands, Kind::Stream, Kind::Functions, Kind::Graph];

/// What stands before the names of the tasks.
const KEY: &str = "t";

/// One job in a directory of its own.
pub(crate) struct Work {
    pub(crate) kind: Kind,
    pub(crate) folder: PathBuf,
    /// How many tasks each of its specs has that is an array.
    count: u64,
    slots: u64,
}

impl Work {
    /// Draws a job and writes its files.
    pub(crate) fn draw(kind: Kind, folder: PathBuf, dice: &mut Dice) -> Result<Self, String> {
        let count = match kind {
            Kind::Commands | Kind::Stream => 6 + dice.below(30),
            Kind::Functions => 20 + dice.below(150),
            Kind::Graph => 3 + dice.below(8),
        };
        let slots = 1 + dice.below(4);
        let made = || {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("task.sh"), SCRIPT)?;
            let lines: String = (1..=count).map(|n| format!("{n}\n")).collect();
            fs::write(folder.join("lines"), lines)?;
            fs::write(folder.join("job.toml"), task::graph("task.sh", KEY, count))
        };
        made().map_err(|cause| format!("{}: {cause}", folder.display()))?;
        Ok(Self { kind, folder, count, slots })
    }

    /// The command that runs it, for the `life`-th time.
    pub(crate) fn command(&self, bary: &Path, life: usize) -> Result<Command, String> {
        let mut command = Command::new(bary);
        let (count, slots) = (format!("1-{}", self.count), self.slots.to_string());
        // The first two of Fibonacci's numbers are equal, and would be the same line.
        let from_two = format!("2-{}", self.count);
        let words: &[&str] = match self.kind {
            Kind::Commands => &["map", "--array", &count, "sh", "task.sh", "t/{}", "plain"],
            Kind::Stream => &["map", "sh", "task.sh", "t/{}", "plain"],
            Kind::Functions => &["map", "--array", &from_two, "--function", "fibonacci", "{}"],
            Kind::Graph => &["run", "job.toml"],
        };
        command.args(&words[..1]).args(["--state", "state", "-j", &slots]).args(&words[1..]);
        let input = match self.kind {
            Kind::Stream => File::open(self.folder.join("lines")).map(Stdio::from),
            _ => Ok(Stdio::null()),
        };
        command.stdin(input.map_err(|cause| format!("the input: {cause}"))?);
        command.current_dir(&self.folder);
        command.env("CHAOS_MARKS", self.marks()).env("CHAOS_LIFE", life.to_string());
        command.env("XDG_STATE_HOME", self.folder.join("home")).env_remove("BARY_OUTPUT");
        Ok(command)
    }

    /// A command that looks at the journal.
    pub(crate) fn journal(&self, bary: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(bary);
        command.arg("journal").args(words).arg("state").current_dir(&self.folder);
        command.stdin(Stdio::null()).env_remove("BARY_OUTPUT");
        command
    }

    /// How many tasks there are.
    pub(crate) fn tasks(&self) -> u64 {
        match self.kind {
            Kind::Commands | Kind::Stream => self.count,
            Kind::Functions => self.count - 1,
            Kind::Graph => 3 * self.count + 1,
        }
    }

    /// Where tasks write down that they started.
    pub(crate) fn marks(&self) -> PathBuf {
        self.folder.join("marks")
    }

    /// The lines that a run prints in the end, each once, in any order.
    pub(crate) fn results(&self) -> BTreeSet<String> {
        let each = 1..=self.count;
        match self.kind {
            Kind::Commands | Kind::Stream => each.map(|n| format!("{KEY}/{n}")).collect(),
            Kind::Functions => each.skip(1).map(|n| fibonacci(n).to_string()).collect(),
            Kind::Graph => {
                let chains = each.map(|n| chain(&format!("{KEY}/c{n}")));
                chains.chain(["c:".to_owned(), format!("d: {KEY}/d")]).collect()
            }
        }
    }

    /// Which task a line of output is of, where that can be told.
    pub(crate) fn task_of(&self, line: &str) -> Option<Task> {
        match self.kind {
            Kind::Commands | Kind::Stream => self.task_named(line),
            Kind::Functions | Kind::Graph => None,
        }
    }

    /// Which task a name in the marks is of.
    pub(crate) fn task_named(&self, name: &str) -> Option<Task> {
        let task = name.strip_prefix(KEY)?.strip_prefix('/')?;
        let number = |index: &str| index.parse::<Task>().ok()?.checked_sub(1);
        match self.kind {
            Kind::Graph if task == "d" => Some(3 * self.count),
            Kind::Graph => {
                let spec = ["a", "b", "c"].iter().position(|spec| task.starts_with(spec))?;
                Some(spec as Task * self.count + number(&task[1..])?)
            }
            Kind::Commands | Kind::Stream | Kind::Functions => number(task),
        }
    }
}

/// A task's number: tasks are numbered through, those of the first spec first.
pub(crate) type Task = u64;
