//! Which nodes a task may go to: those that a policy looks at, and those that its guard lets have
//! it.

use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_policy::guard;
use bary_policy::sample::drawn;

use crate::home::Home;
use crate::home::grant::task_view;
use crate::home::ready::Entry;

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

    /// Whether the guard lets an asking node have the first task that it could run. What was
    /// stolen for it is not held back: its thief would only steal again.
    pub(super) fn may_have_next(&mut self, node: NodeId, cause: Cause) -> bool {
        if self.policy.giants.is_none() || cause == Cause::Stolen {
            return true;
        }
        let Some(account) = self.accounts.get(&node) else { return false };
        let info = account.peer.info.clone();
        let Some(entry) = self.ready.peek(&info, None).cloned() else { return true };
        let request = &entry.spec.body.request;
        let able = self.met().filter(|(_, account)| account.peer.info.can_run(request));
        let able: Vec<NodeId> = able.map(|(node, _)| *node).collect();
        let able = able.into_iter().filter(|other| *other == node || !self.is_drained(*other));
        let able = able.collect();
        self.guarded(&entry, able).contains(&node)
    }

    /// When each node would have ended a task, in the guard's unit.
    fn would_end(&mut self, entry: &Entry, nodes: &[NodeId]) -> Vec<f64> {
        let totals = self.totals();
        let task = task_view(entry);
        let end = |node| guard::end(&task, &self.accounts[node].view(totals));
        nodes.iter().map(end).collect()
    }
}
