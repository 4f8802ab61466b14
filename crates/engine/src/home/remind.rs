//! Work that has waited for long is told of again. A node may wait for an answer that was lost with
//! a home that had sent its ask on, and would never ask here by itself.

use bary_model::id::NodeId;
use bary_policy::preset::Binding;

use crate::home::Home;
use crate::home::reach::Seeking;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// Sees to it that what is ready now is told of again, should it still wait then.
    pub(super) fn remind_later(&mut self, out: &Outbox, timers: &mut Timers) {
        if !self.is_waiting() {
            if let Some(key) = self.reminder.take() {
                timers.unset(key);
            }
        } else if self.reminder.is_none() {
            let at = out.now + self.limits.remind_every;
            self.reminder = Some(timers.set(at, Timer::Remind(self.log.shard)));
        }
    }

    /// Tells nodes that hold nothing from here of work that they could run.
    pub(super) fn on_remind_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.reminder = None;
        if self.opening.is_some() {
            return;
        }
        let idle = self.accounts.iter().filter(|(_, account)| account.holding.tasks() == 0);
        let idle: Vec<NodeId> = idle.map(|(node, _)| *node).collect();
        if self.policy.binding == Binding::Sample {
            self.reserve_everywhere(idle, out);
            self.remind_later(out, timers);
            return;
        }
        for node in idle {
            if let Some(account) = self.accounts.get_mut(&node)
                && (self.gangs.open.1 > 0 || self.ready.for_node(&account.peer.info).1 > 0)
            {
                account.told = false;
            }
        }
        self.spread_the_word(Seeking::Anywhere, out);
        self.remind_later(out, timers);
    }
}
