//! What nodes and other homes say to a home, and what its timers say.

use bary_model::id::{NodeId, TaskRange};
use bary_model::message::{Message, Say};

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// A node, or another home, says something to this one.
    pub(crate) fn on_message(
        &mut self,
        from: NodeId,
        message: Message,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        // What nodes say before the reign is on record does not count; they say it again then.
        if self.opening.is_some() {
            self.relist(from, out);
            return;
        }
        if let Say::Hello(hello) = message.say {
            if message.epoch == self.log.epoch {
                self.on_hello(from, hello, out, timers);
            } else {
                self.relist(from, out);
            }
            return;
        }
        if message.epoch != self.log.epoch || !self.has_session(from) {
            self.relist(from, out);
            return;
        }
        match message.say {
            Say::Ask(ask) => self.on_ask(from, ask, out, timers),
            Say::Outcomes(outcomes) => self.on_outcomes(from, outcomes, out, timers),
            Say::Repeat(batches) => {
                for outcomes in batches {
                    self.on_outcomes(from, outcomes, out, timers);
                }
            }
            Say::Retracted { items } => self.on_retracted(from, items, out, timers),
            Say::Pulse(digest) => self.on_pulse(from, digest, out),
            Say::Checkpoint { fence, task, step, payload } => {
                self.on_checkpoint(from, (fence, task), step, payload, out);
            }
            Say::Claim(claim) => self.on_claim(from, claim, out, timers),
            Say::Yield { items } => self.on_yield(from, items, out, timers),
            Say::Busy(busy) => self.on_busy(from, busy, out, timers),
            Say::Hello(_)
            | Say::Load { .. }
            | Say::Grant(_)
            | Say::Settled { .. }
            | Say::Retract(_)
            | Say::Level(_)
            | Say::Seek { .. }
            | Say::Token { .. }
            | Say::Watch { .. }
            | Say::Need(_)
            | Say::Permitted { .. }
            | Say::Keeps { .. }
            | Say::Away
            | Say::Absent { .. }
            | Say::Done { .. }
            | Say::Relist { .. }
            | Say::Reserve { .. }
            | Say::Release
            | Say::Survey { .. }
            | Say::Distances { .. }
            | Say::Probe { .. }
            | Say::Echo { .. }
            | Say::Gauge
            | Say::Announce(_) => {}
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, out: &mut Outbox, timers: &mut Timers) {
        match timer {
            Timer::Retry(_, task, failed) if self.still_waits(task, failed) => {
                self.make_ready(TaskRange::one(task));
                self.serve(out, timers);
            }
            Timer::Steal(_, thief) => self.on_steal_timer(thief, out, timers),
            Timer::Lease(_, node) => self.on_lease_timer(node, out, timers),
            Timer::Settle(_, node) => self.on_settle_timer(node, out),
            Timer::Lapse(_) => self.on_lapse_timer(out, timers),
            Timer::Level(_) => self.on_level_timer(out),
            Timer::Permits(_) => self.on_permits_timer(out, timers),
            Timer::Watch(_) => self.on_watch_timer(out, timers),
            Timer::Remind(_) => self.on_remind_timer(out, timers),
            Timer::Laid(_, job) => self.on_laid_timer(job, out, timers),
            Timer::Due(_, job) => self.on_due(job, out, timers),
            Timer::Straggle(_) => self.on_straggle_timer(out, timers),
            Timer::Gauge(_) => self.on_gauge_timer(out, timers),
            Timer::Gather(_) => {
                self.gathering = None;
                self.serve(out, timers);
            }
            Timer::Gang(_) => self.on_gang_timer(out, timers),
            Timer::Turn(_) => {
                self.line.turn = None;
                self.serve(out, timers);
            }
            Timer::Word(_) => {
                self.word = None;
                self.seek_again(out, timers);
            }
            _ => {}
        }
    }
}
