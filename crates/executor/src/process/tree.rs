//! Ending everything that a command started: its process group, and what has left the group.
//!
//! This process is a subreaper, so orphans of commands become children of its first thread, where
//! the kernel lists them. They are known by the mark in their environment; one that has cleared
//! its environment, or a kernel without that list, leaves them alive.

use std::ffi::CStr;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::spawn::{self, Child, Status};
use crate::run::Run;

/// The list of the children that fell to this process.
pub(crate) struct Orphans {
    list: Option<File>,
    text: Vec<u8>,
}

/// How often what is left of a tree is killed; a tree that outgrows this is left to itself.
const ROUNDS_MAX: u32 = 1_000;

impl Orphans {
    pub(crate) fn new() -> Self {
        let path = format!("/proc/self/task/{}/children", std::process::id());
        Self { list: File::open(path).ok(), text: Vec::new() }
    }

    /// Kills and reaps orphans that carry the mark; whether there was one.
    fn kill_marked(&mut self, mark: &CStr) -> bool {
        let mut any = false;
        for pid in self.children() {
            if has_mark(pid, mark) {
                spawn::signal(pid, libc::SIGKILL);
                spawn::wait(pid);
                any = true;
            } else if is_ended_stranger(pid) {
                spawn::try_wait(pid);
            }
        }
        any
    }

    fn children(&mut self) -> Vec<i32> {
        let Some(list) = &self.list else { return Vec::new() };
        self.text.clear();
        let mut part = [0; 4096];
        // A list that cannot be read any further is as good as one that ends there.
        while let Ok(n @ 1..) = list.read_at(&mut part, self.text.len() as u64) {
            self.text.extend_from_slice(&part[..n]);
            if n < part.len() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&self.text);
        text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

/// Kills the rest of a command's tree and reaps all of it; how the command itself ended.
pub(crate) fn end(
    run: &Run,
    child: &Child,
    reaped: Option<Status>,
    mark: &CStr,
    orphans: &mut Orphans,
) -> Option<Status> {
    // Until it is reaped its number is its own, so that the signal cannot reach a stranger.
    run.leave_command(|| spawn::signal(-child.pid, libc::SIGKILL));
    let status = reaped.or_else(|| spawn::wait(child.pid));
    for _ in 0..ROUNDS_MAX {
        let in_group = spawn::wait_group(child.pid);
        if !(orphans.kill_marked(mark) || in_group) {
            break;
        }
    }
    status
}

fn has_mark(pid: i32, mark: &CStr) -> bool {
    // A process that has ended meanwhile has no environment any more.
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment.split(|&byte| byte == 0).any(|var| var == mark.to_bytes())
}

/// Whether a child is a zombie of another session: nothing but an orphan of a command that has
/// ended by itself. Children that the program around us made are of our session.
fn is_ended_stranger(pid: i32) -> bool {
    let fields = |pid: &str| -> Option<(u8, i32)> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.bytes().next()?;
        Some((state, fields.nth(2)?.parse().ok()?))
    };
    let own = fields("self").map(|(_, session)| session);
    fields(&pid.to_string()).is_some_and(|(state, session)| state == b'Z' && own != Some(session))
}
