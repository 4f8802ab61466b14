//! The thread of a slot: it takes runs one after another and ends when its slot is given up.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};

use bary_model::action::Action;
use bary_model::outcome::{Failure, Usage};
use bary_model::payload::Payload;
use bary_ports::executor::Completion;

use crate::blocking::run_functions;
use crate::call::quiet_panics;
use crate::process::CommandRunner;
use crate::report::Ended;
use crate::run::{Phase, Run, locked};
use crate::shared::Shared;

/// A slot's queue and the thread that serves it now.
pub(crate) struct Slot {
    line: Arc<Line>,
    thread: JoinHandle<()>,
}

struct Line {
    queue: Mutex<Queue>,
    wake: Condvar,
}

struct Queue {
    /// At most one run for each slot that this thread serves, and one report.
    jobs: VecDeque<Job>,
    /// Which thread serves it; threads of earlier generations end when they see this.
    generation: u64,
    /// How many threads were made after the first; numbers are never used again.
    made: u64,
    closed: bool,
}

enum Job {
    Run(Arc<Run>),
    /// The end of a run whose thread was given up.
    Report(Completion),
}

impl Slot {
    /// Starts the thread of the slot with this index.
    pub(crate) fn new(shared: &Arc<Shared>, index: usize) -> io::Result<Self> {
        let queue = Queue { jobs: VecDeque::new(), generation: 0, made: 0, closed: false };
        let line = Arc::new(Line { queue: Mutex::new(queue), wake: Condvar::new() });
        let thread = serve(shared, &line, index, 0)?;
        Ok(Self { line, thread })
    }

    /// Gives a run to the thread.
    pub(crate) fn start(&self, run: Arc<Run>) {
        locked(&self.line.queue).jobs.push_back(Job::Run(run));
        self.line.wake.notify_one();
    }

    /// The thread, to be woken from a rest.
    pub(crate) fn thread(&self) -> &Thread {
        self.thread.thread()
    }

    /// Gives up on the function that keeps the thread, if there is one, and renews the thread.
    /// The new one reports the end of the run. Where no thread can be had, nothing changes.
    pub(crate) fn give_up(&mut self, shared: &Arc<Shared>, index: usize, run: &Run) {
        let mut queue = locked(&self.line.queue);
        queue.made += 1;
        let generation = queue.made;
        // The new thread waits for the lock, and ends at once where the run ended by itself.
        let Ok(thread) = serve(shared, &self.line, index, generation) else { return };
        let Some(items) = run.abandon(run.start.slot, shared.now()) else { return };
        shared.abandoned.fetch_add(1, Ordering::Relaxed);
        locked(&shared.live).remove(&run.no());
        queue.generation = generation;
        queue.jobs.push_front(Job::Report(Completion::Ended { run: run.no(), items }));
        drop(queue);
        self.thread = thread;
    }

    /// Waits until the thread has worked off its queue and ended.
    pub(crate) fn close(self) {
        locked(&self.line.queue).closed = true;
        self.line.wake.notify_all();
        // The thread catches every panic, so that joining it cannot fail.
        drop(self.thread.join());
    }
}

fn serve(
    shared: &Arc<Shared>,
    line: &Arc<Line>,
    index: usize,
    generation: u64,
) -> io::Result<JoinHandle<()>> {
    let (shared, line) = (Arc::clone(shared), Arc::clone(line));
    let name = format!("bary-slot-{}", index + 1);
    std::thread::Builder::new().name(name).spawn(move || {
        quiet_panics();
        let mut commands = None;
        let mut served = false;
        while let Some(job) = line.next(generation) {
            served = true;
            match job {
                Job::Run(run) => run_caught(&shared, &mut commands, &run),
                Job::Report(completion) => shared.completions.complete(completion),
            }
        }
        // A thread that was made and then not needed has served nothing and was never counted.
        if served && locked(&line.queue).generation != generation {
            shared.abandoned.fetch_sub(1, Ordering::Relaxed);
        }
    })
}

impl Line {
    /// The next job for the thread of this generation; none where it is to end.
    fn next(&self, generation: u64) -> Option<Job> {
        let mut queue = locked(&self.queue);
        loop {
            if queue.generation != generation {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs and reports a run, also where the executor itself has a fault.
fn run_caught(shared: &Arc<Shared>, commands: &mut Option<CommandRunner>, run: &Arc<Run>) {
    let is_command = run
        .items()
        .first()
        .is_some_and(|item| matches!(item.spec.body.action, Action::Command { .. }));
    let done = catch_unwind(AssertUnwindSafe(|| match is_command {
        true => commands.get_or_insert_with(CommandRunner::new).run(shared, run),
        false => run_functions(shared, run),
    }));
    if done.is_err() {
        let failure = Failure::Panicked("the executor panicked; this is a fault of it".into());
        let usage = Usage { began: shared.now(), slot: run.start.slot, ..Usage::default() };
        let (output, stderr) = (Payload::Empty, Payload::Empty);
        let ended = Ended { end: Err(failure), output, stderr, usage };
        drop(run.record(ended, (Phase::Waiting, shared.now())));
    }
    shared.finish(run);
}
