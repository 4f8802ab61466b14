//! Starting a command. The only unsafe code here besides that of `kernel`.
//!
//! A command is started as `vfork` does it: the child borrows this process's memory until it
//! executes the program, so that starting costs the same however large this process has grown.
#![expect(unsafe_code, reason = "the standard library cannot start a process without a fork")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::kernel::{self, Rlimit};

/// Everything that the child needs, made ready before it is started.
pub(crate) struct Plan<'a> {
    /// The file to execute.
    pub(crate) program: &'a CStr,
    /// The arguments, the program's name first.
    pub(crate) argv: &'a [CString],
    /// The environment, as `NAME=value`.
    pub(crate) env: &'a [&'a CStr],
    /// The directory to run in, where it is not this process's own.
    pub(crate) cwd: Option<&'a CStr>,
    /// Standard input; none hands on this process's own.
    pub(crate) stdin: Option<BorrowedFd<'a>>,
    /// Standard output.
    pub(crate) stdout: BorrowedFd<'a>,
    /// Standard error.
    pub(crate) stderr: BorrowedFd<'a>,
    /// The most data memory in bytes, where it is limited.
    pub(crate) data_max: Option<u64>,
    /// The limit on open files, where this process has raised its own.
    pub(crate) files: Option<Rlimit>,
    /// What all processes of the command's tree are known by, see `brand`.
    pub(crate) brand: Option<u64>,
    /// Whether standard input is a terminal that becomes its own, in a session of its own.
    pub(crate) terminal: bool,
}

/// Which step of a start failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Making the process.
    Clone,
    /// Setting up its group, its streams or its limits.
    SetUp,
    /// Entering its directory.
    Chdir,
    /// Executing the program.
    Exec,
}

/// A start that failed; nothing is left of it.
#[derive(Debug)]
pub(crate) struct SpawnError {
    /// Where it failed.
    pub(crate) step: Step,
    /// What the system said.
    pub(crate) source: io::Error,
}

/// A started command: the leader of a process group of its own.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its process, and its group.
    pub(crate) pid: c_int,
    /// Readable once it has ended; none on kernels that have no such thing.
    pub(crate) ended: Option<OwnedFd>,
}

/// The stack a child uses until it executes its program; one for each slot, used again.
pub(crate) struct ChildStack(Vec<u128>);

impl ChildStack {
    /// The child calls a few system calls and nothing else.
    const BYTES: usize = 64 * 1024;

    pub(crate) fn new() -> Self {
        Self(vec![0; Self::BYTES / size_of::<u128>()])
    }
}

/// Signals for which a program may have a handler. Such a handler must never run in a child that
/// borrows this process's memory; those that are ignored stay ignored, as `nohup` wants it.
const HANDLED: [c_int; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGCONT,
    libc::SIGTSTP,
    libc::SIGWINCH,
];

struct Entry {
    program: *const c_char,
    argv: *const *const c_char,
    shell_argv: *const *const c_char,
    envp: *const *const c_char,
    cwd: *const c_char,
    streams: [c_int; 3],
    data_max: Option<u64>,
    files: Option<Rlimit>,
    brand: Option<u64>,
    terminal: bool,
    parent: libc::pid_t,
    failed: Option<(Step, c_int)>,
}

/// Starts a command in a process group of its own. It is killed when this thread ends.
pub(crate) fn spawn(plan: &Plan<'_>, stack: &mut ChildStack) -> Result<Child, SpawnError> {
    let pointers = |words: &mut dyn Iterator<Item = &CStr>| -> Vec<*const c_char> {
        words.map(CStr::as_ptr).chain([ptr::null()]).collect()
    };
    // A script without a first line that names its interpreter is run by the shell, as by execvp.
    let argv = pointers(&mut plan.argv.iter().map(CString::as_c_str));
    let arguments = plan.argv.iter().skip(1).map(CString::as_c_str);
    let shell_argv = pointers(&mut [c"/bin/sh", plan.program].into_iter().chain(arguments));
    let envp = pointers(&mut plan.env.iter().copied());
    let mut entry = Entry {
        program: plan.program.as_ptr(),
        argv: argv.as_ptr(),
        shell_argv: shell_argv.as_ptr(),
        envp: envp.as_ptr(),
        cwd: plan.cwd.map_or(ptr::null(), CStr::as_ptr),
        streams: [
            plan.stdin.map_or(0, |fd| fd.as_raw_fd()),
            plan.stdout.as_raw_fd(),
            plan.stderr.as_raw_fd(),
        ],
        data_max: plan.data_max,
        files: plan.files,
        brand: plan.brand,
        terminal: plan.terminal,
        // SAFETY: getpid has no preconditions.
        parent: unsafe { libc::getpid() },
        failed: None,
    };
    let entry: *mut Entry = &raw mut entry;
    let (pid, ended) =
        clone_as_vfork(entry, stack).map_err(|source| SpawnError { step: Step::Clone, source })?;
    // SAFETY: the child has executed its program or ended by now, so nobody else has the entry.
    if let Some((step, code)) = unsafe { (*entry).failed } {
        kernel::wait(pid);
        return Err(SpawnError { step, source: io::Error::from_raw_os_error(code) });
    }
    Ok(Child { pid, ended })
}

