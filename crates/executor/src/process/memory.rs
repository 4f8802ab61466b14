//! The most memory that a command held. What the kernel tells of a child that has ended is exact,
//! but never less than what this process held when it started the child, for which the two shared
//! their memory. So a smaller command is looked at while it runs, ever more seldom.

use std::ffi::c_int;
use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::kernel::{self, Status};

/// How long a command runs until it is looked at.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// How long it is between two looks at most.
const LOOKS_APART_MAX: Duration = Duration::from_secs(5);

/// What was seen of one command.
pub(crate) struct Memory {
    pid: c_int,
    /// The most that it held so far, in bytes; 0 where it was not looked at.
    most: u64,
    next: Instant,
    apart: Duration,
}

impl Memory {
    /// Nothing was seen yet of a command that has just started.
    pub(crate) fn of(pid: c_int) -> Self {
        Self { pid, most: 0, next: Instant::now() + FIRST_LOOK, apart: FIRST_LOOK }
    }

    /// Looks where it is time; how many milliseconds there are until the next look.
    pub(crate) fn look(&mut self) -> i32 {
        let now = Instant::now();
        if now >= self.next {
            self.most = self.most.max(held_at_most(self.pid).unwrap_or(0));
            self.apart = (self.apart * 2).min(LOOKS_APART_MAX);
            self.next = now + self.apart;
        }
        // Rounded up: a look that comes too early is one too many.
        i32::try_from(self.next.saturating_duration_since(now).as_millis()).unwrap_or(0) + 1
    }

    /// How the command ended, with what is known of its memory; 0 bytes where nothing is.
    pub(crate) fn complete(&self, status: Status) -> Status {
        let known = status.peak_memory > shared_at_most();
        let peak_memory = if known { status.peak_memory } else { self.most };
        Status { peak_memory, ..status }
    }
}

/// The most that a command and this process can have shared, in bytes.
fn shared_at_most() -> u64 {
    /// What the kernel told first: it may be of the process that started this one.
    static FIRST: OnceLock<u64> = OnceLock::new();
    let told = kernel::peak_memory();
    if told > *FIRST.get_or_init(|| told) {
        return told;
    }
    let own = c_int::try_from(std::process::id()).ok().and_then(held_at_most);
    own.unwrap_or(told)
}

/// The most that a process held so far, in bytes; of those it started nothing.
fn held_at_most(pid: c_int) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
