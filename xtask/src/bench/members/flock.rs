//! Members of one cluster on this machine, as `bary up --local` brings them up, over states that
//! are gone when this is dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::door::Door;

/// The members, which are called `node-1` and so on.
pub(crate) struct Flock {
    count: u32,
    bary: PathBuf,
    folder: PathBuf,
    process: Child,
    /// Those that were killed and have come back, as processes of their own.
    back: Vec<Child>,
}

/// Longer than any members take to come up and meet.
const HANG: Duration = Duration::from_secs(60);
/// How often one looks whether they are.
const LOOK: Duration = Duration::from_millis(10);
/// Brings up the loopback of a network of its own, and becomes what follows.
const APART: &str = "ip link set lo up && exec \"$@\"";

impl Flock {
    /// Brings up so many members of one slot, and waits until each sees all others.
    pub(crate) fn up(bary: &Path, count: u32) -> Result<Self, String> {
        Self::begin(bary, Command::new(bary), count, &[])
    }

    /// The same, each of which has two others keep its jobs.
    pub(crate) fn kept(bary: &Path, count: u32) -> Result<Self, String> {
        Self::begin(bary, Command::new(bary), count, &["--replicas", "3"])
    }

    /// The same in a network that nobody else has, so that what crosses it is theirs.
    pub(crate) fn apart(bary: &Path, count: u32) -> Result<Self, String> {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", APART, "sh"]).arg(bary);
        Self::begin(bary, command, count, &[])
    }

    fn begin(bary: &Path, mut command: Command, count: u32, more: &[&str]) -> Result<Self, String> {
        let name = format!("bary-flock-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let log = std::fs::File::create(folder.join("log")).map_err(failed)?;
        command.args(["up", "--local", &count.to_string(), "-j", "1", "--listen", "127.0.0.1:0"]);
        command.args(more).arg("--state").arg(folder.join("states"));
        command.arg("--socket").arg(folder.join("socket"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().map_err(|cause| format!("members: {cause}"))?;
        let flock = Self { count, bary: bary.to_owned(), folder, process, back: Vec::new() };
        flock.meet()?;
        Ok(flock)
    }

    fn meet(&self) -> Result<(), String> {
        let begun = Instant::now();
        for number in 1..=self.count {
            while !self.sees_all(number) {
                if begun.elapsed() > HANG {
                    let log = std::fs::read_to_string(self.folder.join("log"));
                    let log = log.unwrap_or_default();
                    return Err(format!("{} members did not meet: {log}", self.count));
                }
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    fn sees_all(&self, number: u32) -> bool {
        let told = self.door(number).get("/v1/nodes").ok().and_then(|told| told.json().ok());
        told.is_some_and(|told| {
            let nodes = told["nodes"].as_array().into_iter().flatten();
            nodes.filter(|node| node["state"] == "up").count() == self.count as usize
        })
    }

    /// A caller at a member.
    pub(crate) fn door(&self, number: u32) -> Door {
        Door::at_socket(&match number {
            1 => self.folder.join("socket"),
            _ => self.folder.join(format!("states/node-{number}/bary.sock")),
        })
    }

    /// Where files of a measurement may lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills the process of a member by its name.
    pub(crate) fn kill(&mut self, name: &str) -> Result<(), String> {
        let number = name.trim_start_matches("node-");
        let own = self.process.id();
        let path = format!("/proc/{own}/task/{own}/children");
        let children =
            std::fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
        let is_it = |pid: &&str| {
            let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split('\0').any(|word| word == format!("--local-node={number}"))
        };
        let pid = children.split_whitespace().find(is_it);
        let pid = pid.and_then(|pid| pid.parse().ok());
        crate::node::signal(pid.ok_or_else(|| format!("no process is {name}"))?, "KILL")
    }

    /// Starts a member again that was killed, and does not wait.
    pub(crate) fn back(&mut self, number: u32) -> Result<(), String> {
        let state = self.folder.join(format!("states/node-{number}"));
        let mut command = Command::new(&self.bary);
        command.args(["up", "-j", "1", "--listen", "127.0.0.1:0", "--socket"]);
        command.arg(state.join("bary.sock")).arg("--state").arg(state);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.back.push(command.spawn().map_err(|cause| format!("a member: {cause}"))?);
        Ok(())
    }

    /// Bytes that have been sent in the network of the members.
    pub(crate) fn bytes(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/net/dev", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix("lo:"));
        let sent = line.and_then(|line| line.split_whitespace().nth(8)?.parse().ok());
        sent.ok_or_else(|| format!("{path} does not say what was sent"))
    }
}

impl Drop for Flock {
    fn drop(&mut self) {
        // The members end with the process that brought them up.
        let all = self.back.iter_mut().chain([&mut self.process]);
        let ended: Result<Vec<_>, _> =
            all.map(|process| process.kill().and_then(|()| process.wait())).collect();
        let removed = std::fs::remove_dir_all(&self.folder);
        if let Err(cause) = ended.map(drop).and(removed) {
            eprintln!("{}: {cause}", self.folder.display());
        }
    }
}
