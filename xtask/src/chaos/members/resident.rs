//! A member of the cluster as a process of its own, which may be killed and started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::land::{Land, address};
use crate::door::Door;

/// A member. It is killed when this is dropped.
pub(crate) struct Resident {
    pub(crate) number: u8,
    bary: PathBuf,
    folder: PathBuf,
    marks: PathBuf,
    /// How many members are to keep its journal.
    replicas: u8,
    child: Option<Child>,
}

/// Tasks that each member runs at a time.
const SLOTS: &str = "2";
/// Longer than any member takes to come up.
const HANG: Duration = Duration::from_secs(120);
/// How often one looks whether it is up.
const LOOK: Duration = Duration::from_millis(5);

impl Resident {
    /// The member of this number, which has never been up.
    pub(crate) fn new(
        town: &Path,
        program: &Path,
        number: u8,
        replicas: u8,
    ) -> Result<Self, String> {
        let folder = town.join(format!("m{number}"));
        fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let (bary, marks) = (program.to_owned(), town.join("marks"));
        Ok(Self { number, bary, folder, marks, replicas, child: None })
    }

    /// Has it be another program from its next start on.
    pub(crate) fn turns_into(&mut self, program: &Path) {
        program.clone_into(&mut self.bary);
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        Self::called(self.number)
    }

    /// What the member of a number is called.
    pub(crate) fn called(number: u8) -> String {
        format!("resident-{number}")
    }

    /// Where callers find it.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// What it said in all its lives.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// How often it came to stand in for another member, in all its lives.
    pub(crate) fn takeovers(&self) -> usize {
        self.log().matches("its jobs go on here after").count()
    }

    /// Starts it with these words, as `up`, and does not wait.
    pub(crate) fn start(&mut self, land: &Land, words: &[&str]) -> Result<(), String> {
        let name = self.name();
        let failed = |cause: std::io::Error| format!("{name} did not start: {cause}");
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let mut command = land.command(self.number, &self.bary);
        let at = format!("{}:8471", address(self.number));
        command.args(words).args(["-j", SLOTS, "--cluster-listen", &at, "--name", &name]);
        if self.replicas > 1 {
            command.args(["--replicas", &self.replicas.to_string()]);
        }
        command.arg("--state").arg(self.state()).arg("--socket").arg(self.socket());
        command.env("CHAOS_MARKS", &self.marks).env("CHAOS_MEMBER", &name);
        command.env_remove("NOTIFY_SOCKET").current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.map_err(failed)?);
        self.child = Some(command.spawn().map_err(failed)?);
        Ok(())
    }

    /// Waits until it answers.
    pub(crate) fn up(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let mut door = Door::at_socket(&self.socket());
        while !door.get("/v1/info").is_ok_and(|answer| answer.status == 200) {
            self.check()?;
            if begun.elapsed() > HANG {
                return Err(format!("{} did not come up: {}", self.name(), last(&self.log())));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Makes sure that it has not ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let ended = self.child.as_mut().map(Child::try_wait).transpose();
        match ended.map(Option::flatten) {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                Err(format!("{} ended with {status}: {}", self.name(), last(&self.log())))
            }
            Err(cause) => Err(format!("{} was not reaped: {cause}", self.name())),
        }
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|cause| format!("{} was not killed: {cause}", self.name()))
    }

    /// Has it stand still where it is.
    pub(crate) fn hold(&self) -> Result<(), String> {
        self.signal("STOP")
    }

    /// Has it go on as if nothing had been.
    pub(crate) fn wake(&self) -> Result<(), String> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        let Some(child) = &self.child else { return Err(format!("{} is down", self.name())) };
        crate::node::signal(child.id(), name)
    }

    /// Has it drain, and waits until it has ended.
    pub(crate) fn drain(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        crate::node::signal(child.id(), "TERM")?;
        let status = child.wait().map_err(|cause| format!("it was not reaped: {cause}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("{} ended with {status}: {}", self.name(), last(&self.log()))),
        }
    }

    /// A command of the program on its state, such as `journal verify`.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program(words);
        command.arg(self.state());
        command
    }

    /// A command of the program.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.bary);
        command.args(words).current_dir(&self.folder).stdin(Stdio::null());
        command.env_remove("BARY_OUTPUT");
        command
    }

    /// The directory of its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        if let Err(fault) = self.kill() {
            eprintln!("{fault}");
        }
    }
}

/// The last lines of a log.
fn last(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}
