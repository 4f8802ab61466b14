//! Running one command from its words to its outcome.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bary_model::action::Action;
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::template::{Scope, Template};
use bary_model::time::Span;
use bary_ports::executor::Stream;
use bytes::Bytes;

use super::environment::{Base, Environment};
use super::lookup::{Lookup, holds_zero, not_executable, not_found};
use super::pump::{READ_BYTES, Tap, Taps};
use super::scratch::Scratch;
use super::spawn::{self, Child, ChildStack, Plan, SpawnError, Status, Step};
use super::streams::{Streams, failed, path_of};
use super::tree::{self, Orphans};
use crate::blocking::{Clock, rest_of};
use crate::call::{read_upstream, scope, texts};
use crate::config::ExecutorConfig;
use crate::report::Ended;
use crate::run::{Phase, Run};
use crate::shared::Shared;

/// What all commands of an executor share.
pub(crate) struct Commands {
    base: Base,
    null: Option<File>,
}

/// What the commands of one slot use one after another.
pub(crate) struct CommandRunner {
    stack: ChildStack,
    lookup: Lookup,
    orphans: Orphans,
    buffer: Vec<u8>,
}

/// What a command gave, and what it used.
struct Done {
    end: Result<(), Failure>,
    output: Payload,
    stderr: Payload,
    status: Option<Status>,
}

/// One task of a run.
struct Task<'a> {
    shared: &'a Shared,
    run: &'a Run,
    item: &'a GrantItem,
    scope: Scope<'a>,
}

impl Commands {
    pub(crate) fn new(config: &ExecutorConfig) -> Self {
        // A kernel that refuses leaves orphans to another process; all else works without.
        drop(spawn::become_subreaper());
        Self { base: Base::new(config), null: File::open("/dev/null").ok() }
    }

    /// Asks a command's group to end, or kills it.
    pub(crate) fn signal(&self, group: i32, hard: bool) {
        spawn::signal(-group, if hard { libc::SIGKILL } else { libc::SIGTERM });
    }
}

impl CommandRunner {
    pub(crate) fn new() -> Self {
        spawn::block_sigpipe();
        Self {
            stack: ChildStack::new(),
            lookup: Lookup::default(),
            orphans: Orphans::new(),
            buffer: Vec::new(),
        }
    }

    /// Runs the commands of a run until one of them is the last.
    pub(crate) fn run(&mut self, shared: &Arc<Shared>, run: &Arc<Run>) {
        let mut clock = Clock::new(shared, run.start.budget);
        if !run.enter(Phase::Waiting, shared.now()) {
            return;
        }
        self.buffer.resize(READ_BYTES, 0);
        for item in run.items() {
            let Action::Command { argv } = &item.spec.body.action else { return };
            let upstream = read_upstream(shared, item).map(|read| texts(&read));
            for index in item.range.first..item.range.end() {
                let done = match &upstream {
                    Ok(upstream) => {
                        let scope = scope(item, index, run.start.slot, upstream);
                        self.run_one(&Task { shared, run, item, scope }, argv)
                    }
                    Err(failure) => Done::failed(failure.clone()),
                };
                if !record(shared, run, done, &mut clock) || clock.is_spent() {
                    return;
                }
            }
        }
    }

    fn run_one(&mut self, task: &Task<'_>, argv: &[Template]) -> Done {
        let surroundings = &task.item.spec.body.surroundings;
        let config = &task.shared.config;
        let job = config.cwd.clone().unwrap_or_default();
        let scratch = match Scratch::new(surroundings, &task.scope, &job, &config.scratch_dir) {
            Ok(scratch) => scratch,
            Err(failure) => return Done::failed(failure),
        };
        let given = surroundings.cwd.as_ref().map(|cwd| path_of(cwd, &task.scope, &job));
        let ran_in = given.clone().or_else(|| scratch.as_ref().map(|dir| dir.path().to_path_buf()));
        let ran_in = ran_in.unwrap_or_else(|| job.clone());
        let files_at = given.as_deref().unwrap_or(&job);
        let started = self.start(task, argv, files_at, &ran_in, scratch.as_ref());
        let mut done = match started {
            Ok((child, taps, mark)) => self.attend(task, &child, taps, &mark),
            Err(failure) => Done::failed(failure),
        };
        if let Some(scratch) = scratch {
            if done.end.is_ok() {
                done.end = scratch.collect(surroundings, &task.scope, &job, &ran_in);
            }
            let path = scratch.path().to_path_buf();
            if let Err(error) = scratch.remove()
                && done.end.is_ok()
            {
                let text = format!("could not remove `{}`: {error}", path.display());
                done.end = Err(Failure::Error(text.into()));
            }
        }
        done
    }

    fn start(
        &mut self,
        task: &Task<'_>,
        argv: &[Template],
        files_at: &Path,
        ran_in: &Path,
        scratch: Option<&Scratch>,
    ) -> Result<(Child, Taps, CString), Failure> {
        let Task { shared, run, item, scope } = task;
        let body = &item.spec.body;
        let words = Template::expand_argv(argv, scope)
            .into_iter()
            .map(|word| CString::new(word).map_err(|error| holds_zero(&error.into_vec())));
        let words = words.collect::<Result<Vec<CString>, Failure>>()?;
        let Some(name) = words.first().map(|word| word.to_bytes()).filter(|name| !name.is_empty())
        else {
            return Err(Failure::NotStarted("the command has no words".into()));
        };
        let base = &shared.commands.base;
        let scratch = scratch.map(Scratch::path);
        let environment = base.of_task(item, scope, run.no().0, scratch)?;
        let null = shared.commands.null.as_ref();
        let streams = Streams::open(&body.surroundings, scope, files_at, null)?;
        let cwd = Some(ran_in).filter(|dir| !dir.as_os_str().is_empty());
        let cwd = cwd.map(|dir| CString::new(dir.as_os_str().as_bytes())).transpose();
        let cwd = cwd.map_err(|error| holds_zero(&error.into_vec()))?;
        let (stdin, stdout, stderr) = streams.ends();
        let memory = body.request.resources.memory;
        let env = environment.all(base);
        let program = self.find(name, base, &environment)?;
        let plan = Plan {
            program: &program,
            argv: &words,
            env: &env,
            cwd: cwd.as_deref(),
            stdin,
            stdout,
            stderr,
            data_max: Some(memory).filter(|&most| most > 0 && shared.config.limit_memory),
        };
        let child = spawn::spawn(&plan, &mut self.stack).map_err(|error| {
            self.lookup.forget();
            not_started(&error, name, program.to_bytes(), ran_in)
        })?;
        Ok((child, streams.taps, environment.mark))
    }

