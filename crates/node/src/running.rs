//! The runs that a host has started and that have not ended, for when it is asked to leave its work
//! as it is: they are asked to end, and killed when their grace is over.

use std::collections::BTreeMap;
use std::time::Instant;

use bary_model::id::RunNo;
use bary_model::message::GrantItem;
use bary_model::time::Span;
use bary_ports::executor::{Executor, Stop, StopReason};

/// Runs under way.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Each with the longest grace of its tasks.
    runs: BTreeMap<RunNo, Span>,
    /// Since when nothing more is started, and when what still runs is killed.
    leaving: Option<Instant>,
    /// Whether nothing more is started, but what runs is let be.
    draining: bool,
    killed: bool,
}

impl Running {
    pub(crate) fn on_start(&mut self, run: RunNo, items: &[GrantItem]) {
        let grace = items.iter().map(|item| item.spec.body.grace).max();
        self.runs.insert(run, grace.unwrap_or_default());
    }

    pub(crate) fn on_ended(&mut self, run: RunNo) {
        self.runs.remove(&run);
    }

    /// Whether nothing more is started.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_some() || self.draining
    }

    /// Whether there is time to let others know of what has ended: nobody wants the end at once.
    pub(crate) fn has_time(&self) -> bool {
        self.leaving.is_none()
    }

    /// Whether nothing runs and nothing more will.
    pub(crate) fn has_left(&self) -> bool {
        self.is_leaving() && self.runs.is_empty()
    }

    /// Asks everything to end.
    pub(crate) fn leave(&mut self, executor: &mut dyn Executor) {
        if self.leaving.is_some() {
            return;
        }
        let grace = self.runs.values().max().copied().unwrap_or_default();
        self.leaving = Some(Instant::now() + grace.to_std());
        for run in self.runs.keys() {
            executor.stop(*run, Stop::Ask(StopReason::Cancel));
        }
    }

    /// Begins nothing more, and lets what runs go on to its end.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// When what still runs is to be killed, if anything does.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.leaving.filter(|_| !self.runs.is_empty() && !self.killed)
    }

    /// Kills what has not ended in time.
    pub(crate) fn on_time(&mut self, executor: &mut dyn Executor) {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            self.killed = true;
            for run in self.runs.keys() {
                executor.stop(*run, Stop::Kill(StopReason::Cancel));
            }
        }
    }
}