fn clone_as_vfork(
    entry: *mut Entry,
    stack: &mut ChildStack,
) -> io::Result<(c_int, Option<OwnedFd>)> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut pidfd: c_int = -1;
    let top = stack.0.as_mut_ptr_range().end.cast::<c_void>();
    // SAFETY: the signal sets are initialised by sigfillset before use. The stack is 16-byte
    // aligned by its element type, large enough for `child`, and borrowed until clone returns;
    // CLONE_VFORK holds this thread until the child has executed its program or ended, so entry
    // and stack outlive the child's use of them. `child` touches nothing but entry and its stack
    // and makes only async-signal-safe calls. All signals are blocked, so no handler of this
    // process runs in the child while memory is shared.
    let (pid, error) = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let pid = libc::clone(child, top, flags, entry.cast(), &raw mut pidfd);
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        (pid, error)
    };
    if pid < 0 {
        return Err(error);
    }
    // SAFETY: the kernel has just made this descriptor for us; kernels without it leave -1.
    let ended = (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) });
    Ok((pid, ended))
}

/// What the child does; it shares memory with its parent and must not return.
extern "C" fn child(entry: *mut c_void) -> c_int {
    // SAFETY: the parent gave a valid entry and waits, so this is the only reference to it.
    // Every call below is an async-signal-safe system call on pointers that the plan keeps alive.
    unsafe {
        let entry = &mut *entry.cast::<Entry>();
        let failed = match set_up(entry) {
            Some(step) => step,
            None => {
                libc::execve(entry.program, entry.argv, entry.envp);
                if errno() == libc::ENOEXEC {
                    libc::execve(c"/bin/sh".as_ptr(), entry.shell_argv, entry.envp);
                }
                Step::Exec
            }
        };
        entry.failed = Some((failed, errno()));
        libc::_exit(127)
    }
}

/// Gives the child its group, signals, streams, directory and limits; the step that failed.
///
/// # Safety
/// Only in the child, with the entry of its parent.
unsafe fn set_up(entry: &Entry) -> Option<Step> {
    // SAFETY: as for `child`, which alone calls this.
    unsafe {
        if entry.terminal {
            libc::setsid();
        } else {
            libc::setpgid(0, 0);
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != entry.parent {
            libc::_exit(127);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        for signal in HANDLED {
            libc::sigaction(signal, ptr::null(), &raw mut action);
            if action.sa_sigaction != libc::SIG_IGN && action.sa_sigaction != libc::SIG_DFL {
                action = std::mem::zeroed();
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
        action = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, &raw const action, ptr::null_mut());
        for (target, source) in (0..).zip(entry.streams) {
            if target != source && libc::dup2(source, target) < 0 {
                return Some(Step::SetUp);
            }
        }
        if entry.terminal && libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
            return Some(Step::SetUp);
        }
        if !entry.cwd.is_null() && libc::chdir(entry.cwd) < 0 {
            return Some(Step::Chdir);
        }
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        if let Some(most) = entry.data_max {
            let most = libc::rlimit { rlim_cur: most, rlim_max: most };
            if libc::setrlimit(libc::RLIMIT_DATA, &raw const most) < 0 {
                return Some(Step::SetUp);
            }
        }
        if let Some(files) = &entry.files {
            libc::setrlimit(libc::RLIMIT_NOFILE, files);
        }
        if let Some(brand) = entry.brand {
            // A kernel that refuses leaves the tree with its mark only.
            let brand = libc::rlimit { rlim_cur: brand, rlim_max: brand };
            libc::setrlimit(kernel::BRANDED, &raw const brand);
        }
        let mut empty: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut empty);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, ptr::null_mut());
    }
    None
}

fn errno() -> c_int {
    // SAFETY: the location is valid for the life of the thread.
    unsafe { *libc::__errno_location() }
}
