//! A node that stays, as a process of its own, which may be killed and started again.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::door::Door;
use crate::process::capture;

/// A node over the state of a folder. It is killed when this is dropped.
pub(crate) struct Node {
    bary: PathBuf,
    folder: PathBuf,
    address: String,
    child: Option<Child>,
}

/// Longer than any node takes to come up.
const HANG: Duration = Duration::from_secs(120);
/// How often one looks whether it is up.
const LOOK: Duration = Duration::from_millis(1);

impl Node {
    /// A node that has not been started yet; its folder is made.
    pub(crate) fn new(bary: &Path, folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let (bary, folder) = (bary.to_owned(), folder.to_owned());
        Ok(Self { bary, folder, address: address()?, child: None })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The folder that holds its state.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The directory of its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The file that holds its token, once it was up.
    pub(crate) fn token(&self) -> PathBuf {
        self.state().join("token")
    }

    /// What it said in all its lives.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("node.log")).unwrap_or_default()
    }

    /// The number of its process; 0 where there is none.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Starts it with these flags and variables, and does not wait.
    pub(crate) fn start(&mut self, flags: &[&str], env: &[(&str, &str)]) -> Result<(), String> {
        let failed = |cause: std::io::Error| format!("the node did not start: {cause}");
        let log = File::options().create(true).append(true).open(self.folder.join("node.log"));
        let mut command = Command::new(&self.bary);
        command.args(["up", "--listen", &self.address, "--no-socket", "--state"]);
        command.arg(self.state()).args(flags).envs(env.iter().copied());
        command.current_dir(&self.folder).env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.map_err(failed)?);
        self.child = Some(command.spawn().map_err(failed)?);
        Ok(())
    }

    /// Waits until it answers; the caller at its door, who is its admin.
    pub(crate) fn up(&mut self) -> Result<Door, String> {
        let begun = Instant::now();
        loop {
            if let Ok(token) = fs::read_to_string(self.token()) {
                let mut door = Door::new(&self.address, token.trim());
                if door.get("/v1/info").is_ok_and(|answer| answer.status == 200) {
                    return Ok(door);
                }
            }
            if let Some(status) = self.ended()? {
                return Err(format!("the node ended with {status}: {}", last(&self.log())));
            }
            if begun.elapsed() > HANG {
                return Err(format!("the node did not answer within {} s", HANG.as_secs()));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Starts it and waits until it answers.
    pub(crate) fn begin(&mut self, flags: &[&str], env: &[(&str, &str)]) -> Result<Door, String> {
        self.start(flags, env)?;
        self.up()
    }

    /// How it ended, where it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        let ended = self.child.as_mut().map(Child::try_wait).transpose();
        ended.map(Option::flatten).map_err(|cause| format!("the node was not reaped: {cause}"))
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|cause| format!("the node was not killed: {cause}"))
    }

    /// Has it drain, and waits until it has ended.
    pub(crate) fn drain(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        signal(child.id(), "TERM")?;
        let status = child.wait().map_err(|cause| format!("the node was not reaped: {cause}"))?;
        if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
    }

    /// A command of the program.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(&self.bary);
        command.current_dir(&self.folder).stdin(Stdio::null()).env_remove("BARY_OUTPUT");
        command
    }

    /// A command of the program on its state, such as `journal verify`.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program();
        command.args(words).arg(self.state());
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(fault) = self.kill() {
            eprintln!("{fault}");
        }
    }
}

/// Sends a signal by name to a process.
pub(crate) fn signal(pid: u32, name: &str) -> Result<(), String> {
    let mut command = Command::new("kill");
    command.args(["-s", name, &pid.to_string()]);
    let ended = capture(command).map_err(|fault| fault.to_string())?;
    if ended.ok { Ok(()) } else { Err(ended.output.trim_end().to_owned()) }
}

/// A port of this machine that is free, and that the system gives to nobody by itself while a node
/// is down.
fn address() -> Result<String, String> {
    /// Below the ports that systems hand out.
    const PORTS: std::ops::Range<u32> = 20_000..30_000;
    let first = std::process::id();
    for offset in 0..PORTS.end - PORTS.start {
        let port = PORTS.start + (first.wrapping_mul(7) + offset) % (PORTS.end - PORTS.start);
        let address = format!("127.0.0.1:{port}");
        match TcpListener::bind(&address) {
            Ok(_) => return Ok(address),
            Err(cause) if cause.kind() == ErrorKind::AddrInUse => {}
            Err(cause) => return Err(format!("{address}: {cause}")),
        }
    }
    Err("no port is free".to_owned())
}

/// The last lines of a log.
fn last(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

/// Resident memory of a process in bytes, and how many descriptors it has.
pub(crate) fn burden(pid: u32) -> Result<(u64, u64), String> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let kib = kib.ok_or_else(|| format!("{path} tells no memory"))?;
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).map_err(|cause| format!("{pid}: {cause}"))?;
    Ok((kib << 10, fds.count() as u64))
}
