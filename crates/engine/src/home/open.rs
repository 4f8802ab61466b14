//! Open binding: one grant that several nodes may run, of which the first outcome counts. Nodes
//! that wait while nothing is ready get copies of what others hold, the oldest first. Which nodes
//! have copies is kept in mind only; after a restart they say so, and what nobody has is granted
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::array::Holder;
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, TaskRange};
use bary_model::message::{Grant, GrantItem, Retract, Say};

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::Timers;

/// Who has copies of which grants.
#[derive(Debug, Default)]
pub(super) struct OpenGrants {
    grants: BTreeMap<(Epoch, GrantNo), BTreeSet<NodeId>>,
}

impl OpenGrants {
    pub(super) fn add(&mut self, fence: Fence, node: NodeId) {
        self.grants.entry((fence.epoch, fence.grant)).or_default().insert(node);
    }

    /// The nodes that have a copy.
    pub(super) fn nodes(&self, epoch: Epoch, grant: GrantNo) -> Vec<NodeId> {
        self.grants.get(&(epoch, grant)).into_iter().flatten().copied().collect()
    }

    /// Whether a node has a copy of anything.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.grants.values().any(|nodes| nodes.contains(&node))
    }

    /// Takes a copy from a node; tells whether it was the last.
    pub(super) fn remove(&mut self, epoch: Epoch, grant: GrantNo, node: NodeId) -> bool {
        let Some(nodes) = self.grants.get_mut(&(epoch, grant)) else { return true };
        nodes.remove(&node);
        let last = nodes.is_empty();
        if last {
            self.grants.remove(&(epoch, grant));
        }
        last
    }
}

impl Home {
    /// Whether tasks that a node gives back are no longer with anybody. Copies elsewhere go on.
    pub(super) fn is_last_copy(&mut self, fence: Fence, range: TaskRange, node: NodeId) -> bool {
        let open = self.ledger.holder(range).is_some_and(|holder| holder.node == NodeId::ANY);
        !open || self.open.remove(fence.epoch, fence.grant, node)
    }

    /// Some tasks of an open grant have ended, or are to run under another: the other copies stop.
    pub(super) fn stop_copies(
        &mut self,
        fence: Fence,
        range: TaskRange,
        ended_at: NodeId,
        out: &mut Outbox,
    ) {
        for node in self.open.nodes(fence.epoch, fence.grant) {
            if node != ended_at {
                let stale = Retract::Stale(vec![(fence, range)]);
                self.log.say_after_held(node, Say::Retract(stale), out);
            }
        }
        let all = TaskRange { first: 0, count: u32::MAX, ..range };
        if self.open_ranges(all).iter().all(|(holder, _)| holder.grant != fence.grant) {
            self.open.grants.remove(&(fence.epoch, fence.grant));
        }
    }

    /// The tasks of one spec that are open, and under which grant.
    fn open_ranges(&self, spec: TaskRange) -> Vec<(Holder, TaskRange)> {
        let mut ranges = Vec::new();
        self.ledger.held(|holder, range| {
            if holder.node == NodeId::ANY && (range.job, range.spec) == (spec.job, spec.spec) {
                ranges.push((holder, range));
            }
        });
        ranges
    }

    /// Gives a node that waits a copy of what others hold, if there is something it can run.
    pub(super) fn copy_to(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let Some(account) = self.accounts.get(&node) else { return };
        if account.parked.is_none() {
            return;
        }
        let info = account.peer.info.clone();
        let mut best: Option<(Holder, TaskRange)> = None;
        self.ledger.held(|holder, range| {
            if holder.node != NodeId::ANY
                || best.is_some_and(|(known, _)| known.grant <= holder.grant)
            {
                return;
            }
            let copies = self.open.grants.get(&(holder.epoch, holder.grant));
            let free = copies.is_none_or(|nodes| {
                nodes.len() < self.limits.open_copies_max && !nodes.contains(&node)
            });
            let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
            if free && spec.is_some_and(|spec| info.can_run(&spec.body.request)) {
                best = Some((holder, range));
            }
        });
        let Some((holder, _)) = best else { return };
        let fence = Fence { shard: self.log.shard, epoch: holder.epoch, grant: holder.grant };
        // A copy is of all that is left of a grant: who has one has every part of it.
        let parts = self.open_where(|one| (one.epoch, one.grant) == (fence.epoch, fence.grant));
        let items: Vec<GrantItem> = parts
            .into_iter()
            .filter_map(|(_, range)| self.grant_item(&self.entry(range)?, range, fence))
            .collect();
        if items.is_empty() {
            return;
        }
        self.open.add(fence, node);
        let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
        let settled = self.accounts.get(&node).map_or(0, |account| account.session.settled);
        let ready = self.ready.weight();
        self.watch_lease(node, out, timers);
        let say = Say::Grant(Grant { items, answers, ready, settled });
        self.log.say_when_durable(node, say, out);
    }

    /// Copies that a node should have and has not are with it no longer; what nobody has is lost.
    pub(super) fn lost_copies(
        &mut self,
        node: NodeId,
        listed: &BTreeMap<(Epoch, GrantNo), Vec<TaskRange>>,
    ) -> Vec<(Holder, TaskRange)> {
        let had: Vec<(Epoch, GrantNo)> = self
            .open
            .grants
            .iter()
            .filter(|(grant, nodes)| nodes.contains(&node) && !listed.contains_key(grant))
            .map(|(grant, _)| *grant)
            .collect();
        let lost: BTreeSet<(Epoch, GrantNo)> = had
            .into_iter()
            .filter(|&(epoch, grant)| self.open.remove(epoch, grant, node))
            .collect();
        self.open_where(|holder| lost.contains(&(holder.epoch, holder.grant)))
    }

    /// Open tasks of which no node has said that it has a copy.
    pub(super) fn unclaimed(&self) -> Vec<(Holder, TaskRange)> {
        self.open_where(|holder| !self.open.grants.contains_key(&(holder.epoch, holder.grant)))
    }

    fn open_where(&self, wanted: impl Fn(Holder) -> bool) -> Vec<(Holder, TaskRange)> {
        let mut found = Vec::new();
        self.ledger.held(|holder, range| {
            if holder.node == NodeId::ANY && wanted(holder) {
                found.push((holder, range));
            }
        });
        found
    }
}
