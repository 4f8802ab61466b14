//! A command beside another one: its thread starts it, reads what it prints, and ends its tree.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use bary_model::outcome::Failure;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::census::Counted;
use super::kernel;
use super::lookup::{Lookup, holds_zero};
use super::pty;
use super::spawn::{self, Child, ChildStack, Plan};
use super::tree::{self, Known};
use super::unstarted::not_started;
use crate::beside::{Asked, BesideError, Companion, PIECE_BYTES_MAX, PIECES_MAX, Said, Size};
use crate::run::{Run, locked};
use crate::shared::Shared;

/// The commands that run beside others, by their process groups. A group is here only while its
/// number is surely its own.
#[derive(Debug, Default)]
pub(crate) struct Company(Mutex<BTreeMap<i32, Member>>);

#[derive(Clone, Debug)]
struct Member {
    /// The group of the task's own command.
    beside: i32,
    /// Whether that has ended.
    alone: Arc<AtomicBool>,
}

impl Company {
    /// Kills what runs beside a command that has ended.
    pub(crate) fn end_with(&self, group: i32) {
        for (companion, member) in &*locked(&self.0) {
            if member.beside == group {
                member.alone.store(true, Ordering::Relaxed);
                kernel::signal(-companion, libc::SIGKILL);
            }
        }
    }
}

/// What whoever asked for a command holds of it.
#[derive(Debug)]
pub(crate) struct Reins {
    shared: Weak,
    group: i32,
    alone: Arc<AtomicBool>,
    terminal: Option<File>,
}

/// The executor, which it does not keep.
struct Weak(std::sync::Weak<Shared>);

impl std::fmt::Debug for Weak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Weak")
    }
}

impl Reins {
    pub(crate) fn resize(&self, size: Size) {
        if let Some(terminal) = &self.terminal {
            // A command whose terminal has gone has no use for another size.
            drop(pty::resize(terminal.as_fd(), size));
        }
    }
}

impl Drop for Reins {
    fn drop(&mut self) {
        let Some(shared) = self.shared.0.upgrade() else { return };
        let company = locked(&shared.commands.company.0);
        let own = company.get(&self.group);
        if own.is_some_and(|member| Arc::ptr_eq(&member.alone, &self.alone)) {
            kernel::signal(-self.group, libc::SIGKILL);
        }
    }
}

/// Starts a command on a thread of its own: the kernel kills it with that thread.
pub(crate) fn start(shared: &Arc<Shared>, asked: Asked) -> Result<Companion, BesideError> {
    let (told, started) = sync_channel(1);
    let shared = Arc::clone(shared);
    let thread = std::thread::Builder::new().name("bary-beside".into());
    let run = move || run(&shared, &asked, &told);
    thread.spawn(run).map_err(refused("no thread was given"))?;
    started.recv().unwrap_or(Err(BesideError::NotRunning))
}

fn run(shared: &Arc<Shared>, asked: &Asked, told: &SyncSender<Result<Companion, BesideError>>) {
    kernel::block_sigpipe();
    match Attended::begin(shared, asked) {
        Ok((companion, attended)) => {
            // Where nobody waits for it any more it is dropped, and so killed.
            drop(told.send(Ok(companion)));
            attended.attend(shared);
        }
        // As above: nobody wants to know.
        Err(error) => drop(told.send(Err(error))),
    }
}

/// Where the command of a task runs, and with which variables.
struct Place {
    cwd: PathBuf,
    env: Vec<CString>,
}

impl Place {
    /// Where the process of this number is, with the variables that it was started with.
    fn of(pid: i32, shared: &Shared) -> Result<Self, BesideError> {
        let gone = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => BesideError::NotRunning,
            _ => BesideError::Refused { what: "the command of the task hides itself", cause },
        };
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).map_err(gone)?;
        let given = shared.commands.given.of(pid).ok_or(BesideError::NotRunning)?;
        let env = given.all(&shared.commands.base).into_iter().map(CStr::to_owned).collect();
        Ok(Self { cwd, env })
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let is = |var: &CString| {
            let rest = var.to_bytes().strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| rest.first() == Some(&b'='))
        };
        self.env.retain(|var| !is(var));
        let text = format!("{name}={value}");
        self.env.push(CString::new(text.as_str()).map_err(|_| holds_zero(text.as_bytes()))?);
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find_map(|var| {
            let rest = var.to_bytes().strip_prefix(name.as_bytes())?;
            Some(OsStr::from_bytes(rest.strip_prefix(b"=")?))
        })
    }

    /// The words of a command; the shell that the environment names where there are none.
    fn words(&self, asked: &[Box<str>]) -> Vec<Box<str>> {
        if !asked.is_empty() {
            return asked.to_vec();
        }
        let shell = self.value("SHELL").filter(|shell| Path::new(shell).is_absolute());
        let shell = shell.filter(|shell| Path::new(shell).is_file()).and_then(OsStr::to_str);
        vec![shell.unwrap_or("/bin/sh").into()]
    }
}

