//! How busy nodes are with what no home granted: asked for while there is work, where the policy
//! looks at that.

use bary_model::id::NodeId;
use bary_model::message::Say;
use bary_model::node::Busy;
use bary_policy::view::Used;

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// What is known of how busy a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Gauge {
    /// It was not asked since it last said what it holds.
    #[default]
    Unasked,
    /// It was asked, and has never answered since.
    Asked,
    /// What it said last, where it can tell.
    Told(Option<Used>),
}

impl Gauge {
    /// How busy it is, where that is known.
    pub(crate) fn used(self) -> Option<Used> {
        if let Self::Told(used) = self { used } else { None }
    }
}

impl Home {
    /// Asks nodes how busy they are, where that counts and it is time.
    pub(super) fn gauge(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.gauging.is_some() || !self.policy.force.sees_used() || !self.is_at_work() {
            return;
        }
        let nodes: Vec<NodeId> = self.met().map(|(node, _)| *node).collect();
        nodes.into_iter().for_each(|node| self.gauge_one(node, out));
        let at = out.now + self.limits.gauge_every;
        self.gauging = Some(timers.set(at, Timer::Gauge(self.log.shard)));
    }

    /// Asks a node that is in a session.
    pub(super) fn gauge_one(&mut self, node: NodeId, out: &mut Outbox) {
        let Some(account) = self.accounts.book(&node) else { return };
        if account.gauge == Gauge::Unasked {
            account.gauge = Gauge::Asked;
        }
        self.log.say(node, Say::Gauge, out);
    }

    /// Whether anything is ready or granted.
    fn is_at_work(&mut self) -> bool {
        self.is_waiting() || self.totals().load > 0
    }

    pub(super) fn on_gauge_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.gauging = None;
        self.gauge(out, timers);
    }

    /// A node says how busy it is.
    pub(super) fn on_busy(
        &mut self,
        from: NodeId,
        busy: Option<Busy>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if let Some(account) = self.accounts.book(&from) {
            let first = account.gauge == Gauge::Asked;
            account.gauge = Gauge::Told(busy.map(Used::from));
            if first {
                self.serve(out, timers);
            }
        }
    }

    /// Forgets how busy nodes are: the policy is another.
    pub(super) fn forget_gauges(&mut self) {
        let nodes: Vec<NodeId> = self.accounts.keys().copied().collect();
        for node in nodes {
            if self.accounts[&node].gauge != Gauge::Unasked
                && let Some(account) = self.accounts.book(&node)
            {
                account.gauge = Gauge::Unasked;
            }
        }
    }
}
