//! Functions that return futures: all slots share one thread, each run is one task on it.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;

use bary_model::message::GrantItem;
use bary_ports::function::{Call, Function, FunctionError, FunctionFuture, FunctionResult};
use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::arguments::Unread;
use crate::blocking::{AWAY_WAIT, Clock, fail_item, record, rest_of};
use crate::call::{Calls, function_of, outcome, quiet_panics, scales_itself};
use crate::run::{Phase, Run};
use crate::shared::Shared;

/// The thread that runs futures. Its queue holds at most one run for each slot.
pub(crate) struct Futures {
    queue: UnboundedSender<Arc<Run>>,
    thread: JoinHandle<()>,
}

impl Futures {
    /// Starts the thread.
    pub(crate) fn new(shared: &Arc<Shared>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (queue, runs) = unbounded_channel();
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("bary-futures".into()).spawn(move || {
            quiet_panics();
            runtime.block_on(serve(shared, runs));
        })?;
        Ok(Self { queue, thread })
    }

    /// Begins a run; false where the thread is gone.
    pub(crate) fn start(&self, run: Arc<Run>) -> bool {
        self.queue.send(run).is_ok()
    }

    /// Waits until all runs have ended. They have been killed before.
    pub(crate) fn close(self) {
        drop(self.queue);
        // The thread catches every panic of a function, so that joining it cannot fail.
        drop(self.thread.join());
    }
}

async fn serve(shared: Arc<Shared>, mut runs: UnboundedReceiver<Arc<Run>>) {
    let mut tasks = JoinSet::new();
    while let Some(run) = runs.recv().await {
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            run_futures(&shared, &run).await;
            shared.finish(&run);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

/// Runs the futures of a run, as `run_functions` does with functions that block.
async fn run_futures(shared: &Arc<Shared>, run: &Arc<Run>) {
    let mut clock = Clock::new(shared, run.start.budget);
    if !run.enter(Phase::Waiting, shared.now()) {
        return;
    }
    for item in run.items() {
        let goes_on = match function_of(shared, item) {
            Some(Ok(Function::Async(function))) => match Calls::new(shared, run, item) {
                Ok(calls) => run_item(shared, run, item, &calls, &**function, &mut clock).await,
                Err(Unread::Lost(failure)) => fail_item(shared, run, item, &failure, &mut clock),
                Err(Unread::Away) => {
                    let rest = Box::pin(async move {
                        tokio::time::sleep(AWAY_WAIT).await;
                        Ok(Bytes::new())
                    });
                    // It ends early where the run is killed; it has no result of its own.
                    drop(until_killed(run, rest).await);
                    false
                }
            },
            Some(Err(failure)) => fail_item(shared, run, item, &failure, &mut clock),
            Some(Ok(Function::Blocking(_))) | None => false,
        };
        if !goes_on {
            return;
        }
    }
}

async fn run_item(
    shared: &Shared,
    run: &Run,
    item: &GrantItem,
    calls: &Calls<'_>,
    function: &(dyn Fn(Call) -> FunctionFuture + Send + Sync),
    clock: &mut Clock,
) -> bool {
    let stretch = if scales_itself(item) { 1.0 } else { shared.config.stretch };
    for offset in 0..item.range.count {
        let returned = match catch_unwind(AssertUnwindSafe(|| function(calls.owned(offset)))) {
            Ok(future) => until_killed(run, future).await,
            Err(panic) => Err(panic),
        };
        let (end, output) = outcome(shared, returned);
        if stretch > 1.0 {
            let rest = tokio::time::sleep(rest_of(shared, clock, stretch));
            let rest = Box::pin(async move {
                rest.await;
                Ok(Bytes::new())
            });
            // The rest ends early where the run is killed; it has no result of its own.
            drop(until_killed(run, rest).await);
        }
        if !record(shared, run, end, output, clock) || clock.is_spent() {
            return false;
        }
    }
    true
}

/// Drives a future until it is done, panics or its run is killed, which drops it.
async fn until_killed(
    run: &Run,
    mut future: FunctionFuture,
) -> std::thread::Result<FunctionResult> {
    let mut killed = pin!(run.killed.notified());
    let mut step = |context: &mut std::task::Context<'_>| {
        if killed.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(Err(FunctionError::new("killed"))));
        }
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    };
    let returned = poll_fn(&mut step).await;
    match catch_unwind(AssertUnwindSafe(|| drop(future))) {
        Ok(()) => returned,
        Err(panic) => Err(panic),
    }
}
