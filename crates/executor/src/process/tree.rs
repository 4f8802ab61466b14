//! Ending everything that a command started: its process group, and what has left the group.
//!
//! This process is a subreaper, so orphans of commands become children of its first thread, where
//! the kernel lists them. They are known by their brand, or by the mark in their environment. A
//! kernel without that list leaves them alive, and so do programs that run as another user.

use std::ffi::CStr;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::beside::Company;
use super::brand::{self, Brand};
use super::census;
use super::kernel::{self, Status};
use super::spawn::Child;
use crate::run::Run;

/// The list of the children that fell to this process.
pub(crate) struct Orphans(Option<File>);

/// By what the processes of one command are known.
pub(crate) struct Known<'a> {
    /// The variable in their environment.
    pub(crate) mark: &'a CStr,
    /// Their limit.
    pub(crate) brand: Option<Brand>,
}

/// How often what is left of a tree is killed; a tree that outgrows this is left to itself.
const ROUNDS_MAX: u32 = 1_000;

impl Orphans {
    pub(crate) fn new() -> Self {
        Self(File::open(format!("/proc/self/task/{}/children", std::process::id())).ok())
    }

    /// Kills and reaps orphans of one command; whether there was one.
    fn kill(&self, known: &Known<'_>) -> bool {
        let mut any = false;
        for pid in self.0.as_ref().map(children).unwrap_or_default() {
            let is_its =
                known.brand.is_some_and(|brand| brand.is_on(pid)) || has_mark(pid, known.mark);
            if is_its {
                any |= kill(pid);
            } else if brand::is_branded(pid) {
                // Of another command, whose end kills it; one that has ended is nobody's any more.
                kernel::try_wait(pid);
            }
        }
        any
    }
}

/// Kills and reaps every child of this process that descends from a command, once no command
/// runs. Children without a brand were started by the program around us and are left alone.
pub(crate) fn sweep() {
    let Some(_silence) = census::silence() else { return };
    for _ in 0..ROUNDS_MAX {
        let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return };
        let lists = threads.flatten().filter_map(|at| File::open(at.path().join("children")).ok());
        let children: Vec<i32> = lists.flat_map(|list| children(&list)).collect();
        let killed = children.into_iter().filter(|&pid| brand::is_branded(pid) && kill(pid));
        if killed.count() == 0 {
            return;
        }
    }
}

/// Kills the rest of a command's tree and reaps all of it; how the command itself ended.
pub(crate) fn end(
    run: &Run,
    child: &Child,
    reaped: Option<Status>,
    known: &Known<'_>,
    (orphans, company): (&Orphans, &Company),
) -> Option<Status> {
    // Until the last of the group is reaped its number is not another's, so that the signal
    // cannot reach a stranger.
    run.leave_command(|| {
        if reaped.is_none() || kernel::has_members(child.pid) {
            kernel::signal(-child.pid, libc::SIGKILL);
        }
    });
    company.end_with(child.pid);
    let status = reaped.or_else(|| kernel::wait(child.pid));
    reap(child, known, orphans);
    status
}

/// As [`end`], for what ran beside a command.
pub(crate) fn end_beside(child: &Child, known: &Known<'_>, orphans: &Orphans) -> Option<Status> {
    kernel::signal(-child.pid, libc::SIGKILL);
    let status = kernel::wait(child.pid);
    reap(child, known, orphans);
    status
}

/// Reaps the group of a command that was killed, and what has left it, until nothing is left.
fn reap(child: &Child, known: &Known<'_>, orphans: &Orphans) {
    for _ in 0..ROUNDS_MAX {
        let in_group = kernel::wait_group(child.pid);
        if !(orphans.kill(known) || in_group) {
            return;
        }
    }
}

/// Kills and reaps a child; false where it may not be killed.
fn kill(pid: i32) -> bool {
    let sent = kernel::signal(pid, libc::SIGKILL);
    if sent {
        kernel::wait(pid);
    }
    sent
}

fn children(list: &File) -> Vec<i32> {
    let mut text = Vec::new();
    let mut part = [0; 4096];
    // A list that cannot be read any further is as good as one that ends there.
    while let Ok(n @ 1..) = list.read_at(&mut part, text.len() as u64) {
        text.extend_from_slice(&part[..n]);
        if n < part.len() {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn has_mark(pid: i32, mark: &CStr) -> bool {
    // A process that has ended meanwhile has no environment any more.
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment.split(|&byte| byte == 0).any(|var| var == mark.to_bytes())
}
