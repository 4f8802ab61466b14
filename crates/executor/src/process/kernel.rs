//! The plain system calls that commands need: signal, wait, poll, limits.
#![expect(unsafe_code, reason = "the standard library does not have these calls")]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::OnceLock;

use bary_model::time::Span;

/// A soft and a hard limit.
pub(crate) type Rlimit = libc::rlimit;

/// The limit that carries a brand. The kernel has enforced nothing with it for twenty years, yet
/// hands it down and lets nobody raise it.
pub(crate) const BRANDED: libc::__rlimit_resource_t = libc::RLIMIT_LOCKS;

/// How a process ended and what it used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// The exit code, or the signal that killed it.
    pub(crate) end: Result<i32, i32>,
    /// Processor time of it and of the children it waited for.
    pub(crate) cpu: Span,
    /// The most memory held, in bytes; see `peak_memory`.
    pub(crate) peak_memory: u64,
}

/// Waits for a child that is certain to end, and reaps it. None where it is no child of ours.
pub(crate) fn wait(pid: c_int) -> Option<Status> {
    reap(pid, 0).map(|(_, status)| status)
}

/// Reaps a child if it has ended, else returns at once.
pub(crate) fn try_wait(pid: c_int) -> Option<Status> {
    reap(pid, libc::WNOHANG).map(|(_, status)| status)
}

/// Waits until no child of ours is left in a process group; whether there was one.
pub(crate) fn wait_group(group: c_int) -> bool {
    let mut any = false;
    while reap(-group, 0).is_some() {
        any = true;
    }
    any
}

fn reap(pid: c_int, flags: c_int) -> Option<(c_int, Status)> {
    let mut status: c_int = 0;
    // SAFETY: a zeroed rusage is a valid value of plain numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to locals that outlive the call.
        let got = unsafe { libc::wait4(pid, &raw mut status, flags, &raw mut usage) };
        if got > 0 {
            let end = if libc::WIFSIGNALED(status) {
                Err(libc::WTERMSIG(status))
            } else {
                Ok(libc::WEXITSTATUS(status))
            };
            let cpu = span(usage.ru_utime) + span(usage.ru_stime);
            let peak_memory = bytes(usage.ru_maxrss);
            return Some((got, Status { end, cpu, peak_memory }));
        }
        if got == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// The most memory that this process held so far, in bytes. A child that it starts seems to have
/// held as much, since both share their memory until the child is another program.
pub(crate) fn peak_memory() -> u64 {
    // SAFETY: a zeroed rusage is a valid value of plain numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a local that outlives the call.
    let told = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    if told == 0 { bytes(usage.ru_maxrss) } else { 0 }
}

/// Kibibytes as the kernel counts them, in bytes.
fn bytes(kib: libc::c_long) -> u64 {
    u64::try_from(kib).unwrap_or(0) * 1024
}

fn span(time: libc::timeval) -> Span {
    let part = |n: i64| u64::try_from(n).unwrap_or(0);
    Span::secs(part(time.tv_sec)) + Span::micros(part(time.tv_usec))
}

/// Sends a signal to a process, or to a group where the number is negative; whether it got there.
/// A target that is gone is no error: it ended first.
pub(crate) fn signal(pid: c_int, signal: c_int) -> bool {
    // SAFETY: kill has no memory preconditions.
    unsafe { libc::kill(pid, signal) == 0 }
}

/// Whether a group whose leader has been reaped has other members. Those that fell to this
/// process and have ended are reaped on the way.
pub(crate) fn has_members(group: c_int) -> bool {
    while reap(-group, libc::WNOHANG).is_some() {}
    signal(-group, 0) || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Raises this process's limit on open files as far as it may, once. The limit as it was, for
/// commands: a program that uses `select` breaks where numbers of files are large.
pub(crate) fn raise_files() -> Option<Rlimit> {
    static BEFORE: OnceLock<Option<Rlimit>> = OnceLock::new();
    *BEFORE.get_or_init(|| {
        let before = limit(0, libc::RLIMIT_NOFILE)?;
        let raised = Rlimit { rlim_cur: before.rlim_max, ..before };
        // SAFETY: the limit is a valid local.
        let done = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) };
        (done == 0).then_some(before)
    })
}

/// The branded limit of a process, 0 for this one; none where it may not be read.
pub(crate) fn brand(pid: c_int) -> Option<u64> {
    limit(pid, BRANDED).map(|limit| limit.rlim_max)
}

fn limit(pid: c_int, resource: libc::__rlimit_resource_t) -> Option<Rlimit> {
    let mut limit = Rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local that outlives the call; nothing is set.
    let done = unsafe { libc::prlimit(pid, resource, ptr::null(), &raw mut limit) };
    (done == 0).then_some(limit)
}

/// Waits until one of the descriptors is ready, at most so many milliseconds (-1: for ever).
pub(crate) fn poll(fds: &mut [libc::pollfd], timeout_ms: c_int) -> io::Result<()> {
    loop {
        // SAFETY: the slice is valid for its length, which is small.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout_ms) };
        if ready >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Makes reads and writes of our end of a pipe return rather than wait.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as it is borrowed.
    let done = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes orphans of commands children of this process, so that they can be found and reaped.
pub(crate) fn become_subreaper() -> io::Result<()> {
    // SAFETY: this option takes one plain number.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes writing to a closed pipe an error on this thread, whatever the process has set.
pub(crate) fn block_sigpipe() {
    // SAFETY: the set is initialised by sigemptyset before use.
    unsafe {
        let mut pipe: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut pipe);
        libc::sigaddset(&raw mut pipe, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, ptr::null_mut());
    }
}