/// Both ends of the streams of a command.
struct Ends {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    feed: File,
    /// What it prints, each with whether that is its standard error.
    taps: Vec<(bool, File)>,
    terminal: Option<File>,
}

impl Ends {
    fn new(terminal: Option<Size>) -> io::Result<Self> {
        let Some(size) = terminal else {
            let ((stdin, feed), (out, stdout)) = (io::pipe()?, io::pipe()?);
            let (err, stderr) = io::pipe()?;
            let file = |end: OwnedFd| File::from(end);
            let taps = vec![(false, file(out.into())), (true, file(err.into()))];
            let (stdin, stdout, stderr) = (stdin.into(), stdout.into(), stderr.into());
            let feed = file(feed.into());
            return Ok(Self { stdin, stdout, stderr, feed, taps, terminal: None });
        };
        let (ours, theirs) = pty::open(size)?;
        let ours = File::from(ours);
        Ok(Self {
            stdout: theirs.try_clone()?,
            stderr: theirs.try_clone()?,
            stdin: theirs,
            feed: ours.try_clone()?,
            terminal: Some(ours.try_clone()?),
            taps: vec![(false, ours)],
        })
    }
}

/// A command that runs, for its thread.
struct Attended {
    child: Child,
    ended: OwnedFd,
    taps: Vec<(bool, File)>,
    said: mpsc::Sender<Said>,
    alone: Arc<AtomicBool>,
    counted: Counted,
}

impl Attended {
    fn begin(shared: &Arc<Shared>, asked: &Asked) -> Result<(Companion, Self), BesideError> {
        let (run, pid) = found(shared, asked).ok_or(BesideError::NotRunning)?;
        let (mut place, mut set) = (Place::of(pid, shared)?, asked.env.iter());
        set.try_for_each(|(name, value)| place.set(name, value))
            .map_err(BesideError::NotStarted)?;
        let words = place.words(&asked.words);
        let ends = Ends::new(asked.terminal).map_err(refused("there are no streams for it"))?;
        let counted = Counted::new(shared.config.family);
        let alone = Arc::new(AtomicBool::new(false));
        let mut company = locked(&shared.commands.company.0);
        // The number was the command's all the time if it still is. Whoever ends that looks at the
        // company after it has left the run.
        if run.command_of(asked.shard, asked.task) != Some(pid) {
            return Err(BesideError::NotRunning);
        }
        let brand = counted.brand.map(super::brand::Brand::value);
        let mut child = spawn(shared, &place, &words, &ends, brand, asked.terminal.is_some())?;
        let member = Member { beside: pid, alone: Arc::clone(&alone) };
        company.insert(child.pid, member);
        drop(company);
        let Some(ended) = child.ended.take() else {
            locked(&shared.commands.company.0).remove(&child.pid);
            kernel::signal(-child.pid, libc::SIGKILL);
            kernel::wait(child.pid);
            return Err(BesideError::Unknown);
        };
        let (said, says) = mpsc::channel(PIECES_MAX);
        let (heard, hears) = mpsc::channel(PIECES_MAX);
        let Ends { feed, taps, terminal, .. } = ends;
        let is_terminal = terminal.is_some();
        let weak = Weak(Arc::downgrade(shared));
        let reins = Reins { shared: weak, group: child.pid, alone: Arc::clone(&alone), terminal };
        let companion = Companion { words, said: says, heard, reins };
        let attended = Self { child, ended, taps, said, alone, counted };
        let thread = std::thread::Builder::new().name("bary-beside-in".into());
        let fed = thread.spawn(move || give(feed, hears, is_terminal));
        if let Err(cause) = fed {
            drop(companion);
            attended.attend(shared);
            return Err(BesideError::Refused { what: "no thread was given", cause });
        }
        Ok((companion, attended))
    }

    /// Hands on what it prints until it has ended, and ends all that it had started.
    fn attend(mut self, shared: &Shared) {
        let mut buffer = vec![0; PIECE_BYTES_MAX];
        while !self.wait() {
            for at in (0..self.taps.len()).rev() {
                if !self.read(at, &mut buffer) {
                    self.taps.remove(at);
                }
            }
        }
        locked(&shared.commands.company.0).remove(&self.child.pid);
        // The variable of the task is on processes of the task too, which go on.
        let known = Known { mark: c"BARY_RUN=", brand: self.counted.brand };
        let status = tree::end_beside(&self.child, &known, &shared.commands.orphans);
        let mut left = LEFT_BYTES_MAX;
        while let Some(at) = self.taps.len().checked_sub(1) {
            while left > 0 && is_ready(&self.taps[at].1) && self.read(at, &mut buffer) {
                left = left.saturating_sub(PIECE_BYTES_MAX);
            }
            self.taps.pop();
        }
        let exit = match status.map(|status| status.end) {
            Some(Ok(code)) => code,
            Some(Err(signal)) => 128 + signal,
            // Something else reaped it, so that nobody knows.
            None => 128 + libc::SIGKILL,
        };
        let with_task = self.alone.load(Ordering::Relaxed);
        // Whoever asked for it may have gone.
        drop(self.said.blocking_send(Said::Over { exit, with_task }));
    }

