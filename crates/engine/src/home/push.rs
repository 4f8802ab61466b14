//! Early binding: tasks go to nodes as they become ready, up to a bounded queue at each.

use std::collections::BTreeMap;

use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_policy::view::TaskView;

use crate::home::Home;
use crate::home::grant::{Terms, task_view};
use crate::home::ready::{Entry, Portion};
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// Binds ready tasks one by one to the node that the force draws each to.
    pub(super) fn push_out(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.gathers(out, timers) {
            return;
        }
        let mut bound: BTreeMap<NodeId, Vec<Entry>> = BTreeMap::new();
        let (_, ready) = self.ready_anywhere();
        while let Some((node, entry)) = self.bind_next() {
            if let Some(account) = self.accounts.get_mut(&node) {
                account.binding.0 += entry.spec.weight.thousandths();
                account.binding.1 += 1;
            }
            bound.entry(node).or_default().push(entry);
        }
        for (node, entries) in bound {
            if let Some(account) = self.accounts.get_mut(&node) {
                account.binding = (0, 0);
            }
            // An ask that waited is answered, or its node would never ask again.
            let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
            let terms = Terms { answers, cause: Cause::Pushed, ready_tasks: ready };
            self.grant(node, entries, terms, out, timers);
        }
        self.shed(out);
    }

    fn ready_anywhere(&mut self) -> (u64, u64) {
        let infos: Vec<_> = self.met().map(|(_, a)| a.peer.info.clone()).collect();
        let each = infos.iter().map(|info| self.ready.for_node(info));
        each.max_by_key(|(_, tasks)| *tasks).unwrap_or((0, 0))
    }

    /// The next ready task and the node for it, where one with room in its queue can run it.
    fn bind_next(&mut self) -> Option<(NodeId, Entry)> {
        let totals = self.totals();
        let room = self.limits.push_queue_tasks_max;
        let open: Vec<NodeId> =
            self.met().filter(|(_, a)| a.tasks() < room).map(|(n, _)| *n).collect();
        let open: Vec<NodeId> = open.into_iter().filter(|node| !self.is_drained(*node)).collect();
        let first = open.iter().find_map(|node| {
            let account = &self.accounts[node];
            let entry = self.ready.peek(&account.peer.info, None)?.clone();
            let room = account.tasks() < self.held_max(account, &entry.spec.body.request);
            room.then_some(entry)
        })?;
        let request = &first.spec.body.request;
        let able = open.into_iter().filter(|node| self.accounts[node].peer.info.can_run(request));
        let able = able.collect();
        let able = self.guarded(&first, able);
        let reads = self.reads(&first);
        let able = reads.laid_out(able);
        let able = match self.looked_at(able.len()) {
            Some(places) => places.into_iter().map(|place| able[place]).collect(),
            None => able,
        };
        let task = TaskView { known: self.foresee(&first, &reads), ..task_view(&first) };
        let mut best: Option<(i64, NodeId)> = None;
        for node in able {
            let account = &self.accounts[&node];
            if account.tasks() >= self.held_max(account, request) {
                continue;
            }
            let view = self.seen(account, &first, &reads, totals);
            let score = self.policy.force.between(&task, &view, &mut self.force_dice).0;
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, node));
            }
        }
        let (_, node) = best?;
        let info = self.accounts[&node].peer.info.clone();
        let entry = self.ready.take(&info, None, Portion::ONE).pop()?;
        Some((node, entry))
    }
}
