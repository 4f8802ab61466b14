//! Before tasks are pushed, the nodes that could get them say that they are there: a home knows of
//! nodes that it never spoke to, and would otherwise push all it has to the few that it did. Where
//! it counts how busy they are, they say that too.

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::home::Home;
use crate::home::account::Account;
use crate::home::gauge::Gauge;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// Asks nodes that have not spoken yet what they hold. Tells whether answers may still come;
    /// who has not answered when a lost message could have been sent again is not waited for.
    pub(super) fn gathers(&mut self, out: &mut Outbox, timers: &mut Timers) -> bool {
        let gauges = self.policy.force.sees_used();
        let untold = |one: &Account| gauges && !matches!(one.gauge, Gauge::Told(_));
        let silent = self.accounts.iter().filter(|(_, one)| !one.session.open || untold(one));
        let (asked, strange): (Vec<_>, Vec<_>) = silent.partition(|(_, one)| {
            if one.session.open {
                one.gauge == Gauge::Asked
            } else {
                one.session.relisted.is_some()
            }
        });
        let (waits, far) = (!asked.is_empty(), strange.iter().map(|(_, a)| a.peer.round_trip));
        let far = far.max().unwrap_or(Span::ZERO);
        let strange: Vec<NodeId> = strange.into_iter().map(|(node, _)| *node).collect();
        if strange.is_empty() {
            return waits && self.gathering.is_some();
        }
        for node in strange {
            if self.has_session(node) { self.gauge_one(node, out) } else { self.relist(node, out) }
        }
        if self.gathering.is_none() {
            let at = out.now + self.limits.resend_min + far.times(2);
            self.gathering = Some(timers.set(at, Timer::Gather(self.log.shard)));
        }
        true
    }
}
