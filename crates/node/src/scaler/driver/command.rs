//! A command of the user's that starts and stops members, as on machines that are rented: it runs
//! in a shell, with what it is to do in its environment, for no longer than it may.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bary_identity::join_line::JoinLine;

use super::{DriveError, Driver};
use crate::serve::log::{Level, Log};

/// What is logged of its output at most; the rest is read and thrown away.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The command.
pub(in crate::scaler) struct UserCommand {
    pub(in crate::scaler) text: Option<Box<str>>,
    pub(in crate::scaler) timeout: Duration,
    pub(in crate::scaler) log: Log,
}

impl UserCommand {
    fn run(&self, act: &str, name: &str, line: Option<&JoinLine>) -> Result<(), DriveError> {
        let text = self.text.as_deref().ok_or(DriveError::NoCommand)?;
        let mut command = Command::new("sh");
        command.args(["-c", text]).env("BARY_SCALE", act).env("BARY_NODE", name);
        command.env_remove("BARY_TOKEN").env_remove("NOTIFY_SOCKET");
        match line {
            Some(line) => command.env("BARY_JOIN", line.reveal()),
            None => command.env_remove("BARY_JOIN"),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(DriveError::machine("no shell was started"))?;
        let status = self.wait(name, child)?;
        if status.success() { Ok(()) } else { Err(DriveError::Ended(status)) }
    }

    /// Waits until it has ended, and logs what it prints.
    fn wait(&self, name: &str, mut child: Child) -> Result<ExitStatus, DriveError> {
        // What it leaves behind may hold its output open: nobody waits for that.
        child.stdout.take().map(|out| self.logged(name, out)).transpose()?;
        child.stderr.take().map(|err| self.logged(name, err)).transpose()?;
        let until = Instant::now() + self.timeout;
        loop {
            match child.try_wait().map_err(DriveError::machine("it cannot be waited for"))? {
                Some(status) => return Ok(status),
                None if Instant::now() >= until => {
                    kill(&mut child);
                    return Err(DriveError::Late(self.timeout));
                }
                None => std::thread::sleep(LOOK),
            }
        }
    }

    /// Logs what comes, line by line, from a thread of its own.
    fn logged(&self, name: &str, from: impl Read + Send + 'static) -> Result<(), DriveError> {
        let (name, log) = (name.to_owned(), self.log);
        let read = move || {
            let mut all = BufReader::new(from);
            let mut lines = all.by_ref().take(OUTPUT_BYTES_MAX);
            let mut line = Vec::new();
            // What cannot be read has ended.
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line);
                let text: String = text.chars().filter(|c| !c.is_control()).collect();
                log.say(Level::Info, &format!("driver of {name}: {text}"), &[]);
                line.clear();
            }
            drop(std::io::copy(&mut all, &mut std::io::sink()));
        };
        let spawned = std::thread::Builder::new().name("bary-driver".into()).spawn(read);
        spawned.map(drop).map_err(DriveError::machine("no thread was given"))
    }
}

impl Driver for UserCommand {
    fn add(&self, name: &str, line: &JoinLine) -> Result<(), DriveError> {
        self.run("add", name, Some(line))
    }

    fn remove(&self, name: &str) -> Result<(), DriveError> {
        self.run("remove", name, None)
    }
}

/// Kills a process, and what it started in its group.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        use rustix::process::{Pid, Signal, kill_process_group};
        // It is not reaped yet, so that the number is its own.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let _: Option<Result<(), Errno>> = pid.map(|pid| kill_process_group(pid, Signal::KILL));
    }
    // One that has ended needs no killing.
    drop(child.kill());
    drop(child.wait());
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::{DriveError, Driver as _, Log, UserCommand};
    use crate::serve::log::LogFormat;

    fn command(text: Option<&str>, timeout: Duration) -> UserCommand {
        let log = Log { format: LogFormat::Text };
        UserCommand { text: text.map(Into::into), timeout, log }
    }

    #[test]
    fn it_runs_with_what_it_is_to_do_and_how_it_ended_counts() {
        let long = Duration::from_secs(60);
        let text = "test \"$BARY_SCALE $BARY_NODE ${BARY_JOIN-none}\" = 'remove auto-1 none'";
        assert!(command(Some(text), long).remove("auto-1").is_ok());
        let ended = command(Some("exit 3"), long).remove("auto-1");
        assert!(matches!(ended, Err(DriveError::Ended(status)) if status.code() == Some(3)));
        let none = command(None, long).remove("auto-1");
        assert!(matches!(none, Err(DriveError::NoCommand)));
    }

    #[test]
    fn one_that_takes_too_long_is_killed_with_all_that_it_started() {
        let late = command(Some("sleep 600 & sleep 600"), Duration::from_millis(1));
        assert!(matches!(late.remove("auto-1"), Err(DriveError::Late(_))));
    }
}
