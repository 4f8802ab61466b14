//! Finding and ending all processes of a family, wherever on this machine they are.
//!
//! A group is killed at once, so that one of its processes cannot start others meanwhile. What
//! leaves its group for another again and again is killed round by round.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::brand;
use super::kernel;
use crate::leftover::{Family, LeftoverError};

/// How often all that are found are killed before they count as endless.
const ROUNDS_MAX: u32 = 1_000;
/// How long a killed process may take to end.
const END_WAIT_MAX: Duration = Duration::from_secs(30);

/// A process that lives, held so that its number cannot become another's unseen.
struct Found {
    pid: Pid,
    /// None on kernels that have no such thing.
    handle: Option<OwnedFd>,
}

/// What one look found.
#[derive(Default)]
struct Sight {
    processes: Vec<Found>,
    /// The groups of all that lived when it was looked at; some have ended since, but what they
    /// started is in the same group.
    groups: BTreeSet<i32>,
}

/// What is looked for, and who is never touched.
struct Hunt {
    family: Family,
    mark: Vec<u8>,
    /// This process and those above it.
    spared: BTreeSet<i32>,
    /// Their groups.
    spared_groups: BTreeSet<i32>,
}

/// Kills all of a family; how many there were.
pub(crate) fn hunt(family: Family) -> Result<u32, LeftoverError> {
    let hunt = Hunt::new(family);
    let mut killed = 0;
    for round in 0..ROUNDS_MAX {
        let sight = hunt.look().map_err(LeftoverError::List)?;
        // What starts another and ends at once can slip through one look.
        if sight.is_empty() && (round == 0 || hunt.look().map_err(LeftoverError::List)?.is_empty())
        {
            return Ok(killed);
        }
        killed += sight.processes.len() as u32;
        hunt.kill(&sight)?;
    }
    Err(LeftoverError::Endless { rounds: ROUNDS_MAX })
}

impl Hunt {
    fn new(family: Family) -> Self {
        let mark = format!("BARY_RUN={}", family.mark()).into_bytes();
        let (mut spared, mut spared_groups) = (BTreeSet::new(), BTreeSet::new());
        let mut at = std::process::id() as i32;
        while spared.insert(at)
            && let Some(stat) = stat(at)
        {
            spared_groups.insert(stat.group);
            at = stat.parent;
        }
        Self { family, mark, spared, spared_groups }
    }

    fn look(&self) -> io::Result<Sight> {
        let mut sight = Sight::default();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if !self.is_ours(pid) {
                continue;
            }
            let stat = stat(pid);
            let held = self.hold(pid);
            // One that nobody reaps is no trouble: it has nothing and does nothing.
            if let Some(stat) = stat.filter(|stat| held.is_some() || !stat.is_over()) {
                sight.groups.insert(stat.group);
            }
            sight.processes.extend(held);
        }
        Ok(sight)
    }

    /// The process of this number, if it is ours and lives.
    fn hold(&self, pid: i32) -> Option<Found> {
        let raw = Pid::from_raw(pid)?;
        let handle = match pidfd_open(raw, PidfdFlags::empty()) {
            Ok(handle) => Some(handle),
            // It has ended.
            Err(rustix::io::Errno::SRCH) => return None,
            Err(_) => None,
        };
        let found = Found { pid: raw, handle };
        // The number may have become another's before it was held.
        (!found.is_over_within(0) && self.is_ours(pid)).then_some(found)
    }

    fn is_ours(&self, pid: i32) -> bool {
        if self.spared.contains(&pid) {
            return false;
        }
        let Some(value) = kernel::brand(pid).or_else(|| shown_brand(pid)) else { return false };
        // A run inside a command has brands that do not tell its family; its mark does.
        brand::range(self.family).contains(&value) || brand::is_brand(value) && self.is_marked(pid)
    }

    fn is_marked(&self, pid: i32) -> bool {
        // A process that has ended, or is another user's, does not show its environment.
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
        environment.split(|&byte| byte == 0).any(|var| var.starts_with(&self.mark))
    }

    /// Kills what was seen, with the groups that it is in, and waits until it has ended.
    fn kill(&self, sight: &Sight) -> Result<(), LeftoverError> {
        for &group in sight.groups.iter().filter(|&&group| self.is_our_group(group)) {
            kernel::signal(-group, libc::SIGKILL);
        }
        for process in &sight.processes {
            match process.kill() {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(cause) => {
                    let pid = process.number();
                    return Err(LeftoverError::Refused { pid, cause: cause.into() });
                }
            }
        }
        let until = Instant::now() + END_WAIT_MAX;
        match sight.processes.iter().find(|process| !process.ends_before(until)) {
            Some(process) => Err(LeftoverError::Stuck { pid: process.number() }),
            None => Ok(()),
        }
    }

    /// Whether a group that a process of ours is in was made by one. A command is in a group of
    /// its own before it has its brand, so that only a process which joins others' on purpose
    /// is in any other.
    fn is_our_group(&self, group: i32) -> bool {
        !self.spared_groups.contains(&group) && (stat(group).is_none() || self.is_ours(group))
    }
}

impl Sight {
    fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.groups.is_empty()
    }
}

impl Found {
    fn kill(&self) -> rustix::io::Result<()> {
        match &self.handle {
            Some(handle) => pidfd_send_signal(handle, Signal::KILL),
            None => rustix::process::kill_process(self.pid, Signal::KILL),
        }
    }

    fn number(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether it has ended, or does so in this time; one that nobody has reaped yet has.
    fn is_over_within(&self, wait_ms: i32) -> bool {
        let Some(handle) = &self.handle else {
            let over = stat(self.number()).is_none_or(|stat| stat.is_over());
            if !over && wait_ms > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            return over;
        };
        let mut fds = [libc::pollfd { fd: handle.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        // A wait that fails is taken up again, until the time is over.
        kernel::poll(&mut fds, wait_ms).is_ok() && fds[0].revents != 0
    }

    fn ends_before(&self, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.is_over_within(left.as_millis().min(1_000) as i32) {
                return true;
            }
            if left.is_zero() {
                return false;
            }
        }
    }
}

/// The limit of another user's process, which the kernel shows but does not tell.
fn shown_brand(pid: i32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// What the kernel says of a process.
struct Stat {
    state: char,
    parent: i32,
    group: i32,
}

impl Stat {
    fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The name before may hold anything, brackets too.
    let mut rest = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = rest.next()?.chars().next()?;
    let mut number = || rest.next()?.parse().ok();
    Some(Stat { state, parent: number()?, group: number()? })
}
