//! A worker as an executor: what the engine wants is handed to the stream, which reports.

use std::sync::Arc;

use bary_executor::report::Report;
use bary_model::id::RunNo;
use bary_ports::executor::{Completion, Completions, Executor, Start, Stop};
use tokio::sync::mpsc::UnboundedSender;

/// What the stream is to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Begin a run.
    Start(Start),
    /// Ask a run to end, or make it.
    Stop(RunNo, Stop),
    /// The node has ended.
    Close,
}

/// Hands orders on. A run has one start and at most two stops, and there are as many runs as slots,
/// so that the queue is as bounded as they are.
pub(crate) struct StreamExecutor {
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) into: Arc<dyn Completions>,
}

impl Executor for StreamExecutor {
    fn start(&mut self, start: Start) {
        if let Err(refused) = self.orders.send(Order::Start(start))
            && let Order::Start(start) = refused.0
        {
            self.into.complete(unbegun(&start));
        }
    }

    fn stop(&mut self, run: RunNo, stop: Stop) {
        // A stream that has gone has reported all its runs.
        drop(self.orders.send(Order::Stop(run, stop)));
    }

    fn close(&mut self) {
        // As above.
        drop(self.orders.send(Order::Close));
    }
}

/// The end of a run of which nothing was begun.
pub(crate) fn unbegun(start: &Start) -> Completion {
    let mut report = Report::default();
    report.return_rest(&start.items);
    Completion::Ended { run: start.run, items: report.take() }
}
