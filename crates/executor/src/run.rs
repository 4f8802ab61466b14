//! A run that was started: what stops it, what it has reported, and that it ends once.
//!
//! A function that does not return is given up on by whoever kills its run, while its thread may
//! still come back. One lock around the report decides between them, taken once a task.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bary_model::id::{RunNo, ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Usage};
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};
use bary_ports::executor::{Completion, Completions, Start, Stop, StopReason};

use crate::report::{Ended, Report};

/// What a run is doing, as far as stopping it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing that could not be told to stop by a flag.
    Waiting,
    /// A function of the user's, on a thread that can be given up.
    Calling,
    /// A command, with its process group.
    Command(i32),
    /// It has ended; nothing it does counts any more.
    Over,
}

/// One started run.
pub(crate) struct Run {
    pub(crate) start: Start,
    /// Functions read this as `Call::stop`.
    pub(crate) stop: Arc<AtomicBool>,
    /// Wakes the future of a run that is killed.
    pub(crate) killed: tokio::sync::Notify,
    beaten: AtomicU64,
    state: Mutex<State>,
}

struct State {
    report: Report,
    asked: Option<StopReason>,
    /// Whether it was not only asked but killed.
    killed: bool,
    phase: Phase,
    /// When the current task began.
    began: Moment,
}

/// A lock that stays usable after a panic: what it guards is changed in whole steps.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far apart beats of one run are at least.
const BEAT: Span = Span::millis(100);

