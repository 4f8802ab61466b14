//! What the guard keeps for faster nodes when a node asks.

use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_model::resources::Resources;
use bary_policy::guard;

use crate::home::Home;
use crate::home::candidates::Bar;
use crate::home::grant::task_view;
use crate::home::ready::{Entry, Portion};

/// Most entries that the guard passes over for one answer.
const KEPT_MAX: usize = 1_000;

impl Home {
    /// Takes an asking node's portion of what is ready, in order, but for what the guard keeps for
    /// others: that stays ready, and what is behind it is looked at. What was stolen for the node
    /// is not held back: its thief would only steal again.
    pub(super) fn take_for(
        &mut self,
        node: NodeId,
        cause: Cause,
        free: Option<&Resources>,
        portion: Portion,
    ) -> Vec<Entry> {
        let Some(account) = self.accounts.get(&node) else { return Vec::new() };
        let info = account.peer.info.clone();
        if self.policy.giants.is_none() || cause == Cause::Stolen {
            return self.ready.take(&info, free, portion);
        }
        let (mut given, mut kept) = (Vec::new(), Vec::new());
        while given.is_empty() && kept.len() < KEPT_MAX {
            let taken = self.ready.take(&info, free, portion);
            if taken.is_empty() {
                break;
            }
            for entry in taken {
                let may = self.guard_lets(node, &entry);
                if may { &mut given } else { &mut kept }.push(entry);
            }
        }
        self.ready.put_back(kept);
        given
    }

    /// Whether the guard lets a node have a task, where all that it holds already goes before.
    fn guard_lets(&mut self, node: NodeId, entry: &Entry) -> bool {
        self.look_around();
        let wanted = self.want(entry.clone());
        let able = self.able_makes(&entry.spec.body.request);
        let of = |make: usize| able[make].then_some((&wanted, Bar::NONE));
        let Some(latest) = self.latest(of) else { return true };
        let totals = self.totals();
        guard::end(&task_view(entry), &self.accounts[&node].view(totals)) <= latest
    }
}
