//! How busy this machine is: measured when a home asks, once for all that ask meanwhile.

use bary_model::id::ShardId;
use bary_model::message::Say;
use bary_model::node::Busy;

use crate::effect::Effect;
use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::timers::Timers;

impl Runner {
    /// A home wants to know.
    pub(crate) fn on_gauge(&mut self, home: ShardId, out: &mut Outbox) {
        if self.gauging.is_empty() {
            out.effect(Effect::Gauge);
        }
        self.gauging.insert(home);
    }

    /// It was measured, or cannot be.
    pub(crate) fn on_gauged(&mut self, busy: Option<Busy>, out: &mut Outbox, timers: &mut Timers) {
        while let Some(home) = self.gauging.pop_first() {
            self.say(home, Say::Busy(busy), out, timers);
        }
    }
}