impl Run {
    pub(crate) fn new(start: Start) -> Self {
        let state = State {
            report: Report::default(),
            asked: None,
            killed: false,
            phase: Phase::Waiting,
            began: Moment::default(),
        };
        Self {
            start,
            stop: Arc::default(),
            killed: tokio::sync::Notify::new(),
            beaten: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn no(&self) -> RunNo {
        self.start.run
    }

    pub(crate) fn items(&self) -> &[GrantItem] {
        &self.start.items
    }

    /// Enters a phase with the next task; false where the run has been asked to end.
    pub(crate) fn enter(&self, phase: Phase, began: Moment) -> bool {
        let mut state = locked(&self.state);
        if state.asked.is_some() || state.phase == Phase::Over {
            return false;
        }
        state.phase = phase;
        state.began = began;
        true
    }

    /// Says that a command now runs; whether it is to be killed at once.
    pub(crate) fn enter_command(&self, group: i32) -> bool {
        let mut state = locked(&self.state);
        state.phase = Phase::Command(group);
        state.killed |= state.asked.is_some();
        state.killed
    }

    /// The command that runs for a task of a home, by its process group.
    pub(crate) fn command_of(&self, shard: ShardId, task: TaskId) -> Option<i32> {
        let state = locked(&self.state);
        let Phase::Command(group) = state.phase else { return None };
        (state.report.next(&self.start.items) == Some((shard, task))).then_some(group)
    }

    /// Whether it was asked to end.
    pub(crate) fn is_asked(&self) -> bool {
        locked(&self.state).asked.is_some()
    }

    /// Whether it was asked to end and has the time to do so.
    pub(crate) fn has_grace(&self) -> bool {
        let state = locked(&self.state);
        state.asked.is_some() && !state.killed
    }

    /// Says that the command is about to be reaped and its number no longer ours to signal.
    pub(crate) fn leave_command(&self, last: impl FnOnce()) {
        let mut state = locked(&self.state);
        last();
        state.phase = Phase::Waiting;
    }

    /// Says that user code has returned and the thread only rests.
    pub(crate) fn rest(&self) {
        let mut state = locked(&self.state);
        if state.phase == Phase::Calling {
            state.phase = Phase::Waiting;
        }
    }

    /// Records how the current task ended; `next` is the phase and the time in which the one
    /// after it begins. Whether the run goes on, and bytes that nobody wants any more.
    pub(crate) fn record(&self, ended: Ended, next: (Phase, Moment)) -> (bool, Payload) {
        let mut guard = locked(&self.state);
        let state = &mut *guard;
        let items = &self.start.items;
        match (state.phase, state.asked) {
            (Phase::Over, _) => (false, ended.output),
            (_, None) => {
                state.report.push(items, ended);
                (state.phase, state.began) = next;
                (!state.report.is_whole(items), Payload::Empty)
            }
            (_, Some(reason)) => {
                let unwanted = state.end_current(items, reason, ended);
                state.phase = Phase::Waiting;
                (false, unwanted)
            }
        }
    }

    /// Records a success that gave nothing, where it only makes the last outcome longer and the
    /// run goes on with another function; false where it takes [`Run::record`].
    pub(crate) fn record_nothing(&self, usage: &Usage) -> bool {
        let mut state = locked(&self.state);
        if state.phase != Phase::Calling || state.asked.is_some() {
            return false;
        }
        let joined = state.report.push_nothing(&self.start.items, usage.busy);
        if joined {
            state.began = usage.began + usage.busy;
        }
        joined
    }

    /// Notes that the run is to end and says in which phase it is.
    pub(crate) fn ask(&self, stop: Stop, signal: impl FnOnce(i32)) -> Phase {
        let mut state = locked(&self.state);
        let (Stop::Ask(reason) | Stop::Kill(reason)) = stop;
        if state.phase != Phase::Over {
            state.asked = Some(reason);
            state.killed |= matches!(stop, Stop::Kill(_));
            self.stop.store(true, Ordering::Relaxed);
        }
        if let Phase::Command(group) = state.phase {
            signal(group);
        }
        state.phase
    }

    /// Ends a run whose function does not return; none where it ended or is about to by itself.
    pub(crate) fn abandon(&self, slot: u32, now: Moment) -> Option<Vec<OutcomeItem>> {
        let mut state = locked(&self.state);
        let reason = state.asked?;
        let items = &self.start.items;
        if state.phase != Phase::Calling || state.report.is_whole(items) {
            return None;
        }
        let began = state.began;
        let usage = Usage { began, busy: now.since(began), slot, ..Usage::default() };
        let (output, stderr) = (Payload::Empty, Payload::Empty);
        state.end_current(items, reason, Ended { end: Ok(()), output, stderr, usage });
        Some(state.close(items))
    }

    /// Ends the run; the outcomes of all its tasks, or none where it has ended before.
    pub(crate) fn finish(&self) -> Option<Vec<OutcomeItem>> {
        let mut state = locked(&self.state);
        (state.phase != Phase::Over).then(|| state.close(&self.start.items))
    }

    /// Shows that the run is alive, if its body cares and not more often than it may.
    pub(crate) fn beat(&self, completions: &dyn Completions, now: Moment) {
        let before = self.beaten.load(Ordering::Relaxed);
        let due = before == 0 || now.since(Moment(before)) >= BEAT;
        let order = (Ordering::Relaxed, Ordering::Relaxed);
        if !due || self.beaten.compare_exchange(before, now.0.max(1), order.0, order.1).is_err() {
            return;
        }
        if locked(&self.state).phase != Phase::Over {
            completions.complete(Completion::Beat { run: self.no() });
        }
    }

    /// Keeps the slot busy for so long, or until the run is asked to end.
    pub(crate) fn linger(&self, span: Duration) {
        self.rest();
        let end = Instant::now() + span;
        while !self.stop.load(Ordering::Relaxed) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }
}

impl State {
    /// Records the end of a task whose run was asked to end; the bytes that have no place.
    fn end_current(&mut self, items: &[GrantItem], reason: StopReason, ended: Ended) -> Payload {
        let failure = match reason {
            StopReason::Timeout => Failure::TimedOut,
            StopReason::Silent => Failure::Silent,
            StopReason::Cancel => {
                self.report.push_stopped(items, ended.stderr, ended.usage);
                return ended.output;
            }
        };
        self.report.push(items, Ended { end: Err(failure), ..ended });
        Payload::Empty
    }

    fn close(&mut self, items: &[GrantItem]) -> Vec<OutcomeItem> {
        self.phase = Phase::Over;
        self.report.return_rest(items);
        self.report.take()
    }
}