    fn find(
        &mut self,
        name: &[u8],
        base: &Base,
        environment: &Environment,
    ) -> Result<CString, Failure> {
        match &environment.path {
            Some(path) => Lookup::default().find(name, path),
            None => self.lookup.find(name, &base.path),
        }
    }

    /// Stays with a command until it and all it started is gone.
    fn attend(&mut self, task: &Task<'_>, child: &Child, mut taps: Taps, mark: &CString) -> Done {
        let Task { shared, run, item, scope } = task;
        if run.enter_command(child.pid) {
            // It was asked to end while it started; it never gets to do anything of use.
            spawn::signal(-child.pid, libc::SIGKILL);
        }
        let beats = item.spec.body.heartbeat_timeout.is_some();
        let id = bary_model::id::TaskId { index: scope.index as u32, ..item.range.head() };
        let mut hand = |stream: Stream, bytes: Bytes| {
            shared.completions.output(id, item.attempt, stream, bytes);
        };
        let (config, buffer) = (&shared.config, &mut self.buffer);
        let mut alive = || {
            if beats {
                shared.beat(run)
            }
        };
        let pumped = taps.pump(child, buffer, config, &mut hand, &mut alive);
        let reaped = pumped.as_ref().ok().copied().flatten();
        let status = tree::end(run, child, reaped, mark, &mut self.orphans);
        taps.drain(buffer, config, &mut hand);
        let end = match (pumped, status.map(|status| status.end)) {
            (Err(error), _) => Err(Failure::Error(format!("lost the command: {error}").into())),
            (Ok(_), Some(Ok(0))) => Ok(()),
            (Ok(_), Some(Ok(code))) => Err(Failure::Exit(code)),
            (Ok(_), Some(Err(signal))) => Err(Failure::Signal(signal)),
            (Ok(_), None) => Err(Failure::Error("something else reaped the command".into())),
        };
        keep(shared, taps, end, status)
    }
}

impl Done {
    fn failed(failure: Failure) -> Self {
        let (output, stderr) = (Payload::Empty, Payload::Empty);
        Self { end: Err(failure), output, stderr, status: None }
    }
}

fn record(shared: &Shared, run: &Run, done: Done, clock: &mut Clock) -> bool {
    if shared.config.stretch > 1.0 {
        run.linger(rest_of(shared, clock, shared.config.stretch));
    }
    let mut usage = clock.lap(shared, run.start.slot);
    usage.cpu = done.status.map_or(Span::ZERO, |status| status.cpu);
    usage.peak_memory = done.status.map_or(0, |status| status.peak_memory);
    let ended = Ended { end: done.end, output: done.output, stderr: done.stderr, usage };
    let (goes_on, unwanted) = run.record(ended, (Phase::Waiting, clock.now()));
    shared.release(&unwanted);
    goes_on
}

/// Hands what was captured to the store, with a last line where some of it was thrown away.
fn keep(shared: &Shared, taps: Taps, mut end: Result<(), Failure>, status: Option<Status>) -> Done {
    let is_cut = |tap: &Option<Tap>| tap.as_ref().is_some_and(|tap| tap.captured.is_cut());
    let cut = is_cut(&taps.out) || is_cut(&taps.err);
    let (out, mut err) = (taps.out, taps.err);
    if let Some(err) = err.as_mut().filter(|_| cut) {
        err.captured.note(&format!("output cut at {}", size(shared.config.output_bytes_max)));
    }
    let mut payload = |tap: Option<Tap>| {
        let Some(tap) = tap else { return Payload::Empty };
        tap.captured.into_payload(&*shared.store).unwrap_or_else(|error| {
            end = Err(Failure::Error(format!("the output could not be kept: {error}").into()));
            Payload::Empty
        })
    };
    let (output, stderr) = (payload(out), payload(err));
    Done { end, output, stderr, status }
}

/// A number of bytes as people write it.
fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}

fn not_started(error: &SpawnError, name: &[u8], file: &[u8], ran_in: &Path) -> Failure {
    let file = Path::new(OsStr::from_bytes(file));
    match (error.step, error.source.raw_os_error()) {
        (Step::Chdir, _) => failed("run in", ran_in, &error.source),
        (Step::Exec, Some(libc::ENOENT)) if ran_in.join(file).exists() => {
            failed("find the interpreter that the first line names of", file, &error.source)
        }
        (Step::Exec, Some(libc::ENOENT | libc::ENOTDIR)) => not_found(name),
        (Step::Exec, Some(libc::EACCES)) => not_executable(file),
        (Step::Exec, _) => failed("execute", file, &error.source),
        (Step::Clone | Step::SetUp, _) => {
            // Too many processes pass by; another attempt can help.
            Failure::Error(format!("could not make a process: {}", error.source).into())
        }
    }
}
