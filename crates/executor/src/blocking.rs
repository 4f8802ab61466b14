//! Functions that run on the thread of their slot, many in one run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bary_model::message::GrantItem;
use bary_model::outcome::{Failure, Usage};
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};
use bary_ports::function::{Call, Function, FunctionResult};

use crate::arguments::Unread;
use crate::call::{Calls, function_of, outcome, scales_itself};
use crate::report::Ended;
use crate::run::{Phase, Run};
use crate::shared::Shared;

/// How long a run waits whose tasks read what a member of the cluster keeps that is away, before it
/// is given back, to be started again.
pub(crate) const AWAY_WAIT: Duration = Duration::from_secs(1);

/// The clock of a run: each reading ends one task and begins the next.
pub(crate) struct Clock {
    now: Moment,
    end: Moment,
}

impl Clock {
    pub(crate) fn new(shared: &Shared, budget: Span) -> Self {
        let now = shared.now();
        Self { now, end: now + budget }
    }

    /// When the current task began.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// Whether no further task is to be begun.
    pub(crate) fn is_spent(&self) -> bool {
        self.now >= self.end
    }

    /// Reads the clock; what the time since the last reading was used for.
    pub(crate) fn lap(&mut self, shared: &Shared, slot: u32) -> Usage {
        let began = self.now;
        self.now = shared.now();
        Usage { began, busy: self.now.since(began), slot, ..Usage::default() }
    }
}

/// Runs the functions of a run until its items are done, it is asked to end, its budget is spent
/// or an item comes that is not for this thread.
pub(crate) fn run_functions(shared: &Arc<Shared>, run: &Arc<Run>) {
    let mut clock = Clock::new(shared, run.start.budget);
    if !run.enter(Phase::Calling, clock.now) {
        return;
    }
    for item in run.items() {
        let goes_on = match function_of(shared, item) {
            Some(Ok(Function::Blocking(function))) => match Calls::new(shared, run, item) {
                Ok(calls) => run_item(shared, run, item, calls, &**function, &mut clock),
                Err(Unread::Lost(failure)) => fail_item(shared, run, item, &failure, &mut clock),
                Err(Unread::Away) => {
                    run.linger(AWAY_WAIT);
                    false
                }
            },
            Some(Err(failure)) => fail_item(shared, run, item, &failure, &mut clock),
            Some(Ok(Function::Async(_))) | None => false,
        };
        if !goes_on {
            return;
        }
    }
}

fn run_item(
    shared: &Shared,
    run: &Run,
    item: &GrantItem,
    mut calls: Calls<'_>,
    function: &dyn Fn(&Call) -> FunctionResult,
    clock: &mut Clock,
) -> bool {
    let stretch = if scales_itself(item) { 1.0 } else { shared.config.stretch };
    for offset in 0..item.range.count {
        let call = calls.at(offset);
        let returned = catch_unwind(AssertUnwindSafe(|| function(call)));
        let (end, output) = outcome(shared, returned);
        if stretch > 1.0 {
            run.linger(rest_of(shared, clock, stretch));
        }
        if !record(shared, run, end, output, clock) || clock.is_spent() {
            return false;
        }
    }
    true
}

/// Fails every task of an item that cannot be called at all.
pub(crate) fn fail_item(
    shared: &Shared,
    run: &Run,
    item: &GrantItem,
    failure: &Failure,
    clock: &mut Clock,
) -> bool {
    (0..item.range.count).all(|_| record(shared, run, Err(failure.clone()), Payload::Empty, clock))
}

/// Records a task that has just ended; whether the run goes on.
pub(crate) fn record(
    shared: &Shared,
    run: &Run,
    end: Result<(), Failure>,
    output: Payload,
    clock: &mut Clock,
) -> bool {
    let usage = clock.lap(shared, run.start.slot);
    if end.is_ok() && output.is_empty() && !clock.is_spent() && run.record_nothing(&usage) {
        return true;
    }
    let next = if clock.is_spent() { Phase::Waiting } else { Phase::Calling };
    let ended = Ended { end, output, stderr: Payload::Empty, usage };
    let (goes_on, unwanted) = run.record(ended, (next, clock.now));
    shared.release(&unwanted);
    goes_on
}

/// How much longer a task keeps a slot that is `stretch` times slower than this machine.
pub(crate) fn rest_of(shared: &Shared, clock: &Clock, stretch: f64) -> Duration {
    shared.now().since(clock.now).to_std().mul_f64(stretch - 1.0)
}
