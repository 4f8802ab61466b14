//! Which nodes a task may go to: those that a policy looks at, and those that its guard lets have
//! it.

use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_model::resources::Resources;
use bary_policy::guard;
use bary_policy::sample::drawn;

use crate::home::Home;
use crate::home::grant::task_view;
use crate::home::ready::{Entry, Portion};

/// Most entries that the guard passes over for one answer.
const KEPT_MAX: usize = 1_000;

impl Home {
    /// The places of a list of `len` nodes that the policy looks at; none where it looks at all.
    pub(super) fn looked_at(&mut self, len: usize) -> Option<Vec<usize>> {
        let most = self.policy.looks_at(len)?;
        Some(drawn(len, most, &mut self.force_dice))
    }

    /// The nodes among `nodes` that the guard lets have a task; all of them where there is none.
    /// At least one of those that can run it is among them.
    pub(super) fn guarded(&mut self, entry: &Entry, nodes: Vec<NodeId>) -> Vec<NodeId> {
        let Some(giants) = self.policy.giants else { return nodes };
        let ends = self.would_end(entry, &nodes);
        let soonest = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let ends = nodes.into_iter().zip(ends);
        ends.filter(|(_, end)| guard::admits(*end, soonest, giants)).map(|(node, _)| node).collect()
    }

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
        let request = &entry.spec.body.request;
        let able = self.met().filter(|(_, account)| account.peer.info.can_run(request));
        let able: Vec<NodeId> = able.map(|(node, _)| *node).collect();
        let able = able.into_iter().filter(|other| *other == node || !self.is_drained(*other));
        let able = able.collect();
        self.guarded(entry, able).contains(&node)
    }

    /// When each node would have ended a task, in the guard's unit.
    fn would_end(&mut self, entry: &Entry, nodes: &[NodeId]) -> Vec<f64> {
        let totals = self.totals();
        let task = task_view(entry);
        let end = |node| guard::end(&task, &self.accounts[node].view(totals));
        nodes.iter().map(end).collect()
    }
}
