//! Running one command from its words to its outcome.

use std::ffi::CString;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bary_model::action::Action;
use bary_model::id::TaskId;
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::template::{Scope, Template};
use bary_model::time::Span;
use bary_ports::executor::Stream;
use bytes::Bytes;

use super::beside::Company;
use super::brand::Brand;
use super::census::Counted;
use super::environment::{Base, Environment, Given};
use super::keep::keep;
use super::kernel::{self, Rlimit, Status};
use super::lookup::{Lookup, holds_zero};
use super::memory::Memory;
use super::patience::{Refusal, patiently};
use super::pump::{READ_BYTES, Taps};
use super::scratch::Scratch;
use super::spawn::{self, Child, ChildStack, Plan};
use super::streams::{Streams, path_of};
use super::tree::{self, Known, Orphans};
use super::unstarted::not_started;
use crate::arguments::{Unread, read_upstream, scope, texts};
use crate::blocking::{AWAY_WAIT, Clock, rest_of};
use crate::config::ExecutorConfig;
use crate::report::Ended;
use crate::run::{Phase, Run};
use crate::shared::Shared;

/// What all commands of an executor share.
pub(crate) struct Commands {
    pub(super) base: Base,
    null: Option<File>,
    pub(super) files: Option<Rlimit>,
    pub(super) orphans: Orphans,
    pub(super) company: Company,
    pub(super) given: Given,
}

/// What the commands of one slot use one after another.
pub(crate) struct CommandRunner {
    stack: ChildStack,
    lookup: Lookup,
    buffer: Vec<u8>,
}

/// What a command gave, and what it used.
pub(super) struct Done {
    pub(super) end: Result<(), Failure>,
    pub(super) output: Payload,
    pub(super) stderr: Payload,
    pub(super) status: Option<Status>,
}

/// One task of a run.
pub(super) struct Task<'a> {
    pub(super) shared: &'a Shared,
    pub(super) run: &'a Run,
    item: &'a GrantItem,
    index: u32,
    scope: Scope<'a>,
}

/// A command that runs.
struct Started {
    child: Child,
    taps: Taps,
    environment: Arc<Environment>,
    counted: Counted,
}

/// Where a command runs and where its files are.
struct Places<'a> {
    files_at: &'a Path,
    ran_in: &'a Path,
    scratch: Option<&'a Path>,
}

impl Commands {
    pub(crate) fn new(config: &ExecutorConfig) -> Self {
        // A kernel that refuses leaves orphans to another process; all else works without.
        drop(kernel::become_subreaper());
        Self {
            base: Base::new(config),
            files: kernel::raise_files(),
            null: File::open("/dev/null").ok(),
            orphans: Orphans::new(),
            company: Company::default(),
            given: Given::default(),
        }
    }

    /// What may be left of a command, and what runs beside it.
    fn around(&self) -> (&Orphans, &Company) {
        (&self.orphans, &self.company)
    }

    /// Asks a command's group to end, or kills it.
    pub(crate) fn signal(&self, group: i32, hard: bool) {
        kernel::signal(-group, if hard { libc::SIGKILL } else { libc::SIGTERM });
    }

    /// Kills what commands have left behind, unless one runs in another executor.
    pub(crate) fn close(&self) {
        tree::sweep();
    }
}