    /// Waits until there is something to read; whether the command has ended.
    fn wait(&self) -> bool {
        let watch = |fd: i32| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let taps = self.taps.iter().map(|(_, tap)| watch(tap.as_raw_fd()));
        let mut fds: Vec<libc::pollfd> = taps.chain([watch(self.ended.as_raw_fd())]).collect();
        let polled = kernel::poll(&mut fds, -1);
        // What cannot be waited for is as good as ended: it is killed then.
        polled.is_err() || fds.last().is_some_and(|ended| ended.revents != 0)
    }

    /// Hands on what there is to read, if there is something; false at its end.
    fn read(&mut self, at: usize, buffer: &mut [u8]) -> bool {
        let (is_error, tap) = &mut self.taps[at];
        if !is_ready(tap) {
            return true;
        }
        let bytes = match tap.read(buffer) {
            // A terminal that nobody has open any more says so with an error.
            Ok(0) => return false,
            Ok(bytes) => Bytes::copy_from_slice(&buffer[..bytes]),
            Err(error) => return error.kind() == io::ErrorKind::Interrupted,
        };
        let said = if *is_error { Said::Err(bytes) } else { Said::Out(bytes) };
        // Whoever asked for it has killed it when he left.
        self.said.blocking_send(said).is_ok()
    }
}

/// Whether there is something to read, or its end, without a wait.
fn is_ready(tap: &File) -> bool {
    let mut fds = [libc::pollfd { fd: tap.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    kernel::poll(&mut fds, 0).is_ok() && fds[0].revents != 0
}

/// How much may still be in a pipe when its writers are dead.
const LEFT_BYTES_MAX: usize = 1 << 20;

/// The run that a task's command runs in, and that command.
fn found(shared: &Shared, asked: &Asked) -> Option<(Arc<Run>, i32)> {
    let runs: Vec<Arc<Run>> =
        locked(&shared.live).values().map(|live| Arc::clone(&live.run)).collect();
    runs.into_iter()
        .find_map(|run| Some((Arc::clone(&run), run.command_of(asked.shard, asked.task)?)))
}

fn spawn(
    shared: &Shared,
    place: &Place,
    words: &[Box<str>],
    ends: &Ends,
    brand: Option<u64>,
    terminal: bool,
) -> Result<Child, BesideError> {
    let word = |word: &str| CString::new(word).map_err(|_| holds_zero(word.as_bytes()));
    let argv = words.iter().map(|one| word(one)).collect::<Result<Vec<CString>, Failure>>();
    let argv = argv.map_err(BesideError::NotStarted)?;
    let name = words.first().map(|word| word.as_bytes()).unwrap_or_default();
    let path = place.value("PATH").unwrap_or(&shared.commands.base.path);
    let program = Lookup::default().find(name, path).map_err(BesideError::NotStarted)?;
    let cwd = CString::new(place.cwd.as_os_str().as_bytes());
    let cwd = cwd.map_err(|error| BesideError::NotStarted(holds_zero(&error.into_vec())))?;
    let env: Vec<_> = place.env.iter().map(CString::as_c_str).collect();
    let plan = Plan {
        program: &program,
        argv: &argv,
        env: &env,
        cwd: Some(&cwd),
        stdin: Some(ends.stdin.as_fd()),
        stdout: ends.stdout.as_fd(),
        stderr: ends.stderr.as_fd(),
        data_max: None,
        files: shared.commands.files,
        brand,
        terminal,
    };
    spawn::spawn(&plan, &mut ChildStack::new()).map_err(|error| {
        let refusal = not_started(&error, name, program.to_bytes(), &place.cwd);
        BesideError::NotStarted(refusal.failure())
    })
}

/// Gives a command what it is to read, until its end.
fn give(mut feed: File, mut hears: mpsc::Receiver<Bytes>, terminal: bool) {
    /// What a terminal takes for the end of its input.
    const END: &[u8] = b"\x04";
    kernel::block_sigpipe();
    while let Some(bytes) = hears.blocking_recv() {
        let given = match (bytes.is_empty(), terminal) {
            (true, false) => return,
            (true, true) => feed.write_all(END),
            (false, _) => feed.write_all(&bytes),
        };
        // A command that takes no more, or has ended, is told no more.
        if given.is_err() {
            return;
        }
    }
}

fn refused(what: &'static str) -> impl FnOnce(io::Error) -> BesideError {
    move |cause| BesideError::Refused { what, cause }
}
