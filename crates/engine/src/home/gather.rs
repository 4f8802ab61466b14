//! Before tasks are pushed, the nodes that could get them say that they are there: a home knows of
//! nodes that it never spoke to, and would otherwise push all it has to the few that it did.

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// Asks nodes that have not spoken yet what they hold. Tells whether answers may still come;
    /// who has not answered when a lost message could have been sent again is not waited for.
    pub(super) fn gathers(&mut self, out: &mut Outbox, timers: &mut Timers) -> bool {
        let silent = self.accounts.iter().filter(|(_, account)| !account.session.open);
        let (asked, strange): (Vec<_>, Vec<_>) =
            silent.partition(|(_, account)| account.session.relisted.is_some());
        let (waits, far) = (!asked.is_empty(), strange.iter().map(|(_, a)| a.peer.round_trip));
        let far = far.max().unwrap_or(Span::ZERO);
        let strange: Vec<NodeId> = strange.into_iter().map(|(node, _)| *node).collect();
        if strange.is_empty() {
            return waits && self.gathering.is_some();
        }
        strange.into_iter().for_each(|node| self.relist(node, out));
        if self.gathering.is_none() {
            let at = out.now + self.limits.resend_min + far.times(2);
            self.gathering = Some(timers.set(at, Timer::Gather(self.log.shard)));
        }
        true
    }
}