impl CommandRunner {
    pub(crate) fn new() -> Self {
        kernel::block_sigpipe();
        Self { stack: ChildStack::new(), lookup: Lookup::default(), buffer: Vec::new() }
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
            let upstream = read_upstream(&*shared.store, item).map(|read| texts(&read));
            for index in item.range.first..item.range.end() {
                let done = match &upstream {
                    Ok(upstream) => {
                        let scope = scope(item, index, run.start.slot, upstream);
                        self.run_one(&Task { shared, run, item, index, scope }, argv)
                    }
                    Err(Unread::Lost(failure)) => Some(Done::failed(failure.clone())),
                    Err(Unread::Away) => {
                        run.linger(AWAY_WAIT);
                        None
                    }
                };
                // It could not start, or was asked to end before: it is returned with the rest.
                let Some(done) = done else { return };
                if !record(shared, run, done, &mut clock) || clock.is_spent() {
                    return;
                }
            }
        }
    }

    /// Runs one command; none where its run was asked to end before it could be started.
    fn run_one(&mut self, task: &Task<'_>, argv: &[Template]) -> Option<Done> {
        let surroundings = &task.item.spec.body.surroundings;
        let (scope, config) = (&task.scope, &task.shared.config);
        let wait = config.start_wait_max;
        let job = config.cwd.clone().unwrap_or_default();
        let made = || Scratch::new(surroundings, scope, &job, &config.scratch_dir);
        let scratch = match patiently(task.run, wait, made)? {
            Ok(scratch) => scratch,
            Err(failure) => return Some(Done::failed(failure)),
        };
        let scratch_at = scratch.as_ref().map(Scratch::path);
        let given = surroundings.cwd.as_ref().map(|cwd| path_of(cwd, scope, &job));
        let ran_in = given.as_deref().or(scratch_at).unwrap_or(&job);
        let files_at = given.as_deref().unwrap_or(&job);
        let places = Places { files_at, ran_in, scratch: scratch_at };
        let started = patiently(task.run, wait, || self.start(task, argv, &places))?;
        let mut done = match started {
            Ok(started) => self.attend(task, started),
            Err(failure) => Done::failed(failure),
        };
        let Some(scratch) = &scratch else { return Some(done) };
        let late = || Err(Failure::Error("it was stopped before its files were kept".into()));
        if done.end.is_ok() {
            let collected = || scratch.collect(surroundings, scope, &job, ran_in);
            done.end = patiently(task.run, wait, collected).unwrap_or_else(late);
        }
        let removed = patiently(task.run, wait, || scratch.remove()).unwrap_or_else(late);
        done.end = done.end.and(removed);
        Some(done)
    }

    fn start(
        &mut self,
        task: &Task<'_>,
        argv: &[Template],
        places: &Places<'_>,
    ) -> Result<Started, Refusal> {
        let Task { shared, run, item, scope, .. } = task;
        let body = &item.spec.body;
        let words = Template::expand_argv(argv, scope)
            .into_iter()
            .map(|word| CString::new(word).map_err(|error| holds_zero(&error.into_vec())));
        let words = words.collect::<Result<Vec<CString>, Failure>>()?;
        let Some(name) = words.first().map(|word| word.to_bytes()).filter(|name| !name.is_empty())
        else {
            return Err(Failure::NotStarted("the command has no words".into()).into());
        };
        let commands = &shared.commands;
        let environment = commands.base.of_task(item, scope, run.no().0, places.scratch)?;
        let program = self.find(name, &commands.base, &environment)?;
        let null = commands.null.as_ref();
        let streams = Streams::open(&body.surroundings, scope, places.files_at, null)?;
        let cwd = Some(places.ran_in).filter(|dir| !dir.as_os_str().is_empty());
        let cwd = cwd.map(|dir| CString::new(dir.as_os_str().as_bytes())).transpose();
        let cwd = cwd.map_err(|error| holds_zero(&error.into_vec()))?;
        let (stdin, stdout, stderr) = streams.ends();
        let memory = body.request.resources.memory;
        let env = environment.all(&commands.base);
        let counted = Counted::new(shared.config.family);
        let plan = Plan {
            program: &program,
            argv: &words,
            env: &env,
            cwd: cwd.as_deref(),
            stdin,
            stdout,
            stderr,
            data_max: Some(memory).filter(|&most| most > 0 && shared.config.limit_memory),
            files: commands.files,
            brand: counted.brand.map(Brand::value),
            terminal: false,
        };
        let child = spawn::spawn(&plan, &mut self.stack).map_err(|error| {
            self.lookup.forget();
            not_started(&error, name, program.to_bytes(), places.ran_in)
        })?;
        let (taps, environment) = (streams.taps, Arc::new(environment));
        Ok(Started { child, taps, environment, counted })
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
    fn attend(&mut self, task: &Task<'_>, started: Started) -> Done {
        let Task { shared, run, item, index, .. } = task;
        let Started { child, mut taps, environment, counted } = started;
        shared.commands.given.add(child.pid, &environment);
        if run.enter_command(child.pid) {
            // It was asked to end while it started; it never gets to do anything of use.
            kernel::signal(-child.pid, libc::SIGKILL);
        }
        let beats = item.spec.body.heartbeat_timeout.is_some();
        let id = TaskId { index: *index, ..item.range.head() };
        let mut hand = |stream: Stream, bytes: Bytes| {
            shared.completions.output(item.fence.shard, id, item.attempt, stream, bytes);
        };
        let (config, buffer) = (&shared.config, &mut self.buffer);
        let mut alive = || {
            if beats {
                shared.beat(run)
            }
        };
        let mut memory = Memory::of(child.pid);
        let mut pumped = taps.pump((&child, &mut memory), buffer, config, &mut hand, &mut alive);
        if let Ok(reaped) = &mut pumped
            && run.has_grace()
        {
            // Asked to end, a shell dies before what it has started: the group keeps its grace.
            *reaped = reaped.or_else(|| kernel::wait(child.pid));
            let mut wanted = || run.has_grace() && kernel::has_members(child.pid);
            if let Err(error) = taps.pump_while(&mut wanted, buffer, config, &mut hand) {
                pumped = Err(error);
            }
        }
        let reaped = pumped.as_ref().ok().copied().flatten();
        let known = Known { mark: &environment.mark, brand: counted.brand };
        let status = tree::end(run, &child, reaped, &known, shared.commands.around());
        let status = status.map(|status| memory.complete(status));
        shared.commands.given.remove(child.pid, &environment);
        drop((child, counted));
        taps.drain(buffer, config, &mut hand);
        let end = match (pumped, status.map(|status| status.end)) {
            (Err(error), _) => Err(Failure::Error(format!("lost the command: {error}").into())),
            (Ok(_), Some(Ok(0))) => Ok(()),
            (Ok(_), Some(Ok(code))) => Err(Failure::Exit(code)),
            (Ok(_), Some(Err(signal))) => Err(Failure::Signal(signal)),
            (Ok(_), None) => Err(Failure::Error("something else reaped the command".into())),
        };
        keep(task, taps, end, status)
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
