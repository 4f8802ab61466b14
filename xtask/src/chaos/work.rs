//! What is run and killed: small jobs whose results are known, and whose tasks write down that they
//! started.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::chaos::dice::Dice;

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

/// The script that each task is: it writes down that it started, some leave a process behind that
/// goes on writing, some take a little longer, and all print something.
const SCRIPT: &str = r#"echo "s $1/$2 $CHAOS_LIFE" >>"$CHAOS_MARKS"
case $(($2 % 5)) in
1) setsid sh -c 'while :; do echo "z - $CHAOS_LIFE" >>"$CHAOS_MARKS"; sleep 0.02; done' \
    >/dev/null 2>&1 </dev/null & sleep 0.01 ;;
2) sleep 0.02 ;;
3) env -u CHAOS_LIFE setsid sleep 1000 >/dev/null 2>&1 </dev/null & ;;
esac
echo "$1$2$3"
"#;

/// A job file: `b` reads what `a` gave and `c` what `b` gave, index by index; `d` waits for all of
/// `b`.
const JOB: &str = r#"[[task]]
name = "a"
array = "1-COUNT"
command = ["sh", "task.sh", "a", "{index}"]

[[task]]
name = "b"
after = [{ task = "a", aligned = true }]
array = "1-COUNT"
command = ["sh", "task.sh", "b", "{index}", "{result.a}"]

[[task]]
name = "c"
after = [{ task = "b", aligned = true }]
array = "1-COUNT"
command = ["sh", "task.sh", "c", "{index}", "{result.b}"]

[[task]]
name = "d"
after = "b"
command = ["sh", "task.sh", "d", "0"]
"#;

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
            fs::write(folder.join("job.toml"), JOB.replace("COUNT", &count.to_string()))
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
            Kind::Commands => &["map", "--array", &count, "sh", "task.sh", "t", "{}"],
            Kind::Stream => &["map", "sh", "task.sh", "t", "{}"],
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
            Kind::Commands | Kind::Stream => each.map(|n| format!("t{n}")).collect(),
            Kind::Functions => each.skip(1).map(|n| fibonacci(n).to_string()).collect(),
            Kind::Graph => {
                let chains = each.map(|n| format!("c{n}b{n}a{n}"));
                chains.chain(["c:".to_owned(), "d: d0".to_owned()]).collect()
            }
        }
    }

    /// Which task a line of output is of, where that can be told.
    pub(crate) fn task_of(&self, line: &str) -> Option<Task> {
        match self.kind {
            Kind::Commands | Kind::Stream => line.get(1..)?.parse::<Task>().ok()?.checked_sub(1),
            Kind::Functions | Kind::Graph => None,
        }
    }

    /// Which task a name in the marks is of.
    pub(crate) fn task_named(&self, name: &str) -> Option<Task> {
        let (spec, index) = name.split_once('/')?;
        let specs_before = match spec {
            "t" | "a" => 0,
            "b" => 1,
            "c" => 2,
            "d" => return Some(3 * self.count),
            _ => return None,
        };
        (specs_before * self.count + index.parse::<Task>().ok()?).checked_sub(1)
    }
}

/// A task's number: tasks are numbered through, those of the first spec first.
pub(crate) type Task = u64;

fn fibonacci(n: u64) -> u128 {
    let (mut this, mut next) = (0_u128, 1_u128);
    for _ in 0..n {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}
